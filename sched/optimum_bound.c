/*
 * Bounds on the sum of ends, each of a problem that asks for less:
 *
 *   - one network alone with all the memory it wants reads its layers in order
 *     and computes each when it is there;
 *   - the storage alone: reading without computing. Shortest remaining first,
 *     with breaks allowed, makes as many networks ready by any time as any
 *     order can (Schrage, 1968), so that the k-th end is bounded for each k;
 *   - the processors alone, as one that is as fast as all together;
 *   - the memory alone: a layer takes its bytes for at least as long as it is
 *     read and computed, and the budget is what one machine does in a time.
 *
 * The k-th end is no less than the largest of the k-th bounds of each kind, and
 * the sum of the ends no less than the sum of these. (Ends are whole numbers,
 * and sums stay below 2^53, so that what rounding adds is cut off again.)
 */
#include "sched/optimum_impl.h"

#include <assert.h>
#include <string.h>

#include "lib/size.h"

#define NETS MX_INSTANCE_NETS_MAX

struct demand {
	uint64_t ready_ns;
	double work; /* in time of the machine */
};

/* What the networks that are not over still need. */
struct rest {
	struct demand load[NETS];
	struct demand exec[NETS];
	struct demand memory[NETS];
	uint64_t alone_ns[NETS]; /* the end, by itself */
	uint64_t tail_ns; /* of each: computing after its last LOAD */
	uint32_t count;
};

static void rest_of(struct rest *rest, const struct mx_search_state *state,
		    const struct mx_instance *instance, uint32_t index)
{
	const struct mx_instance_net *net = &instance->nets[index];
	const uint32_t at = rest->count++;
	const struct mx_instance_layer *layer;
	uint64_t io_ns, end_ns, load_ns = 0, exec_ns = 0, here_ns;
	double area = 0;
	uint32_t k;

	io_ns = mx_u64_max(state->io_ns, net->release_ns);
	end_ns = state->exec_ns[index];
	for (k = state->started[index]; k < net->layer_count; k++) {
		layer = &net->layers[k];
		exec_ns += layer->exec_ns;
		here_ns = layer->exec_ns;
		if (!(state->loaded[index] >> k & 1)) {
			load_ns += layer->load_ns;
			here_ns += layer->load_ns;
			end_ns = mx_u64_max(end_ns, io_ns + load_ns);
		} else if (layer->weight_bytes && state->load_net == index &&
			   state->load_layer == k) {
			end_ns = mx_u64_max(end_ns, state->io_ns);
		}
		end_ns += layer->exec_ns;
		area += (double)layer->weight_bytes * (double)here_ns +
			(double)layer->run_bytes * (double)layer->exec_ns;
	}
	rest->alone_ns[at] = end_ns;
	rest->load[at] = (struct demand){io_ns, (double)load_ns};
	rest->exec[at] = (struct demand){
		state->exec_ns[index], (double)exec_ns / instance->processors};
	rest->memory[at] =
		(struct demand){mx_u64_max(state->now_ns, net->release_ns),
				area / (double)instance->budget_bytes};
	if (load_ns)
		rest->tail_ns += net->layers[net->layer_count - 1].exec_ns;
}

/* The ends, one after the other, of @count demands on one machine, the
 * shortest remaining first. */
static void shortest_first(const struct demand *demands, uint32_t count,
			   double *ends)
{
	double left[NETS], now = 0, until, ready;
	uint32_t done = 0, i, best;

	for (i = 0; i < count; i++) {
		left[i] = demands[i].work;
		/* No demand at all has no end: 0 is before all others. */
		if (left[i] <= 0)
			ends[done++] = 0;
	}
	while (done < count) {
		best = count;
		until = 1e300;
		for (i = 0; i < count; i++) {
			if (left[i] <= 0)
				continue;
			ready = (double)demands[i].ready_ns;
			if (ready > now)
				until = ready < until ? ready : until;
			else if (best == count || left[i] < left[best])
				best = i;
		}
		if (best == count) {
			now = until;
		} else if (now + left[best] <= until) {
			now += left[best];
			left[best] = 0;
			ends[done++] = now;
		} else {
			left[best] -= until - now;
			now = until;
			/* Rounding may leave nothing of a little. */
			if (left[best] <= 0)
				ends[done++] = now;
		}
	}
}

static void sort(uint64_t *values, uint32_t count)
{
	uint64_t one;
	uint32_t i, k;

	for (i = 1; i < count; i++) {
		one = values[i];
		for (k = i; k && values[k - 1] > one; k--)
			values[k] = values[k - 1];
		values[k] = one;
	}
}

uint64_t mx_search_bound(const struct mx_search_state *state,
			 const struct mx_instance *instance)
{
	double load[NETS], exec[NETS], memory[NETS], most;
	double sum = 0, loads = 0;
	struct rest rest = {.count = 0};
	uint32_t i;

	for (i = 0; i < instance->net_count; i++)
		if (state->started[i] < instance->nets[i].layer_count)
			rest_of(&rest, state, instance, i);
	sort(rest.alone_ns, rest.count);
	shortest_first(rest.load, rest.count, load);
	shortest_first(rest.exec, rest.count, exec);
	shortest_first(rest.memory, rest.count, memory);
	for (i = 0; i < rest.count; i++) {
		most = (double)rest.alone_ns[i];
		most = load[i] > most ? load[i] : most;
		most = exec[i] > most ? exec[i] : most;
		most = memory[i] > most ? memory[i] : most;
		sum += most;
		loads += load[i];
	}
	loads += (double)rest.tail_ns;
	return state->done_ns + (uint64_t)(loads > sum ? loads : sum);
}
