#include "pager/reader.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/log.h"
#include "pager/reader_impl.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

static const struct mx_reader_ops *const table[] = {
	&mx_reader_uring,
	&mx_reader_threads,
	&mx_reader_sync,
};

#define COUNT (sizeof(table) / sizeof(table[0]))

/*
 * Before 5.14 a range cannot be populated; touching it is the only way, and
 * what SIGBUS would say of a cut file has been asked before (the loader checks
 * sizes, and streaming does not map).
 */
static void touch(const volatile unsigned char *data, size_t size_bytes)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t at;

	for (at = 0; at < size_bytes; at += page)
		(void)data[at];
}

static int64_t populate(const struct mx_read *read)
{
	int rc;

	do
		rc = madvise(read->data, read->size_bytes, MADV_POPULATE_READ)
			     ? -errno
			     : 0;
	while (rc == -EINTR || rc == -EAGAIN);
	if (rc == -EINVAL) {
		touch(read->data, read->size_bytes);
		rc = 0;
	}
	return rc ? rc : (int64_t)read->size_bytes;
}

int64_t mx_read_now(const struct mx_read *read)
{
	size_t done = 0;
	ssize_t n;

	if (read->fd < 0)
		return populate(read);
	while (done < read->size_bytes) {
		n = pread(read->fd, (char *)read->data + done,
			  read->size_bytes - done,
			  (off_t)(read->offset_bytes + done));
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
		/* An O_DIRECT read that stops off a block has met the end. */
		if (done % 512)
			break;
	}
	return (int64_t)done;
}

int mx_reader_open(struct mx_reader **out, const struct mx_reader_opts *opts,
		   struct mx_err *err)
{
	struct mx_err why = {""};
	size_t i;
	int rc;

	assert(opts->depth >= 1 && opts->depth <= MX_READS_MAX);
	if (strcmp(opts->io, "auto") == 0) {
		rc = mx_reader_uring.open(out, opts, &why);
		if (rc != -ENOSYS) {
			if (rc)
				return mx_fail(err, -rc, "%s", why.text);
			return 0;
		}
		mx_log(opts->log, MX_LOG_WARNING,
		       "pager: %s; reading on threads instead", why.text);
		return mx_reader_threads.open(out, opts, err);
	}
	for (i = 0; i < COUNT; i++)
		if (strcmp(opts->io, table[i]->name) == 0)
			return table[i]->open(out, opts, err);
	return mx_fail(err, EINVAL, "no I/O back end '%s'", opts->io);
}

void mx_reader_close(struct mx_reader *reader)
{
	if (reader)
		reader->ops->close(reader);
}

const char *mx_reader_name(const struct mx_reader *reader)
{
	return reader->ops->name;
}

int mx_reader_submit(struct mx_reader *reader, const struct mx_read *read)
{
	int rc;

	if (reader->in_flight == reader->depth)
		return -EBUSY;
	rc = reader->ops->submit(reader, read);
	if (!rc)
		reader->in_flight++;
	return rc;
}

int mx_reader_wait(struct mx_reader *reader, struct mx_read_done *done,
		   size_t room)
{
	const int n = reader->ops->wait(reader, done, room);

	if (n > 0) {
		assert((uint32_t)n <= reader->in_flight);
		reader->in_flight -= (uint32_t)n;
	}
	return n;
}

void mx_reader_wake(struct mx_reader *reader)
{
	reader->ops->wake(reader);
}
