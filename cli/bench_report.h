/*
 * What bench prints, and how it compares with an earlier run.
 */
#ifndef MX_CLI_BENCH_REPORT_H
#define MX_CLI_BENCH_REPORT_H

#include <stddef.h>
#include <stdint.h>

struct mx_err;
struct mx_yaml;
struct mx_network;

enum mx_bench_format {
	MX_BENCH_TABLE,
	MX_BENCH_MARKDOWN,
	MX_BENCH_CSV,
	MX_BENCH_JSON,
};

/* Who brings weights in and drops them. */
enum mx_bench_paging {
	MX_BENCH_PLAN, /* the pager */
	MX_BENCH_MMAP, /* the kernel: a mapped file under a wall */
};

/* One network with one number of threads in one budget by one policy. */
struct mx_bench_point {
	const struct mx_network *net;
	char *network; /* heap */
	uint32_t threads;
	uint64_t budget_bytes; /* 0: none */
	const char *policy; /* one of mx_policy_at()'s */
	enum mx_bench_paging paging;
	int cold; /* each run without a weight in memory; else warmed up */
	uint32_t sample_count; /* at least 1 */
	uint64_t *samples_ns; /* heap */
	uint64_t *read_bytes; /* heap: of each sample */
	uint64_t major_faults; /* of all samples */
	uint64_t *layer_ns; /* heap, the mean of each layer; NULL: not asked */
};

struct mx_bench_report {
	struct mx_bench_point *points; /* heap */
	size_t point_count;
};

/* To standard output. Returns 0 or -ENOMEM. */
int mx_bench_report_print(const struct mx_bench_report *report,
			  enum mx_bench_format format, struct mx_err *err);

/*
 * Read what an earlier --json has printed, from @path. The caller ends it with
 * mx_yaml_free(). Returns 0; -EBADMSG if it is no such file; or as
 * mx_yaml_read().
 */
int mx_bench_baseline_read(struct mx_yaml **out, const char *path,
			   struct mx_err *err);

/*
 * Compare the medians with those of @baseline, matched by network, threads,
 * budget, policy, paging and state; a line for each on standard error.
 *
 * Returns 0; MX_EXIT_NEGATIVE if one is longer by more than the share
 * @max_regress, or was not in the baseline; -ENOMEM.
 */
int mx_bench_report_compare(const struct mx_bench_report *report,
			    const struct mx_yaml *baseline, double max_regress,
			    struct mx_err *err);

void mx_bench_report_fini(struct mx_bench_report *report);

#endif
