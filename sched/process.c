#include "sched/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_BYTES 8192
#define KIB 1024

/*
 * Measured (x86-64, Linux 6.18, cgroup v1): a worker's stack and kernel stack;
 * what the kernel charges for a process with a ring beside its pages, and the
 * heap that jobs take; and, since the kernel charges in batches of 64 pages a
 * CPU and a limit is felt early, what must be left free. Seven networks from 5
 * to 575 MB of weights ended 0.7-1.1 MiB below what this predicts.
 */
#define WORKER_BYTES ((uint64_t)96 * KIB)
#define KERNEL_BYTES ((uint64_t)384 * KIB)
#define BATCH_BYTES ((uint64_t)256 * KIB)
#define RESERVE_BYTES ((uint64_t)128 * KIB)

int mx_process_field(const char *text, const char *key, uint64_t *out)
{
	const size_t key_bytes = strlen(key);
	const char *line = text;

	while (line) {
		if (strncmp(line, key, key_bytes) == 0 &&
		    line[key_bytes] == ':') {
			*out = strtoull(line + key_bytes + 1, NULL, 10);
			return 0;
		}
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	return -ENOENT;
}

/* A field of a /proc file, 0 when there is none. */
static uint64_t field_of(const char *path, const char *key)
{
	char text[TEXT_BYTES];
	uint64_t value = 0;
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	if (mx_process_field(text, key, &value))
		return 0;
	return value;
}

uint64_t mx_process_read_bytes(void)
{
	return field_of("/proc/self/io", "read_bytes");
}

uint64_t mx_process_anonymous_bytes(void)
{
	return field_of("/proc/self/status", "RssAnon") * KIB;
}

uint64_t mx_process_fixed_bytes(uint32_t threads)
{
	const long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	return mx_process_anonymous_bytes() +
	       field_of("/proc/self/status", "VmPTE") * KIB +
	       threads * WORKER_BYTES + KERNEL_BYTES + RESERVE_BYTES +
	       (uint64_t)(cpus > 0 ? cpus : 1) * BATCH_BYTES;
}
