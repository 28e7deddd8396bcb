/*
 * weights.bin, streamed: one slice at a time is built, hashed and written.
 *
 * Invariants:
 *
 *  (1) The file holds nothing but zeros or holes past cursor: what a duplicate
 *      layer wrote is cut off again before anything else is written.
 *  (2) flushed <= started <= cursor: [0, flushed) is on the disk and out of
 *      the page cache, [flushed, started) is on its way.
 */
#include "loader/write_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lib/err.h"
#include "lib/size.h"

/*
 * Dirty pages that may pile up before we push them out ourselves: in a small
 * memory cgroup the kernel would stop the writer for long at a time.
 */
#define FLUSH_BYTES ((uint64_t)8 << 20)
#define BUFFER_BYTES_MIN ((size_t)128 << 10)

struct out {
	struct mx_network *net;
	const struct mx_write_opts *opts;
	const char *path;
	int fd;
	unsigned char *buffer; /* at least the largest slice */
	size_t buffer_bytes;
	uint64_t cursor;
	uint64_t group; /* where the last layer on a boundary began */
	uint64_t started;
	uint64_t flushed;
	uint64_t done_bytes;
	uint64_t total_bytes;
	/* Layers that are stored, by what their weights are: layer + 1, 0 for
	 * a free place; linear probing, at most half full. */
	uint32_t *places;
	size_t place_count;
};

uint64_t mx_slice_hash(const void *bytes, uint64_t size_bytes)
{
	return XXH3_64bits(bytes, (size_t)size_bytes);
}

static int out_fail(const struct out *out, struct mx_err *err)
{
	return mx_fail_errno(err, "write %s/weights.bin at %" PRIu64, out->path,
			     out->cursor);
}

/* Where file systems cannot do this, the kernel's own way has to do. */
static int push(const struct out *out, uint64_t begin, uint64_t end,
		unsigned flags, struct mx_err *err)
{
	if (sync_file_range(out->fd, (off_t)begin, (off_t)(end - begin),
			    flags) == 0 ||
	    errno == ENOSYS || errno == EINVAL || errno == ESPIPE)
		return 0;
	return out_fail(out, err);
}

/*
 * Start writing what is new; wait for what was started before, and drop it.
 * Two windows keep the device busy while the next slices are made.
 */
static int flush(struct out *out, struct mx_err *err)
{
	int rc;

	if (out->cursor - out->started < FLUSH_BYTES)
		return 0;
	rc = push(out, out->started, out->cursor, SYNC_FILE_RANGE_WRITE, err);
	if (rc)
		return rc;
	if (out->started > out->flushed) {
		/* Errors that this reports, fsync would not report again. */
		rc = push(out, out->flushed, out->started,
			  SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
				  SYNC_FILE_RANGE_WAIT_AFTER,
			  err);
		if (rc)
			return rc;
		/* From 0: what a comparison read again goes, too. */
		(void)posix_fadvise(out->fd, 0, (off_t)out->started,
				    POSIX_FADV_DONTNEED);
	}
	out->flushed = out->started;
	out->started = out->cursor;
	return 0;
}

static int write_all(struct out *out, uint64_t offset, size_t size,
		     struct mx_err *err)
{
	size_t used = 0;
	ssize_t put;

	while (used < size) {
		put = pwrite(out->fd, out->buffer + used, size - used,
			     (off_t)(offset + used));
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return out_fail(out, err);
		used += (size_t)put;
	}
	return 0;
}

static int read_all(struct out *out, unsigned char *to, uint64_t offset,
		    size_t size, struct mx_err *err)
{
	size_t used = 0;
	ssize_t got;

	while (used < size) {
		got = pread(out->fd, to + used, size - used,
			    (off_t)(offset + used));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return out_fail(out, err);
		if (got == 0)
			return mx_fail(err, EIO,
				       "%s/weights.bin was cut while it was "
				       "written",
				       out->path);
		used += (size_t)got;
	}
	return 0;
}

static int write_slice(struct out *out, struct mx_slice *slice,
		       struct mx_err *err)
{
	const struct mx_write_opts *opts = out->opts;
	const struct mx_layer *layer = &out->net->layers[slice->layer];
	const size_t each = (size_t)mx_weight_block_bytes(&layer->weights, 0);
	uint32_t i;
	int rc;

	for (i = 0; i < slice->block_count; i++) {
		rc = opts->read_block(opts->read_user, slice->layer,
				      (uint64_t)slice->first_block + i,
				      out->buffer + i * each, err);
		if (rc)
			return rc;
	}
	slice->hash = mx_slice_hash(out->buffer, slice->size_bytes);
	slice->offset_bytes = out->cursor;
	rc = write_all(out, out->cursor, (size_t)slice->size_bytes, err);
	if (rc)
		return rc;
	out->cursor += slice->size_bytes;
	out->done_bytes += slice->size_bytes;
	rc = flush(out, err);
	if (rc)
		return rc;
	if (opts->progress && opts->progress(opts->progress_user,
					     out->done_bytes, out->total_bytes))
		return mx_fail(err, ECANCELED, "write %s: stopped", out->path);
	return 0;
}

static int same_spec(const struct mx_weight_spec *a,
		     const struct mx_weight_spec *b)
{
	return a->rows == b->rows && a->row_elems == b->row_elems &&
	       a->vectors == b->vectors && a->block_rows == b->block_rows &&
	       a->panel_rows == b->panel_rows;
}

/* Layers of one spec are cut alike, so that hashes can be compared. */
static int same_hashes(const struct mx_network *net, const struct mx_layer *a,
		       const struct mx_layer *b)
{
	uint32_t i;

	for (i = 0; i < a->slice_count; i++)
		if (net->slices[a->first_slice + i].hash !=
		    net->slices[b->first_slice + i].hash)
			return 0;
	return 1;
}

/* *@same: whether the stored bytes of two layers of one spec are equal. */
static int compare_bytes(struct out *out, const struct mx_layer *a,
			 const struct mx_layer *b, int *same,
			 struct mx_err *err)
{
	const size_t half = out->buffer_bytes / 2;
	uint64_t pos;
	int rc;

	*same = 1;
	for (pos = 0; *same && pos < a->weight_bytes; pos += half) {
		const uint64_t left = a->weight_bytes - pos;
		const size_t size = left < half ? (size_t)left : half;

		rc = read_all(out, out->buffer, a->weight_offset_bytes + pos,
			      size, err);
		if (rc)
			return rc;
		rc = read_all(out, out->buffer + half,
			      b->weight_offset_bytes + pos, size, err);
		if (rc)
			return rc;
		*same = memcmp(out->buffer, out->buffer + half, size) == 0;
	}
	return 0;
}

static uint64_t content_key(const struct mx_network *net,
			    const struct mx_layer *layer)
{
	uint64_t key = layer->weight_bytes;
	uint32_t i;

	for (i = 0; i < layer->slice_count; i++)
		key = XXH3_64bits_withSeed(
			&net->slices[layer->first_slice + i].hash,
			sizeof(uint64_t), key);
	return key;
}

/*
 * An earlier layer with the same weights into *@twin (MX_NONE: there is none,
 * and this one is remembered).
 */
static int find_twin(struct out *out, uint32_t index, uint32_t *twin,
		     struct mx_err *err)
{
	const struct mx_network *net = out->net;
	const struct mx_layer *layer = &net->layers[index];
	size_t place = content_key(net, layer) & (out->place_count - 1);
	int same;
	int rc;

	for (; out->places[place];
	     place = (place + 1) & (out->place_count - 1)) {
		const uint32_t other = out->places[place] - 1;

		if (!same_spec(&net->layers[other].weights, &layer->weights) ||
		    !same_hashes(net, &net->layers[other], layer))
			continue;
		rc = compare_bytes(out, &net->layers[other], layer, &same, err);
		if (rc)
			return rc;
		if (same) {
			*twin = other;
			return 0;
		}
	}
	out->places[place] = index + 1;
	*twin = MX_NONE;
	return 0;
}

/* Take back what @layer has just written from @begin on; it is @twin's. */
static int share(struct out *out, struct mx_layer *layer,
		 const struct mx_layer *twin, uint64_t begin,
		 struct mx_err *err)
{
	uint32_t i;

	if (ftruncate(out->fd, (off_t)begin) < 0)
		return out_fail(out, err);
	out->cursor = begin;
	if (out->started > begin)
		out->started = begin;
	if (out->flushed > begin)
		out->flushed = begin;
	layer->weight_offset_bytes = twin->weight_offset_bytes;
	for (i = 0; i < layer->slice_count; i++)
		out->net->slices[layer->first_slice + i].offset_bytes =
			out->net->slices[twin->first_slice + i].offset_bytes;
	return 0;
}

/* Where a layer of @bytes goes: see write.h. */
static uint64_t place_layer(const struct out *out, uint64_t bytes)
{
	const uint64_t packed = (out->cursor + MX_WEIGHT_ALIGN_BYTES - 1) /
				MX_WEIGHT_ALIGN_BYTES * MX_WEIGHT_ALIGN_BYTES;

	if (packed + bytes - out->group <= MX_SLICE_BYTES_MIN)
		return packed;
	return (out->cursor + MX_LAYER_ALIGN_BYTES - 1) / MX_LAYER_ALIGN_BYTES *
	       MX_LAYER_ALIGN_BYTES;
}

static int write_layer(struct out *out, uint32_t index, struct mx_err *err)
{
	struct mx_layer *layer = &out->net->layers[index];
	const uint64_t begin = out->cursor;
	uint32_t twin = MX_NONE;
	uint32_t i;
	int rc;

	if (layer->slice_count == 0)
		return 0;
	out->cursor = place_layer(out, layer->weight_bytes);
	layer->weight_offset_bytes = out->cursor;
	for (i = 0; i < layer->slice_count; i++) {
		rc = write_slice(out, &out->net->slices[layer->first_slice + i],
				 err);
		if (rc)
			return rc;
	}
	rc = find_twin(out, index, &twin, err);
	if (rc)
		return rc;
	if (twin != MX_NONE)
		return share(out, layer, &out->net->layers[twin], begin, err);
	if (layer->weight_offset_bytes % MX_LAYER_ALIGN_BYTES == 0)
		out->group = layer->weight_offset_bytes;
	return 0;
}

static int out_init(struct out *out, struct mx_err *err)
{
	const struct mx_network *net = out->net;
	uint64_t largest = BUFFER_BYTES_MIN;
	uint32_t i;

	for (i = 0; i < net->slice_count; i++) {
		if (net->slices[i].size_bytes > largest)
			largest = net->slices[i].size_bytes;
		out->total_bytes += net->slices[i].size_bytes;
	}
	/* Twice MX_MODEL_LAYERS_MAX is a small number. */
	out->place_count = 2;
	while (out->place_count < (size_t)net->layer_count * 2)
		out->place_count *= 2;
	out->places = calloc(out->place_count, sizeof(*out->places));
	out->buffer_bytes =
		mx_size_round_up((size_t)largest, 2 * MX_WEIGHT_ALIGN_BYTES);
	out->buffer = aligned_alloc(MX_WEIGHT_ALIGN_BYTES, out->buffer_bytes);
	if (!out->places || !out->buffer)
		return mx_fail(err, ENOMEM,
			       "write %s: no memory for a slice of %" PRIu64
			       " bytes",
			       out->path, largest);
	return 0;
}

int mx_weights_write(struct mx_network *net, const struct mx_write_opts *opts,
		     int fd, const char *path, struct mx_err *err)
{
	struct out out = {
		.net = net,
		.opts = opts,
		.path = path,
		.fd = fd,
	};
	uint32_t i;
	int rc;

	rc = out_init(&out, err);
	for (i = 0; !rc && i < net->layer_count; i++)
		rc = write_layer(&out, i, err);
	if (!rc && fsync(fd) < 0)
		rc = out_fail(&out, err);
	net->weights_file_bytes = out.cursor;
	free(out.places);
	free(out.buffer);
	return rc;
}
