#include "sched/probe.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/log.h"
#include "lib/size.h"
#include "pager/pager.h"
#include "pager/reader.h"
#include "pager/slab.h"
#include "sched/clock.h"
#include "sched/cost.h"

#define READ_BYTES ((size_t)1 << 20)
#define LIMIT_BYTES ((uint64_t)128 << 20)
/* A run reads each byte to another place, and so does the probe: what lands in
 * a processor's cache again and again is faster (a virtual disk's reads are
 * copies, by 15 %). */
#define MEMORY_BYTES ((size_t)32 << 20)
#define LIMIT_NS 1000000000u
#define LEAST_BYTES ((uint64_t)64 << 10)
#define LATENCY_READS 9
#define NS_PER_S 1e9

struct probe {
	struct mx_reader *reader;
	unsigned char *memory; /* slots * read_bytes */
	uint32_t slots; /* at least depth; used in turn */
	uint32_t next_slot;
	int fd;
	uint64_t file_bytes;
	uint32_t depth;
	size_t read_bytes;
};

/* A descriptor past the page cache, if that can be. */
static int open_file(struct probe *probe, const struct mx_probe_opts *opts,
		     struct mx_err *err)
{
	struct stat st;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", opts->fd);
	probe->fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECT);
	if (probe->fd < 0 && errno == EINVAL) {
		mx_log(opts->log, MX_LOG_WARNING,
		       "probe: this file system cannot read past the page "
		       "cache; its speed is the cache's");
		probe->fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (probe->fd < 0)
		return mx_fail_errno(err, "cannot open the file to measure");
	if (fstat(probe->fd, &st) < 0)
		return mx_fail_errno(err, "cannot stat the file to measure");
	/* Whole pages, so that no read is short. */
	probe->file_bytes = (uint64_t)st.st_size / MX_READ_ALIGN_BYTES *
			    MX_READ_ALIGN_BYTES;
	if (probe->file_bytes < LEAST_BYTES)
		return mx_fail(err, EINVAL,
			       "a file of %lld bytes is too small to measure "
			       "its storage",
			       (long long)st.st_size);
	return 0;
}

/* Start reading into the next slot. (One that is still being read into, when
 * all others have been, may be: nobody looks at what comes.) */
static int submit(struct probe *probe, uint64_t offset, size_t size)
{
	const struct mx_read read = {
		.fd = probe->fd,
		.data = probe->memory + probe->next_slot * probe->read_bytes,
		.offset_bytes = offset,
		.size_bytes = size,
	};

	probe->next_slot = (probe->next_slot + 1) % probe->slots;
	return mx_reader_submit(probe->reader, &read);
}

/* Wait until some have come. Returns how many, or -errno. */
static int wait_some(struct probe *probe, struct mx_read_done *done)
{
	int count;
	int i;

	do
		count = mx_reader_wait(probe->reader, done, MX_READS_MAX);
	while (count == 0);
	for (i = 0; i < count; i++)
		if (done[i].result <= 0)
			return done[i].result ? (int)done[i].result : -EIO;
	return count;
}

static int say_failed(int status, struct mx_err *err)
{
	return mx_fail(err, -status, "cannot read the file to measure: %s",
		       strerror(-status));
}

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a;
	const uint64_t y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The median of single small reads, from all over the file. */
static int measure_latency(struct probe *probe, uint64_t *out,
			   struct mx_err *err)
{
	struct mx_read_done done[MX_READS_MAX];
	uint64_t took[LATENCY_READS];
	uint64_t begin;
	uint32_t i;
	int rc;

	for (i = 0; i < LATENCY_READS; i++) {
		const uint64_t at = probe->file_bytes / LATENCY_READS * i /
				    MX_READ_ALIGN_BYTES * MX_READ_ALIGN_BYTES;

		begin = mx_clock_ns();
		rc = submit(probe, at, MX_READ_ALIGN_BYTES);
		if (!rc)
			rc = wait_some(probe, done);
		if (rc < 0)
			return say_failed(rc, err);
		took[i] = mx_clock_ns() - begin;
	}
	qsort(took, LATENCY_READS, sizeof(took[0]), compare);
	*out = took[LATENCY_READS / 2];
	return 0;
}

struct stream {
	uint64_t next; /* in the file */
	uint64_t left_bytes; /* to begin reading */
	uint64_t until_ns; /* begin none after that */
	uint64_t *at_ns; /* when each read had come */
	uint64_t *sum_bytes; /* and what had come by then */
	size_t count;
	uint64_t begin_ns;
};

/* Begin the next read. A file that ends too soon is read again. */
static int start(struct probe *probe, struct stream *stream)
{
	uint64_t size = probe->read_bytes;
	int rc;

	if (stream->next == probe->file_bytes)
		stream->next = 0;
	if (size > probe->file_bytes - stream->next)
		size = probe->file_bytes - stream->next;
	rc = submit(probe, stream->next, (size_t)size);
	stream->next += size;
	stream->left_bytes -=
		size < stream->left_bytes ? size : stream->left_bytes;
	return rc;
}

static void note(struct stream *stream, const struct mx_read_done *done)
{
	const size_t i = stream->count++;

	stream->at_ns[i] = mx_clock_ns();
	stream->sum_bytes[i] =
		(i ? stream->sum_bytes[i - 1] : 0) + (uint64_t)done->result;
}

static int run_stream(struct probe *probe, struct stream *stream, size_t room)
{
	struct mx_read_done done[MX_READS_MAX];
	uint32_t in_flight = 0;
	int n, i;
	int rc = 0;

	for (; in_flight < probe->depth && stream->left_bytes && !rc;
	     in_flight++)
		rc = start(probe, stream);
	while (in_flight && !rc) {
		n = wait_some(probe, done);
		if (n < 0)
			return n;
		for (i = 0; i < n && !rc; i++) {
			in_flight--;
			note(stream, &done[i]);
			if (stream->left_bytes == 0 ||
			    stream->count + in_flight + 1 > room ||
			    mx_clock_ns() >= stream->until_ns)
				continue;
			in_flight++;
			rc = start(probe, stream);
		}
	}
	return rc;
}

/*
 * The rate of the second half of the reads: the first ones include latencies,
 * and what a throttle or a drive's own memory grants at once.
 */
static uint64_t rate_of(const struct stream *stream)
{
	const size_t last = stream->count - 1;
	const size_t half = last / 2;
	uint64_t bytes = stream->sum_bytes[last];
	uint64_t ns = stream->at_ns[last] - stream->begin_ns;
	double rate;

	if (half > 0) {
		bytes -= stream->sum_bytes[half];
		ns = stream->at_ns[last] - stream->at_ns[half];
	}
	rate = (double)bytes * NS_PER_S / (double)(ns ? ns : 1);
	return rate < 1 ? 1 : (uint64_t)rate;
}

static int measure_rate(struct probe *probe, const struct mx_probe_opts *opts,
			uint64_t *rate, struct mx_err *err)
{
	const uint64_t bytes =
		opts->limit_bytes ? opts->limit_bytes : LIMIT_BYTES;
	const uint64_t ns = opts->limit_ns ? opts->limit_ns : LIMIT_NS;
	/* The ends of the file make some reads shorter. */
	const size_t room = (size_t)(bytes / probe->read_bytes +
				     bytes / probe->file_bytes + 2);
	struct stream stream = {.left_bytes = bytes};
	int rc;

	stream.at_ns = calloc(room, sizeof(*stream.at_ns));
	stream.sum_bytes = calloc(room, sizeof(*stream.sum_bytes));
	if (!stream.at_ns || !stream.sum_bytes) {
		rc = mx_fail(err, ENOMEM, "no memory to measure a storage");
		goto done;
	}
	stream.begin_ns = mx_clock_ns();
	stream.until_ns = stream.begin_ns + ns;
	rc = run_stream(probe, &stream, room);
	if (rc)
		rc = say_failed(rc, err);
	else
		*rate = rate_of(&stream);

done:
	free(stream.at_ns);
	free(stream.sum_bytes);
	return rc;
}

static uint32_t slot_count(const struct probe *probe)
{
	const uint64_t bytes =
		mx_u64_min(MEMORY_BYTES, probe->file_bytes + probe->read_bytes);

	return (uint32_t)mx_u64_max(probe->depth, bytes / probe->read_bytes);
}

int mx_probe_storage(const struct mx_probe_opts *opts,
		     struct mx_storage *storage, struct mx_err *err)
{
	struct probe probe = {
		.fd = -1,
		.depth = opts->depth ? opts->depth : MX_PAGER_DEPTH_DEFAULT,
		.read_bytes = opts->read_bytes ? opts->read_bytes : READ_BYTES,
	};
	struct mx_storage found = {.origin = MX_COST_MEASURED};
	struct mx_slab slab = {.memory = NULL};
	struct mx_reader_opts reader = {
		.io = opts->io ? opts->io : "auto",
		.depth = probe.depth,
		.log = opts->log,
	};
	int rc;

	assert(probe.read_bytes % MX_READ_ALIGN_BYTES == 0);
	rc = open_file(&probe, opts, err);
	if (rc)
		goto done;
	probe.slots = slot_count(&probe);
	/* The pager's kind of memory, which decides what a fast disk gives. */
	rc = mx_slab_init(&slab, probe.slots * probe.read_bytes, err);
	if (rc)
		goto done;
	probe.memory = slab.memory;
	rc = mx_reader_open(&probe.reader, &reader, err);
	if (!rc)
		rc = measure_latency(&probe, &found.latency_ns, err);
	if (!rc)
		rc = measure_rate(&probe, opts, &found.read_bytes_per_s, err);
	if (!rc)
		*storage = found;

done:
	mx_reader_close(probe.reader);
	mx_slab_fini(&slab);
	if (probe.fd >= 0)
		(void)close(probe.fd);
	return rc;
}
