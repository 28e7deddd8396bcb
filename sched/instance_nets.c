/*
 * Real networks have thousands of steps. What stands for them has as few as
 * asked for: of all neighbours those are joined that take the least together,
 * so that what is left is as even as can be. What is joined is in memory as a
 * whole, so that there is a limit to it: a small share of the memory if that
 * will do, else a larger one.
 */
#include "sched/instance.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/err.h"
#include "lib/size.h"
#include "pager/residency.h"

/* Shares of the memory: the smallest that will do, by halves up to all. */
#define SHARE_FIRST 16

/* A layer in the making. */
struct piece {
	struct mx_instance_layer layer;
	uint32_t net;
	uint32_t unit; /* its last; MX_STEP_NONE: none */
	uint32_t next; /* in the network's chain, or NONE */
};

#define NONE UINT32_MAX

struct joiner {
	const struct mx_board_net *nets;
	uint32_t net_count;
	uint64_t memory_bytes;
	uint64_t arena_bytes; /* the largest */
	struct piece *pieces; /* each network's in a row, joined ones left out
			       */
	uint32_t first[MX_INSTANCE_NETS_MAX];
	uint32_t count[MX_INSTANCE_NETS_MAX];
};

static uint32_t task_count(const struct joiner *joiner)
{
	uint32_t count = 0, i, at;

	for (i = 0; i < joiner->net_count; i++)
		for (at = joiner->first[i]; at != NONE;
		     at = joiner->pieces[at].next)
			count += joiner->pieces[at].layer.weight_bytes ? 2 : 1;
	return count;
}

/* Take the piece behind @at into it. */
static void join(struct joiner *joiner, uint32_t at)
{
	struct piece *piece = &joiner->pieces[at];
	const struct piece *gone = &joiner->pieces[piece->next];

	piece->layer.load_ns += gone->layer.load_ns;
	piece->layer.exec_ns += gone->layer.exec_ns;
	piece->layer.weight_bytes += gone->layer.weight_bytes;
	piece->layer.dense |= gone->layer.dense;
	if (gone->unit != MX_STEP_NONE)
		piece->unit = gone->unit;
	piece->next = gone->next;
	joiner->count[piece->net]--;
}

/* Each step a piece; those that share a unit one. */
static void split(struct joiner *joiner)
{
	uint32_t total = 0, i, k;

	for (i = 0; i < joiner->net_count; i++) {
		const struct mx_board_net *net = &joiner->nets[i];
		uint32_t last = NONE;

		joiner->first[i] = total;
		joiner->count[i] = 0;
		for (k = 0; k < net->step_count; k++) {
			const struct mx_board_step *step = &net->steps[k];
			struct piece *piece = &joiner->pieces[total];
			const int shares =
				last != NONE && step->unit != MX_STEP_NONE &&
				joiner->pieces[last].unit == step->unit;

			*piece = (struct piece){
				.layer.exec_ns = step->ns ? step->ns : 1,
				.layer.run_bytes =
					net->layers[step->layer].arena_bytes,
				.layer.dense = net->layers[step->layer].dense,
				.net = i,
				.unit = step->unit,
				.next = NONE,
			};
			if (step->unit != MX_STEP_NONE && !shares) {
				piece->layer.load_ns =
					net->units[step->unit].read_ns;
				piece->layer.load_ns += !piece->layer.load_ns;
				piece->layer.weight_bytes =
					net->units[step->unit].size_bytes;
			}
			joiner->count[i]++;
			if (last != NONE)
				joiner->pieces[last].next = total;
			if (shares)
				join(joiner, last);
			else
				last = total;
			total++;
		}
	}
}

/* The cheapest piece to join with the next one, no more than @most_bytes
 * together; NONE. */
static uint32_t cheapest(const struct joiner *joiner, uint64_t most_bytes)
{
	uint64_t best_ns = MX_TIME_NEVER, ns;
	uint32_t best = NONE, i, at;

	for (i = 0; i < joiner->net_count; i++)
		for (at = joiner->first[i]; joiner->pieces[at].next != NONE;
		     at = joiner->pieces[at].next) {
			const struct mx_instance_layer *a =
				&joiner->pieces[at].layer;
			const struct mx_instance_layer *b =
				&joiner->pieces[joiner->pieces[at].next].layer;

			ns = a->load_ns + a->exec_ns + b->load_ns + b->exec_ns;
			if (ns >= best_ns ||
			    (b->weight_bytes &&
			     a->weight_bytes + b->weight_bytes > most_bytes))
				continue;
			best_ns = ns;
			best = at;
		}
	return best;
}

static int is_small(const struct joiner *joiner, uint32_t task_max)
{
	uint32_t i;

	for (i = 0; i < joiner->net_count; i++)
		if (joiner->count[i] > MX_INSTANCE_LAYERS_MAX)
			return 0;
	return task_count(joiner) <= task_max;
}

static int join_all(struct joiner *joiner, uint32_t task_max)
{
	const uint64_t room_bytes = joiner->memory_bytes - joiner->arena_bytes;
	uint32_t share, at;

	for (share = SHARE_FIRST; share; share /= 2) {
		split(joiner);
		do {
			if (is_small(joiner, task_max))
				return 1;
			at = cheapest(joiner, room_bytes / share);
			if (at != NONE)
				join(joiner, at);
		} while (at != NONE);
	}
	return 0;
}

static int write_instance(const struct joiner *joiner,
			  struct mx_instance *instance, struct mx_err *err)
{
	uint32_t i, at, k;
	int rc;

	rc = mx_instance_init(instance, joiner->net_count, joiner->count, err);
	if (rc)
		return rc;
	instance->budget_bytes = joiner->memory_bytes;
	for (i = 0; i < joiner->net_count; i++) {
		struct mx_instance_layer *layers = instance->nets[i].layers;

		for (at = joiner->first[i], k = 0; at != NONE;
		     at = joiner->pieces[at].next, k++) {
			layers[k] = joiner->pieces[at].layer;
			if (k)
				layers[k - 1].keep_bytes = layers[k].run_bytes;
		}
		assert(k == instance->nets[i].layer_count);
	}
	return 0;
}

int mx_instance_init_nets(struct mx_instance *instance,
			  const struct mx_board_net *nets, uint32_t net_count,
			  uint64_t memory_bytes, uint32_t task_max,
			  struct mx_err *err)
{
	struct joiner joiner = {.nets = nets, .net_count = net_count};
	uint64_t all_bytes = 0;
	size_t steps = 0;
	uint32_t i;
	int rc = 0;

	if (net_count > MX_INSTANCE_NETS_MAX)
		return mx_fail(err, EINVAL,
			       "the optimum is for at most %d networks",
			       MX_INSTANCE_NETS_MAX);
	for (i = 0; i < net_count; i++) {
		steps += nets[i].step_count;
		all_bytes += nets[i].weight_bytes;
		all_bytes += mx_size_round_up(nets[i].arena_bytes,
					      MX_RESIDENCY_PAGE_BYTES);
		if (nets[i].arena_bytes > joiner.arena_bytes)
			joiner.arena_bytes = nets[i].arena_bytes;
	}
	joiner.memory_bytes =
		memory_bytes < all_bytes ? memory_bytes : all_bytes;
	if (joiner.memory_bytes < joiner.arena_bytes)
		return mx_fail(err, EINVAL,
			       "the activations alone exceed the memory");
	joiner.pieces = calloc(steps + 1, sizeof(*joiner.pieces));
	if (!joiner.pieces)
		return mx_fail(err, ENOMEM, "instance: no memory");
	if (!join_all(&joiner, task_max))
		rc = mx_fail(err, EINVAL,
			     "the optimum is for at most %u tasks: these "
			     "networks have more, even with their layers "
			     "joined as far as the memory allows",
			     task_max);
	if (!rc)
		rc = write_instance(&joiner, instance, err);
	free(joiner.pieces);
	return rc;
}
