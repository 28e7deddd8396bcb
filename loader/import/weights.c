#include "loader/import/weights.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lib/err.h"
#include "lib/network.h"
#include "lib/size.h"
#include "loader/import/graph.h"

/* Elements that are read at once on their way into a panel. */
#define CHUNK_ELEMS 2048

/* Integers, in the place of floats. */
static int read_ints(const struct mx_const *rows, size_t first, size_t count,
		     float *out, struct mx_err *err)
{
	int64_t chunk[CHUNK_ELEMS / 2];
	size_t done, n, i;

	for (done = 0; done < count; done += n) {
		n = mx_size_min(count - done, CHUNK_ELEMS / 2);
		mx_const_read_i64(rows, first + done, n, chunk);
		for (i = 0; i < n; i++) {
			const int32_t value = (int32_t)chunk[i];

			if (value != chunk[i])
				return mx_fail(err, EBADMSG,
					       "index %" PRId64
					       " does not fit into 32 bits",
					       chunk[i]);
			memcpy(&out[done + i], &value, sizeof(value));
		}
	}
	return 0;
}

static float scaled(const struct mx_weights *weights, uint64_t row, float value)
{
	if (!weights->row_scale)
		return value;
	return (float)((double)value * weights->row_scale[row]);
}

/* Elements [@first, @first + @count) of row @row, scaled. */
static int read_row(const struct mx_weights *weights, uint64_t row_elems,
		    uint64_t row, size_t first, size_t count, float *out,
		    struct mx_err *err)
{
	const size_t at = (size_t)(row * row_elems) + first;
	size_t i;

	if (weights->integers)
		return read_ints(&weights->rows, at, count, out, err);
	mx_const_read_f32(&weights->rows, at, count, out);
	for (i = 0; i < count && weights->row_scale; i++)
		out[i] = scaled(weights, row, out[i]);
	return 0;
}

/* @rows rows from @row on, as one panel: [row_elems][rows]. */
static int fill_panel(const struct mx_weights *weights, uint64_t row_elems,
		      uint64_t row, size_t rows, float *out, struct mx_err *err)
{
	float chunk[CHUNK_ELEMS];
	size_t first, n, i, r;
	int rc;

	if (rows == 1)
		return read_row(weights, row_elems, row, 0, (size_t)row_elems,
				out, err);
	for (r = 0; r < rows; r++)
		for (first = 0; first < row_elems; first += n) {
			n = mx_size_min((size_t)row_elems - first, CHUNK_ELEMS);
			rc = read_row(weights, row_elems, row + r, first, n,
				      chunk, err);
			if (rc)
				return rc;
			for (i = 0; i < n; i++)
				out[(first + i) * rows + r] = chunk[i];
		}
	return 0;
}

/* All rows of a block at once, where they need no rearranging. */
static int fill_plain(const struct mx_weights *weights, uint64_t row_elems,
		      uint64_t row, uint64_t rows, float *out,
		      struct mx_err *err)
{
	uint64_t r;
	int rc = 0;

	if (!weights->row_scale)
		return read_row(weights, row_elems, row, 0,
				(size_t)(rows * row_elems), out, err);
	for (r = 0; r < rows && !rc; r++)
		rc = read_row(weights, row_elems, row + r, 0, (size_t)row_elems,
			      out + r * row_elems, err);
	return rc;
}

/*
 * Rows that are columns of the source: neighbours in a column are neighbours
 * in memory, and read row by row each element would touch a page of its own.
 */
static int is_transposed(const struct mx_weights *weights, uint64_t rows)
{
	const struct mx_const *c = &weights->rows;
	uint32_t i;

	if (weights->integers || c->blob.kind != MX_BLOB_BYTES ||
	    c->shape.rank < 2 || c->shape.dim[0] != rows)
		return 0;
	for (i = 1; i < c->shape.rank; i++)
		if (c->shape.dim[i] > 1 && c->stride[i] <= c->stride[0])
			return 0;
	return 1;
}

/* @rows rows from @row on, column by column, as panels of @panel rows. */
static void fill_transposed(const struct mx_weights *weights, uint64_t row,
			    size_t rows, size_t panel, float *out)
{
	const struct mx_const *c = &weights->rows;
	const size_t row_elems = mx_shape_span(&c->shape, 1, c->shape.rank);
	uint32_t turn[MX_RANK_MAX] = {0};
	float chunk[CHUNK_ELEMS];
	struct mx_const columns;
	size_t e, r, first, n;
	uint32_t i;

	for (i = 0; i + 1 < c->shape.rank; i++)
		turn[i] = i + 1;
	mx_const_permute(c, turn, &columns);
	for (first = 0; first < rows; first += n) {
		n = mx_size_min(rows - first, CHUNK_ELEMS);
		for (e = 0; e < row_elems; e++) {
			mx_const_read_f32(&columns,
					  e * c->shape.dim[0] + (size_t)row +
						  first,
					  n, chunk);
			for (r = first; r < first + n; r++) {
				const size_t base = r / panel * panel;
				const size_t wide =
					mx_size_min(panel, rows - base);

				out[base * row_elems + e * wide + r - base] =
					scaled(weights, row + r,
					       chunk[r - first]);
			}
		}
	}
}

static int fill_matrix(const struct mx_layer *layer,
		       const struct mx_weights *weights, uint64_t row,
		       uint64_t rows, float *out, struct mx_err *err)
{
	const struct mx_weight_spec *spec = &layer->weights;
	uint64_t done, n;
	int rc = 0;

	if (spec->row_elems == 0)
		return 0;
	if (is_transposed(weights, spec->rows)) {
		fill_transposed(weights, row, (size_t)rows, spec->panel_rows,
				out);
		return 0;
	}
	if (spec->panel_rows == 1)
		return fill_plain(weights, spec->row_elems, row, rows, out,
				  err);
	for (done = 0; done < rows && !rc; done += n) {
		n = rows - done < spec->panel_rows ? rows - done
						   : spec->panel_rows;
		rc = fill_panel(weights, spec->row_elems, row + done, (size_t)n,
				out + done * spec->row_elems, err);
	}
	return rc;
}

int mx_weights_block(const struct mx_layer *layer,
		     const struct mx_weights *weights, uint64_t block,
		     void *out, struct mx_err *err)
{
	const struct mx_weight_spec *spec = &layer->weights;
	const uint64_t rows = mx_weight_block_rows(spec, block);
	const uint64_t row = block * spec->block_rows;
	const size_t used = (size_t)(rows * (spec->row_elems + spec->vectors)) *
			    sizeof(float);
	float *at = out;
	struct mx_err why;
	uint64_t r;
	uint32_t k;
	int rc;

	assert(spec->vectors <= MX_VECTORS_MAX);
	rc = fill_matrix(layer, weights, row, rows, at, &why);
	if (rc)
		return mx_fail(err, -rc, "%s: %s", layer->name, why.text);
	at += rows * spec->row_elems;
	for (k = 0; k < spec->vectors; k++, at += rows)
		for (r = 0; r < rows; r++)
			at[r] = weights->vector[k]
					? (float)weights->vector[k][row + r]
					: 0;
	memset((unsigned char *)out + used, 0,
	       (size_t)mx_weight_block_bytes(spec, block) - used);
	return 0;
}
