/*
 * Readers: bring ranges of weights files into memory, several at a time. Three
 * back ends with the same semantics, behind one table: "uring" (io_uring),
 * "threads" (the same calls on threads of its own) and "sync" (on the thread
 * that waits).
 *
 * A read either fills a buffer from a file (O_DIRECT descriptors want
 * MX_READ_ALIGN_BYTES alignment of offset, length and buffer; a read past the
 * end of the file is short) or, without a descriptor, populates a range of a
 * mapping (MADV_POPULATE_READ).
 *
 * Threads: one thread, the owner, submits and waits; any thread may wake it.
 */
#ifndef MX_PAGER_READER_H
#define MX_PAGER_READER_H

#include <stddef.h>
#include <stdint.h>

struct mx_err;
struct mx_log;
struct mx_reader;

#define MX_READ_ALIGN_BYTES 4096
#define MX_READS_MAX 64

struct mx_read {
	int fd; /* -1: populate */
	void *data; /* the buffer, or the mapped range */
	uint64_t offset_bytes; /* in the file */
	size_t size_bytes;
	void *tag; /* comes back with the completion */
};

struct mx_read_done {
	void *tag;
	/* Bytes read (size_bytes when populated; fewer at the end of the
	 * file), or -errno: -EIO and -EFAULT for bad storage. */
	int64_t result;
};

struct mx_reader_opts {
	/* "uring", "threads", "sync" or "auto": uring if this kernel and its
	 * rules allow it, else threads. */
	const char *io;
	uint32_t depth; /* reads in flight, 1 .. MX_READS_MAX */
	/* Memory that buffers will lie in; registered where that is possible,
	 * so that no read has to pin pages. (The pager registers none: one of
	 * huge and small pages is read page by page.) NULL: none. */
	void *memory;
	size_t memory_bytes;
	const struct mx_log *log; /* one line when auto falls back */
};

/*
 * mx_reader_close() ends it. Returns 0; -EINVAL for an unknown back end;
 * -ENOSYS if a back end that was named cannot be had (the message says why);
 * -ENOMEM or -errno.
 */
int mx_reader_open(struct mx_reader **out, const struct mx_reader_opts *opts,
		   struct mx_err *err);

/* Waits for what is in flight. NULL is fine. */
void mx_reader_close(struct mx_reader *reader);

/* The back end in use: "uring", "threads", "sync". */
const char *mx_reader_name(const struct mx_reader *reader);

/* Start a read. Returns 0, -EBUSY when `depth` are in flight, or -errno. */
int mx_reader_submit(struct mx_reader *reader, const struct mx_read *read);

/*
 * Wait for completions or a wake. Returns how many of @done[0 .. room) are
 * filled in, 0 after a wake, or -errno.
 */
int mx_reader_wait(struct mx_reader *reader, struct mx_read_done *done,
		   size_t room);

/* Make the present or next mx_reader_wait() return. */
void mx_reader_wake(struct mx_reader *reader);

#endif
