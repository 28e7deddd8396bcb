#include "cli/statistics.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

static int compare(const void *left, const void *right)
{
	const uint64_t a = *(const uint64_t *)left;
	const uint64_t b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

static uint64_t percentile(const uint64_t *sorted, size_t count, double share)
{
	const double rank = share * (double)(count - 1);
	const size_t below = (size_t)rank;
	const double part = rank - (double)below;
	double low, high;

	if (below + 1 >= count)
		return sorted[count - 1];
	low = (double)sorted[below];
	high = (double)sorted[below + 1];
	return (uint64_t)llround(low + part * (high - low));
}

void mx_statistics_init(struct mx_statistics *stats, uint64_t *values,
			size_t count)
{
	double sum = 0, square = 0, off;
	size_t i;

	assert(count);
	qsort(values, count, sizeof(*values), compare);
	for (i = 0; i < count; i++)
		sum += (double)values[i];
	stats->mean = sum / (double)count;
	for (i = 0; i < count; i++) {
		off = (double)values[i] - stats->mean;
		square += off * off;
	}
	stats->sd = count > 1 ? sqrt(square / (double)(count - 1)) : 0;
	stats->min = values[0];
	stats->max = values[count - 1];
	stats->p50 = percentile(values, count, 0.50);
	stats->p95 = percentile(values, count, 0.95);
	stats->p99 = percentile(values, count, 0.99);
}
