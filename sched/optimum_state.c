#include "sched/optimum_impl.h"

#include <string.h>

#include "lib/size.h"

void mx_search_begin(struct mx_search_state *state,
		     const struct mx_instance *instance)
{
	const struct mx_instance_net *net;
	uint32_t i, k;

	memset(state, 0, sizeof(*state));
	for (i = 0; i < instance->net_count; i++) {
		net = &instance->nets[i];
		state->exec_ns[i] = net->release_ns;
		for (k = 0; k < net->layer_count; k++)
			if (!net->layers[k].weight_bytes)
				state->loaded[i] |= (uint32_t)1 << k;
	}
}

static int is_running(const struct mx_search_state *state, uint32_t net,
		      uint64_t at_ns)
{
	return state->started[net] && state->exec_ns[net] > at_ns;
}

static uint64_t used_bytes(const struct mx_search_state *state,
			   const struct mx_instance *instance, uint64_t at_ns)
{
	uint64_t bytes = state->held_bytes;
	const struct mx_instance_layer *layer;
	uint32_t i;

	for (i = 0; i < instance->net_count; i++) {
		if (!state->started[i])
			continue;
		layer = &instance->nets[i].layers[state->started[i] - 1];
		bytes += is_running(state, i, at_ns)
				 ? layer->weight_bytes + layer->run_bytes
				 : layer->keep_bytes;
	}
	return bytes;
}

static uint32_t running_count(const struct mx_search_state *state,
			      uint32_t net_count, uint64_t at_ns)
{
	uint32_t count = 0, i;

	for (i = 0; i < net_count; i++)
		count += (uint32_t)is_running(state, i, at_ns);
	return count;
}

/* The next time after @at_ns at which an EXEC gives something back. */
static uint64_t next_end(const struct mx_search_state *state,
			 uint32_t net_count, uint64_t at_ns)
{
	uint64_t next = MX_TIME_NEVER;
	uint32_t i;

	for (i = 0; i < net_count; i++)
		if (is_running(state, i, at_ns) && state->exec_ns[i] < next)
			next = state->exec_ns[i];
	return next;
}

/* From @at_ns on: memory for @more_bytes, @processors free for one more. */
static uint64_t when_room(const struct mx_search_state *state,
			  const struct mx_instance *instance, uint64_t at_ns,
			  uint64_t more_bytes, uint32_t processors)
{
	while (at_ns != MX_TIME_NEVER &&
	       (used_bytes(state, instance, at_ns) + more_bytes >
			instance->budget_bytes ||
		running_count(state, instance->net_count, at_ns) >= processors))
		at_ns = next_end(state, instance->net_count, at_ns);
	return at_ns;
}

uint64_t mx_search_start(const struct mx_search_state *state,
			 const struct mx_instance *instance,
			 struct mx_search_task task)
{
	const struct mx_instance_net *net = &instance->nets[task.net];
	const struct mx_instance_layer *layer = &net->layers[task.layer];
	uint64_t at_ns, more_bytes = layer->run_bytes;

	at_ns = mx_u64_max(state->now_ns, net->release_ns);
	if (task.is_load)
		return when_room(state, instance,
				 mx_u64_max(at_ns, state->io_ns),
				 layer->weight_bytes, UINT32_MAX);
	if (!(state->loaded[task.net] >> task.layer & 1))
		return MX_TIME_NEVER;
	at_ns = mx_u64_max(at_ns, state->exec_ns[task.net]);
	if (layer->weight_bytes && state->load_net == task.net &&
	    state->load_layer == task.layer)
		at_ns = mx_u64_max(at_ns, state->io_ns);
	if (task.layer)
		more_bytes -= layer[-1].keep_bytes;
	return when_room(state, instance, at_ns, more_bytes,
			 instance->processors);
}

void mx_search_append(struct mx_search_state *state,
		      const struct mx_instance *instance,
		      struct mx_search_task task, uint64_t start_ns)
{
	const struct mx_instance_net *net = &instance->nets[task.net];
	const struct mx_instance_layer *layer = &net->layers[task.layer];
	uint32_t i;

	state->now_ns = start_ns;
	if (task.is_load) {
		state->io_ns = start_ns + layer->load_ns;
		state->loaded[task.net] |= (uint32_t)1 << task.layer;
		state->held_bytes += layer->weight_bytes;
		state->load_net = task.net;
		state->load_layer = task.layer;
	} else {
		state->exec_ns[task.net] = start_ns + layer->exec_ns;
		state->started[task.net]++;
		state->held_bytes -= layer->weight_bytes;
		if (state->started[task.net] == net->layer_count)
			state->done_ns += state->exec_ns[task.net];
	}
	state->io_ns = mx_u64_max(state->io_ns, start_ns);
	for (i = 0; i < instance->net_count; i++)
		state->exec_ns[i] = mx_u64_max(state->exec_ns[i], start_ns);
}

int mx_search_dominates(const struct mx_search_state *a,
			const struct mx_search_state *b, uint32_t net_count)
{
	uint32_t i;

	if (a->now_ns > b->now_ns || a->io_ns > b->io_ns ||
	    a->done_ns > b->done_ns)
		return 0;
	for (i = 0; i < net_count; i++)
		if (a->exec_ns[i] > b->exec_ns[i])
			return 0;
	/* a's last LOAD is over before b does anything more, or is the same
	 * as b's, and over no later. */
	return a->io_ns <= b->now_ns ||
	       (a->load_net == b->load_net && a->load_layer == b->load_layer);
}
