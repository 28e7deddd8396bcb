/*
 * What a memory cgroup has charged, for bench_io, which has it to itself.
 */
#ifndef MX_TESTS_IO_CHARGE_H
#define MX_TESTS_IO_CHARGE_H

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tests/io_cells.h"

/* The longest that giving back memory may take. */
#define REST_MS 5000

struct charge {
	/* -1: not known */
	int peak_fd;
	int usage_fd;
	double rest_bytes; /* before the first pass */
};

/* Begin a new peak. Returns 0 if that cannot be had: cgroup v2 before
 * Linux 6.12. */
static int restart_peak(const struct charge *charge)
{
	return charge->peak_fd >= 0 && pwrite(charge->peak_fd, "0", 1, 0) == 1;
}

/* The number in a cgroup's file. */
static double charge_value(int fd)
{
	char text[32] = "";

	if (fd < 0 || pread(fd, text, sizeof(text) - 1, 0) <= 0)
		return NAN;
	return strtod(text, NULL);
}

/* A ring's registered memory is given back some time after it is closed. */
static void await_rest(const struct charge *charge)
{
	const struct timespec millisecond = {0, 1000000};
	int i;

	for (i = 0; i < REST_MS; i++) {
		if (!(charge_value(charge->usage_fd) >
		      charge->rest_bytes + MEBI))
			return;
		nanosleep(&millisecond, NULL);
	}
	die("%.1f MiB are still charged after a pass",
	    (charge_value(charge->usage_fd) - charge->rest_bytes) / MEBI);
}

/* The first of two files that is there, v2's or v1's. -1: none. */
static int open_charge_file(const char *dir, const char *v2, const char *v1,
			    int flags)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, v2);
	fd = open(path, flags | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	snprintf(path, sizeof(path), "%s/%s", dir, v1);
	return open(path, flags | O_CLOEXEC);
}

static void open_charge(struct charge *charge, const char *dir)
{
	charge->usage_fd = open_charge_file(dir, "memory.current",
					    "memory.usage_in_bytes", O_RDONLY);
	if (charge->usage_fd < 0)
		die("%s: no memory cgroup", dir);
	charge->peak_fd = open_charge_file(dir, "memory.peak",
					   "memory.max_usage_in_bytes", O_RDWR);
}

#endif
