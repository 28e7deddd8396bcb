/*
 * The "uring" back end. One thread owns the ring. A read of an eventfd stays
 * queued in the ring, so that another thread can end a wait.
 *
 * Invariants: every op in ops[] is either free (on the free list) or in
 * flight; the eventfd's read is always in flight between open and close.
 */
#include "pager/reader_impl.h"

#include <assert.h>
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/log.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

struct op {
	struct mx_read read;
	size_t done_bytes;
	struct op *next; /* free */
};

struct ring {
	struct mx_reader base;
	struct io_uring uring;
	int uring_is_open;
	int event_fd;
	uint64_t event_value;
	int fixed; /* the memory is registered */
	unsigned char *memory;
	size_t memory_bytes;
	struct op ops[MX_READS_MAX];
	struct op *free_ops;
};

static int has_opcode(const struct io_uring_probe *probe, int opcode)
{
	return io_uring_opcode_supported(probe, opcode);
}

static int probe_opcodes(struct ring *ring, struct mx_err *err)
{
	struct io_uring_probe *probe;
	int good;

	probe = io_uring_get_probe_ring(&ring->uring);
	if (!probe)
		return mx_fail(err, ENOSYS, "io_uring cannot be probed");
	good = has_opcode(probe, IORING_OP_READ) &&
	       has_opcode(probe, IORING_OP_READ_FIXED) &&
	       has_opcode(probe, IORING_OP_MADVISE);
	io_uring_free_probe(probe);
	if (!good)
		return mx_fail(err, ENOSYS,
			       "this kernel's io_uring lacks READ or MADVISE");
	return 0;
}

static int in_memory(const struct ring *ring, const struct mx_read *read)
{
	const unsigned char *data = read->data;

	return ring->fixed && data >= ring->memory &&
	       data + read->size_bytes <= ring->memory + ring->memory_bytes;
}

static void prepare(struct ring *ring, struct io_uring_sqe *sqe, struct op *op)
{
	const struct mx_read *read = &op->read;
	unsigned char *data = (unsigned char *)read->data + op->done_bytes;
	const size_t left = read->size_bytes - op->done_bytes;
	const uint64_t offset = read->offset_bytes + op->done_bytes;

	assert(left <= UINT32_MAX);
	if (read->fd < 0)
		io_uring_prep_madvise(sqe, data, (off_t)left,
				      MADV_POPULATE_READ);
	else if (in_memory(ring, read))
		io_uring_prep_read_fixed(sqe, read->fd, data, (unsigned)left,
					 offset, 0);
	else
		io_uring_prep_read(sqe, read->fd, data, (unsigned)left, offset);
	io_uring_sqe_set_data(sqe, op);
}

static int push(struct ring *ring)
{
	int rc;

	do
		rc = io_uring_submit(&ring->uring);
	while (rc == -EINTR || rc == -EAGAIN || rc == -EBUSY);
	return rc < 0 ? rc : 0;
}

static int start(struct ring *ring, struct op *op)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);

	if (!sqe)
		return -EBUSY;
	prepare(ring, sqe, op);
	return push(ring);
}

static int listen_for_wakes(struct ring *ring)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);

	if (!sqe)
		return -EBUSY;
	io_uring_prep_read(sqe, ring->event_fd, &ring->event_value,
			   sizeof(ring->event_value), 0);
	io_uring_sqe_set_data(sqe, NULL);
	return push(ring);
}

/* -errno of io_uring_queue_init() in words, and what to do about it. */
static int refuse(int rc, struct mx_err *err)
{
	switch (rc) {
	case -ENOSYS:
		return mx_fail(err, ENOSYS, "this kernel has no io_uring");
	case -EPERM:
	case -EACCES:
		return mx_fail(err, ENOSYS,
			       "io_uring is forbidden (see sysctl "
			       "kernel.io_uring_disabled, or seccomp)");
	case -ENOMEM:
		return mx_fail(
			err, ENOSYS,
			"io_uring may not lock memory (raise ulimit -l)");
	default:
		return mx_fail(err, ENOSYS, "io_uring does not start: %s",
			       strerror(-rc));
	}
}

static void register_memory(struct ring *ring,
			    const struct mx_reader_opts *opts)
{
	struct iovec whole = {opts->memory, opts->memory_bytes};

	if (!opts->memory)
		return;
	/* Refused beyond ulimit -l, or above 1 GiB: then reads pin the pages
	 * themselves, which costs time and nothing else. */
	if (io_uring_register_buffers(&ring->uring, &whole, 1) == 0) {
		ring->fixed = 1;
		ring->memory = opts->memory;
		ring->memory_bytes = opts->memory_bytes;
	} else {
		mx_log(opts->log, MX_LOG_DEBUG,
		       "pager: buffers cannot be registered");
	}
}

static void uring_close(struct mx_reader *reader)
{
	struct ring *ring = (struct ring *)reader;
	struct mx_read_done done[MX_READS_MAX];

	while (ring->base.in_flight > 0)
		if (mx_reader_wait(reader, done, MX_READS_MAX) < 0)
			break;
	if (ring->uring_is_open)
		io_uring_queue_exit(&ring->uring);
	if (ring->event_fd >= 0)
		close(ring->event_fd);
	free(ring);
}

static int uring_open(struct mx_reader **out, const struct mx_reader_opts *opts,
		      struct mx_err *err)
{
	struct ring *ring;
	uint32_t i;
	int rc;

	ring = calloc(1, sizeof(*ring));
	if (!ring)
		return mx_fail(err, ENOMEM, "no memory for a reader");
	ring->base.ops = &mx_reader_uring;
	ring->base.depth = opts->depth;
	for (i = 0; i < MX_READS_MAX; i++) {
		ring->ops[i].next = ring->free_ops;
		ring->free_ops = &ring->ops[i];
	}
	ring->event_fd = eventfd(0, EFD_CLOEXEC);
	if (ring->event_fd < 0) {
		rc = mx_fail_errno(err, "eventfd");
		goto fail;
	}
	/* One entry more, for the eventfd. */
	rc = io_uring_queue_init(opts->depth + 1, &ring->uring, 0);
	if (rc < 0) {
		rc = refuse(rc, err);
		goto fail;
	}
	ring->uring_is_open = 1;
	rc = probe_opcodes(ring, err);
	if (rc)
		goto fail;
	register_memory(ring, opts);
	rc = listen_for_wakes(ring);
	if (rc) {
		rc = mx_fail(err, -rc, "io_uring: %s", strerror(-rc));
		goto fail;
	}
	*out = &ring->base;
	return 0;

fail:
	uring_close(&ring->base);
	return rc;
}

static int uring_submit(struct mx_reader *reader, const struct mx_read *read)
{
	struct ring *ring = (struct ring *)reader;
	struct op *op = ring->free_ops;
	int rc;

	assert(op);
	op->read = *read;
	op->done_bytes = 0;
	rc = start(ring, op);
	if (!rc)
		ring->free_ops = op->next;
	return rc;
}

/*
 * One completion. Returns 1 when its read has ended and *@done is filled in,
 * 0 when it goes on (retried, or a short read continued).
 */
static int take(struct ring *ring, struct op *op, int res,
		struct mx_read_done *done)
{
	done->tag = op->read.tag;
	done->result = res;
	if (res == -EINTR || res == -EAGAIN) {
		if (start(ring, op) == 0)
			return 0;
	} else if (op->read.fd < 0 && res == -EINVAL) {
		/* A kernel before 5.14. */
		done->result = mx_read_now(&op->read);
	} else if (op->read.fd < 0 && res == 0) {
		done->result = (int64_t)op->read.size_bytes;
	} else if (res > 0) {
		op->done_bytes += (size_t)res;
		done->result = (int64_t)op->done_bytes;
		if (op->done_bytes < op->read.size_bytes &&
		    op->done_bytes % 512 == 0 && start(ring, op) == 0)
			return 0;
	} else if (res == 0) {
		done->result = (int64_t)op->done_bytes;
	}
	op->next = ring->free_ops;
	ring->free_ops = op;
	return 1;
}

static int uring_wait(struct mx_reader *reader, struct mx_read_done *done,
		      size_t room)
{
	struct ring *ring = (struct ring *)reader;
	struct io_uring_cqe *cqe;
	int count = 0;
	int woken = 0;
	int rc;

	do {
		rc = io_uring_wait_cqe(&ring->uring, &cqe);
		if (rc == -EINTR || rc == -EAGAIN)
			continue;
		if (rc < 0)
			return rc;
		while ((size_t)count < room &&
		       io_uring_peek_cqe(&ring->uring, &cqe) == 0) {
			struct op *op = io_uring_cqe_get_data(cqe);
			const int res = cqe->res;

			io_uring_cqe_seen(&ring->uring, cqe);
			if (op) {
				count += take(ring, op, res, &done[count]);
				continue;
			}
			woken = 1;
			rc = listen_for_wakes(ring);
			if (rc)
				return rc;
		}
	} while (count == 0 && !woken);
	return count;
}

static void uring_wake(struct mx_reader *reader)
{
	struct ring *ring = (struct ring *)reader;
	const uint64_t one = 1;
	ssize_t n;

	do
		n = write(ring->event_fd, &one, sizeof(one));
	while (n < 0 && errno == EINTR);
}

const struct mx_reader_ops mx_reader_uring = {
	.name = "uring",
	.open = uring_open,
	.close = uring_close,
	.submit = uring_submit,
	.wait = uring_wait,
	.wake = uring_wake,
};
