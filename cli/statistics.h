/*
 * Mean, standard deviation and percentiles of a few measurements.
 */
#ifndef MX_CLI_STATISTICS_H
#define MX_CLI_STATISTICS_H

#include <stddef.h>
#include <stdint.h>

struct mx_statistics {
	double mean;
	double sd; /* of the sample: n - 1; 0 for one value */
	uint64_t min;
	uint64_t max;
	uint64_t p50; /* the median; between two values: their mean */
	uint64_t p95; /* linear between ranks */
	uint64_t p99;
};

/* Of @count (at least 1) values. Sorts @values. */
void mx_statistics_init(struct mx_statistics *stats, uint64_t *values,
			size_t count);

#endif
