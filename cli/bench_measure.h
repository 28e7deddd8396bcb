/*
 * Measuring one point of a benchmark: a network with a number of threads, a
 * budget and a state, run again and again on the fixed pattern.
 */
#ifndef MX_CLI_BENCH_MEASURE_H
#define MX_CLI_BENCH_MEASURE_H

#include <stddef.h>

struct mx_bench_point;
struct mx_err;
struct mx_log;

struct mx_bench_opts {
	const char *io; /* as struct mx_engine_opts, and the next */
	unsigned flags;
	const struct mx_log *log;
};

/*
 * Fill in @point's samples, whose arrays are allocated. What is measured is
 * from the arrival to the end of a job; memory is set aside before.
 *
 * Returns 0; -EDQUOT if the budget is too small; -ENOSYS if paging is mmap and
 * no wall can be had, or no such I/O back end; what a job returns.
 */
int mx_bench_measure(struct mx_bench_point *point,
		     const struct mx_bench_opts *opts, struct mx_err *err);

#endif
