/*
 * Import: a Caffe or ONNX network becomes a model directory. Streams: memory
 * does not grow with the weights. Formats are told by content, not by name.
 */
#ifndef MX_LOADER_IMPORT_IMPORT_H
#define MX_LOADER_IMPORT_IMPORT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/network.h"
#include "loader/mxload.h"

struct mx_err;
struct mx_graph;
struct mx_log;

/* --input-shape=[NAME:]N,C,H,W */
struct mx_import_shape {
	const char *name; /* NULL: the only (or first) input */
	struct mx_shape shape;
};

struct mx_import_opts {
	const char *source; /* deploy.prototxt or model.onnx */
	const char *weights; /* .caffemodel, NULL for ONNX */
	const char *output; /* the model directory to make */
	const struct mx_import_shape *shapes;
	size_t shape_count;
	const char *const *outputs; /* blobs or layers, in this order */
	size_t output_count; /* 0: the unconsumed ones */
	int keep_batch; /* 0: batch is rewritten to 1 */
	int force; /* replace an existing model directory */
	int random_weights; /* 1: none are read, `seed` makes them */
	uint64_t seed;
	uint64_t slice_bytes; /* 0: default */
	const struct mx_preprocess *preprocess; /* for every picture input */
	char *const *labels; /* borrowed */
	size_t label_count;
	const struct mx_log *log; /* one MX_LOG_ERROR line for each unsupported
				     operator or attribute, with its layers */
	mx_progress_fn *progress;
	void *progress_user;
};

/*
 * Returns 0; -ENOTSUP with every unsupported operator and attribute in the log
 * and the operators' names in @err; -EBADMSG if the model is invalid; -EEXIST;
 * -EINVAL (an option names something the model has not); or -errno.
 */
int mx_import(const struct mx_import_opts *opts, struct mx_err *err);

/* --- between the files of this folder --------------------------------- */

/* What an importer could not do: collected, so that all are reported. */
struct mx_unsupported;
int mx_unsupported_new(struct mx_unsupported **out);
void mx_unsupported_free(struct mx_unsupported *list);
/* @what: "Conv" or "Conv: auto_pad=FOO"; @layer is where. 0 or -ENOMEM. */
int mx_unsupported_add(struct mx_unsupported *list, const char *what,
		       const char *layer);
/* 0 if empty, else logs a line for each and returns -ENOTSUP with @err. */
int mx_unsupported_report(const struct mx_unsupported *list, const char *source,
			  const struct mx_log *log, struct mx_err *err);

/*
 * The importers: from opts->source (and weights) to a graph before passes.
 * *@mapped (may be NULL) is what keeps constants' bytes alive: after the model
 * is written the caller calls mx_import_source_close().
 */
struct mx_import_source;
void mx_import_source_close(struct mx_import_source *source);
/* A read-only mapping of a whole file that lives until the source is closed.
 * Several may be added. @source: NULL at first, made on demand. */
int mx_import_source_map(struct mx_import_source **source, const char *path,
			 const unsigned char **data, size_t *size_bytes,
			 struct mx_err *err);

/*
 * The bytes at @data have been read for the last time: give back the memory of
 * their pages, and their place in the page cache unless the file was there
 * before us. Bytes outside the mappings are ignored; a dropped page can still
 * be read.
 */
void mx_import_source_drop(const struct mx_import_source *source,
			   const void *data, size_t size_bytes);

/*
 * XXH3-64 of the bytes of all mapped files, one after the other, read as a
 * stream. Returns 0, or -errno with a message.
 */
int mx_import_source_hash(const struct mx_import_source *source, uint64_t *hash,
			  struct mx_err *err);

int mx_caffe_graph(const struct mx_import_opts *opts, struct mx_graph **out,
		   struct mx_import_source **source, struct mx_err *err);
int mx_onnx_graph(const struct mx_import_opts *opts, struct mx_graph **out,
		  struct mx_import_source **source, struct mx_err *err);

/* Caffe's mean.binaryproto: the mean of each channel into @mean. */
int mx_caffe_mean(const char *path, float mean[4], size_t *channel_count,
		  struct mx_err *err);

#endif
