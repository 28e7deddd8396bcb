/*
 * Reads with pread and not through the mapping: a file that was cut meanwhile
 * is then an error with an offset, not a SIGBUS.
 */
#include "loader/mxload.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lib/err.h"
#include "lib/log.h"
#include "loader/model_impl.h"

#define CHUNK_BYTES ((size_t)512 << 10)
/*
 * One WILLNEED reads at most the device's read-ahead and silently drops the
 * rest: 128 KiB is the smallest default there is.
 */
#define AHEAD_STEP_BYTES ((uint64_t)128 << 10)
#define AHEAD_BYTES ((uint64_t)4 << 20)

struct reader {
	const struct mx_network *net;
	const struct mx_verify_opts *opts;
	unsigned char *buffer; /* CHUNK_BYTES */
	uint64_t ahead_bytes; /* asked for up to here */
	uint64_t done_bytes;
	uint64_t total_bytes;
};

/* Keep the device busy while we hash. */
static void read_ahead(struct reader *r, uint64_t offset)
{
	const uint64_t file_bytes = r->net->weights_file_bytes;
	uint64_t end = offset + AHEAD_BYTES;

	if (end > file_bytes)
		end = file_bytes;
	if (r->ahead_bytes < offset)
		r->ahead_bytes = offset;
	for (; r->ahead_bytes < end; r->ahead_bytes += AHEAD_STEP_BYTES)
		(void)posix_fadvise(r->net->weights_fd, (off_t)r->ahead_bytes,
				    (off_t)AHEAD_STEP_BYTES,
				    POSIX_FADV_WILLNEED);
}

static int read_chunk(struct reader *r, uint64_t offset, size_t size,
		      struct mx_err *err)
{
	size_t used = 0;
	ssize_t got;

	while (used < size) {
		got = pread(r->net->weights_fd, r->buffer + used, size - used,
			    (off_t)(offset + used));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			/* The message has errno; to the caller any failure to
			 * read is one. */
			(void)mx_fail_errno(err, "%s: read weights at %" PRIu64,
					    r->net->name, offset + used);
			return -EIO;
		}
		if (got == 0)
			return mx_fail(err, EIO,
				       "%s: the weights end at %" PRIu64
				       ", inside a slice",
				       r->net->name, offset + used);
		used += (size_t)got;
	}
	return 0;
}

static int hash_slice(struct reader *r, const struct mx_slice *slice,
		      uint64_t *hash, struct mx_err *err)
{
	XXH3_state_t state;
	uint64_t pos;
	int rc;

	XXH3_INITSTATE(&state);
	(void)XXH3_64bits_reset(&state);
	for (pos = 0; pos < slice->size_bytes;) {
		const uint64_t left = slice->size_bytes - pos;
		const size_t size =
			left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES;

		read_ahead(r, slice->offset_bytes + pos);
		rc = read_chunk(r, slice->offset_bytes + pos, size, err);
		if (rc)
			return rc;
		(void)XXH3_64bits_update(&state, r->buffer, size);
		pos += size;
		r->done_bytes += size;
		if (r->opts->progress &&
		    r->opts->progress(r->opts->user, r->done_bytes,
				      r->total_bytes))
			return mx_fail(err, ECANCELED, "%s: verify was stopped",
				       r->net->name);
	}
	*hash = XXH3_64bits_digest(&state);
	(void)posix_fadvise(r->net->weights_fd, (off_t)slice->offset_bytes,
			    (off_t)slice->size_bytes, POSIX_FADV_DONTNEED);
	return 0;
}

static int verify_slices(struct reader *r, uint32_t *bad_count,
			 struct mx_err *err)
{
	const struct mx_network *net = r->net;
	uint64_t hash;
	uint32_t i;
	int rc;

	for (i = 0; i < net->slice_count; i++)
		r->total_bytes += net->slices[i].size_bytes;
	for (i = 0; i < net->slice_count; i++) {
		const struct mx_slice *slice = &net->slices[i];

		rc = hash_slice(r, slice, &hash, err);
		if (rc)
			return rc;
		if (hash == slice->hash)
			continue;
		++*bad_count;
		mx_log(r->opts->log, MX_LOG_ERROR,
		       "%s: layer %s, slice %" PRIu32 ": %" PRIu64
		       " bytes at offset %" PRIu64 " do not match their hash",
		       net->name, net->layers[slice->layer].name, i,
		       slice->size_bytes, slice->offset_bytes);
	}
	return 0;
}

int mx_model_verify(const struct mx_model *model,
		    const struct mx_verify_opts *opts, uint32_t *bad_count,
		    struct mx_err *err)
{
	static const struct mx_verify_opts no_opts;
	struct reader reader = {.opts = opts ? opts : &no_opts};
	uint32_t bad = 0;
	int rc;

	reader.net = &model->net;
	reader.buffer = malloc(CHUNK_BYTES);
	if (!reader.buffer)
		return mx_fail_errno(err, "%s: verify", reader.net->name);
	rc = verify_slices(&reader, &bad, err);
	free(reader.buffer);
	if (!rc)
		*bad_count = bad;
	return rc;
}
