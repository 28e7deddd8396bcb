/*
 * What kind of model file a file is, told by its content.
 */
#ifndef MX_LOADER_IMPORT_DETECT_H
#define MX_LOADER_IMPORT_DETECT_H

struct mx_err;

enum mx_source_kind {
	MX_SOURCE_UNKNOWN,
	MX_SOURCE_PROTOTXT, /* text */
	MX_SOURCE_CAFFEMODEL, /* a binary NetParameter */
	MX_SOURCE_ONNX, /* a binary ModelProto */
};

/*
 * Look at the file at @path: its first bytes, then the headers of its outermost
 * fields. Returns 0 with *@out set, or -errno with a message.
 */
int mx_source_detect(const char *path, enum mx_source_kind *out,
		     struct mx_err *err);

#endif
