#include "sched/foresight_order.h"

#include <stdlib.h>
#include <string.h>

/* An order has to be better by this share to replace the index's. */
#define WORTH 1e-6

static uint64_t alone_ns(const struct mx_wave_view *wave)
{
	return wave->read_ns > wave->compute_ns ? wave->read_ns
						: wave->compute_ns;
}

static double index_of(const struct mx_wave_view *wave)
{
	return (double)wave->arrival_ns / MX_FORESIGHT_AGEING +
	       (double)alone_ns(wave) / (wave->jobs ? wave->jobs : 1);
}

static int by_index(const void *a, const void *b)
{
	const struct mx_wave_view *x = a;
	const struct mx_wave_view *y = b;
	double left, right;

	if (x->blocked != y->blocked)
		return x->blocked - y->blocked;
	left = index_of(x);
	right = index_of(y);
	if (left != right)
		return left < right ? -1 : 1;
	if (x->arrival_ns != y->arrival_ns)
		return x->arrival_ns < y->arrival_ns ? -1 : 1;
	return 0;
}

static int is_overdue(const struct mx_wave_view *wave, uint64_t now_ns)
{
	return now_ns > wave->arrival_ns &&
	       (now_ns - wave->arrival_ns) / MX_FORESIGHT_AGEING >
		       alone_ns(wave);
}

/*
 * How much sooner the jobs of a wave finish, all together, than its last: each
 * by its computing sooner than the next, but none before the last read.
 */
static double spread(const struct mx_wave_view *wave, double after_read)
{
	const double each =
		wave->jobs ? (double)wave->compute_ns / wave->jobs : 0;
	double most = (double)(wave->jobs - 1) / 2 * each;

	if (wave->jobs < 2)
		return 0;
	if (wave->read_ns && most > after_read)
		most = after_read > 0 ? after_read : 0;
	return most * wave->jobs;
}

double mx_foresight_cost(const struct mx_wave_view *const *order, size_t count)
{
	double read = 0, compute = 0, last = 0, sum = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		const struct mx_wave_view *wave = order[i];
		double finish;

		read += (double)wave->read_ns;
		compute += (double)wave->compute_ns;
		finish = compute;
		if (wave->read_ns && read + (double)wave->tail_ns > finish)
			finish = read + (double)wave->tail_ns;
		/* The last layers of an earlier one come first. */
		if (finish < last && wave->compute_ns > wave->tail_ns)
			finish = last;
		if (finish > last)
			last = finish;
		sum += finish * wave->jobs - spread(wave, finish - read);
	}
	return sum;
}

struct trial {
	const struct mx_wave_view *order[MX_FORESIGHT_TRIED];
	const struct mx_wave_view *best[MX_FORESIGHT_TRIED];
	double best_cost;
	size_t count;
};

static void swap(struct trial *trial, size_t i, size_t k)
{
	const struct mx_wave_view *kept = trial->order[i];

	trial->order[i] = trial->order[k];
	trial->order[k] = kept;
}

/* All orders of what follows the first @fixed, in a fixed sequence. */
static void permute(struct trial *trial, size_t fixed)
{
	double cost;
	size_t i;

	if (fixed == trial->count) {
		cost = mx_foresight_cost(trial->order, trial->count);
		if (cost < trial->best_cost * (1 - WORTH)) {
			trial->best_cost = cost;
			memcpy(trial->best, trial->order, sizeof(trial->best));
		}
		return;
	}
	for (i = fixed; i < trial->count; i++) {
		swap(trial, fixed, i);
		permute(trial, fixed + 1);
		swap(trial, fixed, i);
	}
}

static void try_orders(struct mx_wave_view *waves, size_t count)
{
	struct mx_wave_view sorted[MX_FORESIGHT_TRIED];
	struct trial trial = {.count = count};
	size_t i;

	for (i = 0; i < count; i++)
		trial.order[i] = &waves[i];
	memcpy(trial.best, trial.order, sizeof(trial.best));
	trial.best_cost = mx_foresight_cost(trial.order, count);
	permute(&trial, 0);
	for (i = 0; i < count; i++)
		sorted[i] = *trial.best[i];
	memcpy(waves, sorted, count * sizeof(*waves));
}

void mx_foresight_order(struct mx_wave_view *waves, size_t count,
			uint64_t now_ns)
{
	size_t first = 0;
	size_t end;

	qsort(waves, count, sizeof(*waves), by_index);
	while (first < count && is_overdue(&waves[first], now_ns))
		first++;
	end = first;
	while (end < count && end - first < MX_FORESIGHT_TRIED &&
	       !waves[end].blocked && !is_overdue(&waves[end], now_ns))
		end++;
	if (end - first > 1)
		try_orders(waves + first, end - first);
}
