/*
 * A caffemodel: the blobs of each layer, found by the layer's name, left
 * where they are in the mapped file. V2 (`layer`) and V1 (`layers`).
 *
 * Threads: any number may read one model.
 */
#ifndef MX_LOADER_IMPORT_CAFFE_MODEL_H
#define MX_LOADER_IMPORT_CAFFE_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "loader/import/blob.h"

struct mx_err;
struct mx_graph;
struct mx_caffe_model;

/*
 * Index the NetParameter at @data, which must outlive the model. On success
 * the caller owns *@out. Of several layers with one name the last that has
 * blobs counts, as in Caffe. @path names the file in messages.
 *
 * Returns 0; -EBADMSG naming layer and byte; -ENOMEM.
 */
int mx_caffe_model_open(struct mx_caffe_model **out, const char *path,
			const unsigned char *data, size_t size_bytes,
			struct mx_err *err);

void mx_caffe_model_close(struct mx_caffe_model *model);

/* The number of blobs of layer @name; 0 if there is no such layer. */
uint32_t mx_caffe_model_blob_count(const struct mx_caffe_model *model,
				   const char *name);

/*
 * Blob @index of layer @name into *@blob, its dimensions into *@shape. Values
 * that do not lie in one piece are copied into memory that @graph owns.
 *
 * Returns 0; -EBADMSG if there is none, it is broken, or its values are not
 * as many as its shape says; -ENOMEM.
 */
int mx_caffe_model_blob(const struct mx_caffe_model *model, const char *name,
			uint32_t index, struct mx_graph *graph,
			struct mx_blob *blob, struct mx_shape *shape,
			struct mx_err *err);

#endif
