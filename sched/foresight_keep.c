/*
 * What foresight keeps when nobody waits for it: all units of all networks in
 * one order, the most worth keeping first.
 *
 * Every kept byte saves reading a byte at its network's next arrival,
 * whichever it is; what differs is who gains. Short jobs go first, so that
 * what a short network need not read is gained by all that come after it:
 * networks go by their time to read. Within one, units with the least
 * computing for their bytes come first (those that stream then hide behind
 * their own computing), spread evenly among equals, as FlexInfer (2025) found
 * best, so that what streams never comes in a lump.
 */
#include "sched/foresight_impl.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/size.h"
#include "sched/worth.h"

/*
 * The ring: how much is read ahead before what is worth keeping has to go. Two
 * of the largest units keep reading and computing apart; what more there is
 * has to be read again in every pass, and takes a part of STREAM_SHARE of what
 * a pass has to read anyway: deep enough that reads in flight and units being
 * computed do not wait for each other, up to eight units and an eighth of the
 * memory. Admitting a job must leave it to those before.
 */
#define RING_LEAST 2
#define RING_UNITS 8
#define RING_SHARE 8
#define STREAM_SHARE 64

struct keep {
	struct mx_wave_net *net;
	uint32_t unit;
	uint32_t intensity; /* log2 of computing for its bytes */
	uint32_t spread; /* its index, bits reversed */
};

/* In steps of a factor of two from a nanosecond for a MiB on. */
static uint32_t intensity(uint64_t ns, uint64_t bytes)
{
	return mx_worth_log2(ns * 1024 / (bytes / 1024 + 1));
}

static int by_worth(const void *a, const void *b)
{
	const struct keep *x = a;
	const struct keep *y = b;

	if (x->net != y->net) {
		if (x->net->net->read_ns != y->net->net->read_ns)
			return x->net->net->read_ns < y->net->net->read_ns ? -1
									   : 1;
		return x->net->index < y->net->index ? -1 : 1;
	}
	if (x->intensity != y->intensity)
		return x->intensity < y->intensity ? -1 : 1;
	return x->spread < y->spread ? -1 : 1;
}

static void list(struct mx_wave_net *net, struct keep *out)
{
	const struct mx_board_net *of = net->net;
	uint32_t i;

	for (i = 0; i < of->unit_count; i++)
		out[i] = (struct keep){
			.net = net,
			.unit = i,
			.spread = mx_worth_spread(i),
		};
	for (i = 0; i < of->step_count; i++)
		if (of->steps[i].unit != MX_STEP_NONE)
			out[of->steps[i].unit].intensity +=
				(uint32_t)(of->steps[i].ns >> 10);
	/* So far microseconds; now for their bytes. */
	for (i = 0; i < of->unit_count; i++)
		out[i].intensity = intensity((uint64_t)out[i].intensity << 10,
					     of->units[i].size_bytes);
}

int mx_keep_order(struct mx_foresight *fs)
{
	uint64_t before = 0;
	struct keep *order;
	size_t count = 0;
	size_t i;

	for (i = 0; i < fs->net_count; i++)
		count += fs->nets[i].net->unit_count;
	order = calloc(count + 1, sizeof(*order));
	if (!order)
		return -ENOMEM;
	count = 0;
	for (i = 0; i < fs->net_count; i++) {
		list(&fs->nets[i], order + count);
		count += fs->nets[i].net->unit_count;
	}
	qsort(order, count, sizeof(*order), by_worth);
	for (i = 0; i < count; i++) {
		order[i].net->keep_before[order[i].unit] = before;
		before += order[i].net->net->units[order[i].unit].size_bytes;
	}
	free(order);
	return 0;
}

/*
 * What a job and the ring behind it take at most, in any of its layers: where
 * activations are large there may be few weights to read ahead, and late,
 * weight-heavy layers have small ones.
 */
static uint64_t taken(const struct mx_foresight *fs, uint64_t ring_bytes)
{
	uint64_t most = 0;
	uint32_t i, k;

	for (i = 0; i < fs->net_count; i++) {
		const struct mx_wave_net *net = &fs->nets[i];
		const uint64_t end = net->bytes_before[net->net->unit_count];

		for (k = 0; k < net->net->layer_count; k++) {
			const struct mx_board_layer *layer =
				&net->net->layers[k];
			const uint64_t left =
				end - net->bytes_before[mx_wave_unit_at(
					      net, layer->first_step)];

			most = mx_u64_max(most,
					  layer->arena_bytes +
						  mx_u64_min(left, ring_bytes));
		}
	}
	return most;
}

static uint64_t rest(uint64_t of, uint64_t bytes)
{
	return of > bytes ? of - bytes : 0;
}

void mx_keep_share(struct mx_foresight *fs)
{
	uint64_t unit = 0;
	uint64_t weights = 0;
	uint64_t kept, most;
	uint32_t i, k;

	if (fs->memory_bytes == MX_RESIDENCY_UNLIMITED) {
		fs->ring_bytes = UINT64_MAX;
		fs->keep_bytes = UINT64_MAX;
		return;
	}
	for (i = 0; i < fs->net_count; i++) {
		const struct mx_board_net *net = fs->nets[i].net;

		weights += fs->nets[i].bytes_before[net->unit_count];
		for (k = 0; k < net->unit_count; k++)
			unit = mx_u64_max(unit, net->units[k].size_bytes);
	}
	most = mx_u64_min(fs->memory_bytes / RING_SHARE, RING_UNITS * unit);
	kept = rest(fs->memory_bytes, taken(fs, RING_LEAST * unit));
	fs->ring_bytes = RING_LEAST * unit + rest(weights, kept) / STREAM_SHARE;
	fs->ring_bytes = mx_u64_min(fs->ring_bytes, most);
	fs->ring_bytes = mx_u64_max(fs->ring_bytes, RING_LEAST * unit);
	fs->keep_bytes = rest(fs->memory_bytes, taken(fs, fs->ring_bytes));
}
