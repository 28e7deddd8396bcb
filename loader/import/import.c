#include "loader/import/import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/size.h"
#include "loader/import/detect.h"
#include "loader/import/graph.h"
#include "loader/import/lower.h"
#include "loader/import/passes.h"
#include "loader/import/weights.h"
#include "loader/write.h"

/* Source bytes that are read before their memory is given back. */
#define DROP_BYTES ((size_t)8 << 20)
/* A gap between weights that is dropped with them. */
#define DROP_GAP_BYTES ((size_t)64 << 10)

struct import {
	struct mx_import_source *source;
	struct mx_graph *graph; /* keeps what constants lie in */
	struct mx_network net;
	struct mx_weights *weights; /* one for each layer */
	/* Source bytes that have been read and not been dropped yet. */
	const unsigned char *read_begin;
	const unsigned char *read_end;
};

static void drop_read(struct import *import)
{
	mx_import_source_drop(import->source, import->read_begin,
			      (size_t)(import->read_end - import->read_begin));
	import->read_begin = import->read_end;
}

/* [@begin, @end) has been read for the last time. */
static void note_read(struct import *import, const unsigned char *begin,
		      const unsigned char *end)
{
	const uintptr_t b = (uintptr_t)begin;
	const uintptr_t e = (uintptr_t)import->read_end;

	if (!import->read_begin || b < (uintptr_t)import->read_begin ||
	    b > e + DROP_GAP_BYTES) {
		if (import->read_begin)
			drop_read(import);
		import->read_begin = begin;
		import->read_end = end;
	} else if ((uintptr_t)end > e) {
		import->read_end = end;
	}
	if ((size_t)(import->read_end - import->read_begin) >= DROP_BYTES)
		drop_read(import);
}

/*
 * Elements from the first to one past the last of a constant's rows
 * [@row, @row + @count) of @rows. Rows that are interleaved in the source have
 * been read when the last of them has: 0 elements before that.
 */
static size_t rows_extent(const struct mx_const *c, uint64_t rows, uint64_t row,
			  uint64_t count, size_t *first)
{
	const uint32_t rank = c->shape.rank;
	size_t span = 1;
	uint32_t i;

	if (mx_shape_elems(&c->shape) == 0)
		return 0;
	for (i = 1; i < rank; i++)
		span += (c->shape.dim[i] - 1) * c->stride[i];
	*first = c->offset;
	if (rank > 0 && c->shape.dim[0] == rows && span <= c->stride[0]) {
		*first += (size_t)row * c->stride[0];
		return (size_t)(count - 1) * c->stride[0] + span;
	}
	if (row + count < rows)
		return 0;
	return span + (rank ? (c->shape.dim[0] - 1) * c->stride[0] : 0);
}

static void forget_block(struct import *import, uint32_t layer_index,
			 uint64_t block)
{
	const struct mx_weights *weights = &import->weights[layer_index];
	const struct mx_weight_spec *spec =
		&import->net.layers[layer_index].weights;
	const struct mx_blob *blob = &weights->rows.blob;
	const unsigned char *begin;
	size_t first, count, bytes;

	if (!weights->has_rows || blob->kind != MX_BLOB_BYTES)
		return;
	count = rows_extent(&weights->rows, spec->rows,
			    block * spec->block_rows,
			    mx_weight_block_rows(spec, block), &first);
	if (count == 0)
		return;
	bytes = mx_dtype_bytes(blob->type);
	begin = (const unsigned char *)blob->data + first * bytes;
	note_read(import, begin, begin + count * bytes);
}

static int read_block(void *user, uint32_t layer, uint64_t block, void *out,
		      struct mx_err *err)
{
	struct import *import = user;
	int rc;

	rc = mx_weights_block(&import->net.layers[layer],
			      &import->weights[layer], block, out, err);
	if (!rc)
		forget_block(import, layer, block);
	return rc;
}

/* Which importer, and for which file; either order of the two will do. */
static int choose(struct mx_import_opts *opts, enum mx_source_kind *kind,
		  struct mx_err *err)
{
	enum mx_source_kind second = MX_SOURCE_UNKNOWN;
	int rc;

	rc = mx_source_detect(opts->source, kind, err);
	if (!rc && opts->weights)
		rc = mx_source_detect(opts->weights, &second, err);
	if (rc)
		return rc;
	if (opts->weights && second == MX_SOURCE_PROTOTXT &&
	    *kind != MX_SOURCE_PROTOTXT) {
		const char *net = opts->weights;

		opts->weights = opts->source;
		opts->source = net;
		second = *kind;
		*kind = MX_SOURCE_PROTOTXT;
	}
	switch (*kind) {
	case MX_SOURCE_ONNX:
		if (!opts->weights)
			return 0;
		return mx_fail(err, EINVAL,
			       "%s is an ONNX model, which has its weights: "
			       "what is %s for?",
			       opts->source, opts->weights);
	case MX_SOURCE_PROTOTXT:
		if (!opts->weights || second == MX_SOURCE_CAFFEMODEL)
			return 0;
		return mx_fail(err, EBADMSG, "%s is no caffemodel",
			       opts->weights);
	case MX_SOURCE_CAFFEMODEL:
		return mx_fail(err, EINVAL,
			       "%s is a caffemodel: name its deploy prototxt "
			       "too",
			       opts->source);
	case MX_SOURCE_UNKNOWN:
		break;
	}
	return mx_fail(err, EBADMSG, "%s is neither a prototxt nor ONNX",
		       opts->source);
}

static int make_network(const struct mx_import_opts *opts,
			struct import *import, struct mx_err *err)
{
	struct mx_lower_opts lower = {
		.preprocess = opts->preprocess,
		.labels = opts->labels,
		.label_count = opts->label_count,
	};
	int rc;

	rc = mx_passes_run(import->graph, err);
	if (rc)
		return rc;
	rc = mx_import_source_hash(import->source, &lower.source_hash, err);
	if (rc)
		return rc;
	return mx_graph_lower(import->graph, &lower, &import->net,
			      &import->weights, err);
}

int mx_import(const struct mx_import_opts *opts, struct mx_err *err)
{
	struct mx_import_opts own = *opts;
	struct import import = {0};
	const struct mx_write_opts write = {
		.path = opts->output,
		.force = opts->force,
		.slice_bytes = opts->slice_bytes,
		.progress = opts->progress,
		.progress_user = opts->progress_user,
		.read_block = read_block,
		.read_user = &import,
	};
	enum mx_source_kind kind;
	uint32_t layer_count;
	int rc;

	import.net.weights_fd = -1;
	rc = choose(&own, &kind, err);
	if (rc)
		return rc;
	rc = kind == MX_SOURCE_ONNX
		     ? mx_onnx_graph(&own, &import.graph, &import.source, err)
		     : mx_caffe_graph(&own, &import.graph, &import.source, err);
	if (!rc)
		rc = make_network(&own, &import, err);
	if (!rc)
		rc = mx_model_write(&import.net, &write, err);
	layer_count = import.net.layer_count;
	mx_network_fini(&import.net);
	mx_lower_weights_free(import.weights, layer_count);
	mx_graph_free(import.graph);
	mx_import_source_close(import.source);
	return rc;
}
