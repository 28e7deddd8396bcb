#include "sched/instance_play.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/err.h"
#include "sched/policy.h"
#include "sched/script.h"
#include "sched/simulate.h"

#define NETS MX_INSTANCE_NETS_MAX

/* A network as the board wants it. */
struct board_net {
	struct mx_board_net net;
	uint32_t *unit_layers; /* the layer of each unit */
};

struct player {
	const struct mx_instance *instance;
	struct board_net nets[NETS];
	struct mx_board_net board_nets[NETS];
	struct mx_script script;
	struct mx_schedule *out;
	uint32_t first_layer[NETS]; /* in the schedule */
	int no_memory;
};

static void net_fini(struct board_net *one)
{
	free(one->net.units);
	free(one->net.steps);
	free(one->net.layers);
	free(one->unit_layers);
}

static void fill_layer(struct board_net *one, uint32_t k,
		       const struct mx_instance_net *from)
{
	const struct mx_instance_layer *layer = &from->layers[k];
	struct mx_board_net *net = &one->net;
	uint32_t unit = MX_STEP_NONE;

	if (layer->weight_bytes) {
		unit = net->unit_count++;
		one->unit_layers[unit] = k;
		net->units[unit] = (struct mx_board_unit){layer->weight_bytes,
							  layer->load_ns};
	}
	net->steps[k] = (struct mx_board_step){
		.ns = layer->exec_ns,
		.layer = k,
		.unit = unit,
		.last_of_unit = unit != MX_STEP_NONE,
	};
	net->layers[k] = (struct mx_board_layer){
		.first_step = k,
		.step_count = 1,
		.ns = layer->exec_ns,
		.read_ns = layer->load_ns,
		.weight_bytes = layer->weight_bytes,
		.arena_bytes = mx_instance_arena_bytes(from, k),
		.dense = layer->dense,
	};
	net->compute_ns += layer->exec_ns;
	net->read_ns += layer->load_ns;
	net->weight_bytes += layer->weight_bytes;
}

static int net_init(struct board_net *one, const struct mx_instance_net *from)
{
	static const char *const name = "instance";
	const uint32_t count = from->layer_count;
	struct mx_board_net *net = &one->net;
	uint32_t k;

	net->name = name;
	net->units = calloc(count, sizeof(*net->units));
	net->steps = calloc(count, sizeof(*net->steps));
	net->layers = calloc(count, sizeof(*net->layers));
	one->unit_layers = calloc(count, sizeof(*one->unit_layers));
	if (!net->units || !net->steps || !net->layers || !one->unit_layers)
		return -ENOMEM;
	net->step_count = count;
	net->layer_count = count;
	for (k = 0; k < count; k++)
		fill_layer(one, k, from);
	net->arena_bytes = net->layers[0].arena_bytes;
	net->masa_peak_bytes = net->weight_bytes + net->arena_bytes;
	net->masa_key_ns = net->compute_ns + net->read_ns;
	return 0;
}

/* The least release that is no less than @from_ns; MX_TIME_NEVER: none. */
static uint64_t next_release(const struct mx_instance *instance,
			     uint64_t from_ns)
{
	uint64_t next_ns = MX_TIME_NEVER, ns;
	uint32_t i;

	for (i = 0; i < instance->net_count; i++) {
		ns = instance->nets[i].release_ns;
		if (ns >= from_ns && ns < next_ns)
			next_ns = ns;
	}
	return next_ns;
}

/* Networks released together come in one arrival. */
static int write_script(struct player *player)
{
	const struct mx_instance *instance = player->instance;
	uint64_t at_ns = next_release(instance, 0);
	struct mx_script_arrival *arrival;
	uint32_t count, i;

	for (; at_ns != MX_TIME_NEVER;
	     at_ns = next_release(instance, at_ns + 1)) {
		for (count = 0, i = 0; i < instance->net_count; i++)
			count += instance->nets[i].release_ns == at_ns;
		arrival = mx_script_add(&player->script, count);
		if (!arrival)
			return -ENOMEM;
		arrival->kind = MX_ARRIVAL_AT;
		arrival->time_ns = at_ns;
		for (count = 0, i = 0; i < instance->net_count; i++)
			if (instance->nets[i].release_ns == at_ns)
				arrival->jobs[count++].net = i;
	}
	return 0;
}

/* ---- the record ---- */

static void note_reread(struct player *player, uint32_t net, uint32_t layer,
			uint64_t start_ns, uint64_t gone_ns)
{
	struct mx_schedule *out = player->out;
	struct mx_schedule_reread *grown;

	grown = realloc(out->rereads, (out->reread_count + 1) * sizeof(*grown));
	if (!grown) {
		player->no_memory = 1;
		return;
	}
	out->rereads = grown;
	grown[out->reread_count++] = (struct mx_schedule_reread){
		.net = net,
		.layer = layer,
		.start_ns = start_ns,
		.gone_ns = gone_ns,
	};
}

/* What is dropped before its layer is computed was read in vain. */
static void note_event(void *user, const struct mx_board_event *event)
{
	struct player *player = user;
	struct mx_schedule_layer *when = player->out->layers;
	uint32_t layer;

	if (event->kind == MX_EVENT_STEP_TAKEN) {
		when += player->first_layer[event->job->net] + event->step;
		when->exec_ns = event->now_ns;
	}
	if (event->kind != MX_EVENT_LOAD && event->kind != MX_EVENT_DROPPED)
		return;
	layer = player->nets[event->unit.net].unit_layers[event->unit.unit];
	when += player->first_layer[event->unit.net] + layer;
	if (event->kind == MX_EVENT_LOAD) {
		when->load_ns = event->now_ns;
	} else if (when->exec_ns == MX_TIME_NEVER) {
		note_reread(player, event->unit.net, layer, when->load_ns,
			    event->now_ns);
	}
}

static int prepare(struct player *player, struct mx_err *err)
{
	const struct mx_instance *instance = player->instance;
	uint32_t layers = 0, i;
	int rc;

	rc = mx_schedule_init(player->out, instance, err);
	if (rc)
		return rc;
	for (i = 0; !rc && i < instance->net_count; i++) {
		rc = net_init(&player->nets[i], &instance->nets[i]);
		player->board_nets[i] = player->nets[i].net;
		player->first_layer[i] = layers;
		layers += instance->nets[i].layer_count;
	}
	for (i = 0; i < layers; i++)
		player->out->layers[i] = (struct mx_schedule_layer){
			MX_TIME_NEVER, MX_TIME_NEVER};
	if (!rc)
		rc = write_script(player);
	return rc ? mx_fail(err, ENOMEM, "instance: no memory") : 0;
}

int mx_instance_play(struct mx_schedule *out,
		     const struct mx_instance *instance,
		     const struct mx_policy *policy, struct mx_err *err)
{
	struct player player = {.instance = instance, .out = out};
	const struct mx_simulate_opts opts = {
		.board =
			{
				.policy = policy,
				.processors = instance->processors,
				.memory_bytes = instance->budget_bytes,
				.nets = player.board_nets,
				.net_count = instance->net_count,
				.observer = note_event,
				.observer_user = &player,
			},
		.script = &player.script,
		.processors = instance->processors,
		.depth = 1,
	};
	struct mx_simulation simulation;
	uint32_t i;
	int rc;

	rc = prepare(&player, err);
	if (!rc) {
		rc = mx_simulate(&simulation, &opts, err);
		if (!rc)
			mx_simulation_fini(&simulation);
		if (!rc && player.no_memory)
			rc = mx_fail(err, ENOMEM, "instance: no memory");
	}
	for (i = 0; i < instance->net_count; i++)
		net_fini(&player.nets[i]);
	mx_script_fini(&player.script);
	if (rc)
		mx_schedule_fini(out);
	return rc;
}
