/*
 * Probe: a storage's bandwidth and latency, measured through the pager's
 * reader.
 *
 * Threads: the function keeps no state. What else reads from the storage is
 * measured along.
 */
#ifndef MX_SCHED_PROBE_H
#define MX_SCHED_PROBE_H

#include <stddef.h>
#include <stdint.h>

struct mx_err;
struct mx_log;
struct mx_storage;

struct mx_probe_opts {
	int fd; /* of the file to read, which is on the storage to measure */
	const char *io; /* as struct mx_reader_opts; NULL: auto */
	uint32_t depth; /* reads in flight; 0: the pager's default */
	size_t read_bytes; /* of each; 0: 1 MiB; else a multiple of 4096 */
	uint64_t limit_bytes; /* read about so much at most; 0: 128 MiB */
	uint64_t limit_ns; /* and no longer; 0: a second */
	const struct mx_log *log;
};

/*
 * Measure a storage by reading a file past the page cache: latency from single
 * reads of 4 KiB spread over it, bandwidth from its beginning on (and again if
 * it is short) with several reads in flight, their second half. Holds 32 MiB of
 * memory, or what the file takes, but at least depth * read_bytes. The file is
 * opened again through /proc/self/fd; where its file system knows no O_DIRECT
 * the page cache is measured, and that is logged.
 *
 * Returns 0; -EINVAL if the file is smaller than 64 KiB (nothing to measure);
 * what mx_reader_open() returns; -ENOMEM; -EIO; -errno.
 */
int mx_probe_storage(const struct mx_probe_opts *opts,
		     struct mx_storage *storage, struct mx_err *err);

#endif
