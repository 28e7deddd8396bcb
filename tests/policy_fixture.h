/*
 * Small networks of plain numbers, scripts, and simulations of them in which an
 * observer checks what every policy has to keep to, and writes down what is
 * done: "A0L" is a read of network A's layer 0, "A0E" computing on it.
 */
#ifndef MX_TESTS_POLICY_FIXTURE_H
#define MX_TESTS_POLICY_FIXTURE_H

#include <stdio.h>
#include <string.h>

#include "lib/err.h"
#include "pager/residency.h"
#include "sched/board.h"
#include "sched/policy.h"
#include "sched/script.h"
#include "sched/simulate.h"
#include "tests/check.h"

#define PAGE ((uint64_t)MX_RESIDENCY_PAGE_BYTES)

enum { NETS_MAX = 8, LAYERS_MAX = 16, UNITS_MAX = 64, LOG_BYTES = 4096 };

struct fixture_net {
	struct mx_board_layer layers[LAYERS_MAX];
	struct mx_board_step steps[UNITS_MAX];
	struct mx_board_unit units[UNITS_MAX];
	uint32_t unit_layer[UNITS_MAX]; /* in which it begins */
	int shared[UNITS_MAX]; /* with the next layer */
	int loading[UNITS_MAX];
	int there[UNITS_MAX];
	char name[2];
};

struct fixture {
	struct fixture_net own[NETS_MAX];
	struct mx_board_net nets[NETS_MAX];
	uint32_t net_count;
	struct mx_script script;
	struct mx_simulate_opts opts;
	struct mx_simulation sim;
	char log[LOG_BYTES];
	uint32_t busy[NETS_MAX][LAYERS_MAX]; /* steps being computed */
	uint32_t most_tasks; /* that were seen at once */
	uint64_t bytes; /* of units in memory */
	uint64_t most_bytes;
	uint64_t reads; /* of units */
	uint32_t cancelled; /* jobs */
};

/* A layer of @units units of @pages each; or none, and one step. */
struct fixture_layer {
	uint32_t units;
	uint32_t pages;
	uint64_t read_ns; /* of each unit */
	uint64_t ns; /* of each step */
	uint32_t arena_pages; /* 0: 1 */
	int dense;
	int shares; /* its first step uses the unit before its own, too */
};

__attribute__((unused)) static void add_layer(struct fixture *fx, uint32_t n,
					      const struct fixture_layer *with)
{
	struct mx_board_net *net = &fx->nets[n];
	struct mx_board_layer *layer = &net->layers[net->layer_count];
	struct mx_board_step *step;
	uint32_t i;

	layer->first_step = net->step_count;
	layer->step_count = with->units ? with->units : 1;
	if (with->shares) {
		layer->step_count = with->units + 1;
		fx->own[n].shared[net->unit_count - 1] = 1;
		net->steps[net->step_count] = (struct mx_board_step){
			.ns = with->ns,
			.layer = net->layer_count,
			.unit = net->unit_count - 1,
			.last_of_unit = 1,
		};
		net->steps[net->step_count++ - 1].last_of_unit = 0;
		layer->ns += with->ns;
	}
	layer->arena_bytes = (with->arena_pages ? with->arena_pages : 1) * PAGE;
	layer->dense = with->dense;
	for (i = (uint32_t)with->shares; i < layer->step_count; i++) {
		step = &net->steps[net->step_count++];
		*step = (struct mx_board_step){
			.ns = with->ns,
			.layer = net->layer_count,
			.unit = with->units ? net->unit_count : MX_STEP_NONE,
			.last_of_unit = with->units > 0,
		};
		layer->ns += with->ns;
		if (!with->units)
			continue;
		fx->own[n].unit_layer[net->unit_count] = net->layer_count;
		net->units[net->unit_count++] = (struct mx_board_unit){
			.size_bytes = with->pages * PAGE,
			.read_ns = with->read_ns,
		};
		layer->read_ns += with->read_ns;
		layer->weight_bytes += with->pages * PAGE;
	}
	net->layer_count++;
	net->compute_ns += layer->ns;
	net->read_ns += layer->read_ns;
	net->weight_bytes += layer->weight_bytes;
	net->arena_bytes = net->layers[0].arena_bytes;
	net->masa_peak_bytes = net->weight_bytes + net->arena_bytes;
	net->masa_key_ns = net->compute_ns;
}

/* Networks are called A, B, ... */
static uint32_t add_net(struct fixture *fx)
{
	const uint32_t n = fx->net_count++;
	struct fixture_net *own = &fx->own[n];

	assert_true(n < NETS_MAX);
	own->name[0] = (char)('A' + n);
	fx->nets[n] = (struct mx_board_net){
		.name = own->name,
		.layers = own->layers,
		.steps = own->steps,
		.units = own->units,
	};
	return n;
}

/* A network of @count layers of a unit of a page each. */
__attribute__((unused)) static uint32_t add_plain(struct fixture *fx,
						  uint32_t count,
						  uint64_t read_ns, uint64_t ns)
{
	const uint32_t n = add_net(fx);
	uint32_t i;

	for (i = 0; i < count; i++)
		add_layer(fx, n,
			  &(struct fixture_layer){.units = 1,
						  .pages = 1,
						  .read_ns = read_ns,
						  .ns = ns});
	return n;
}

/* An arrival at @time_ns with a job of each network in @nets ("AB"). */
__attribute__((unused)) static void add_arrival(struct fixture *fx,
						uint64_t time_ns,
						const char *nets)
{
	const uint32_t count = (uint32_t)strlen(nets);
	struct mx_script_arrival *arrival = mx_script_add(&fx->script, count);
	uint32_t i;

	assert_non_null(arrival);
	arrival->kind = MX_ARRIVAL_AT;
	arrival->time_ns = time_ns;
	for (i = 0; i < count; i++)
		arrival->jobs[i].net = (uint32_t)(nets[i] - 'A');
}

static void note(struct fixture *fx, uint32_t net, uint32_t layer, char what)
{
	const size_t used = strlen(fx->log);

	if (used + 8 < sizeof(fx->log))
		(void)snprintf(fx->log + used, sizeof(fx->log) - used,
			       "%s%c%u%c", used ? " " : "", 'A' + (char)net,
			       layer, what);
}

/* Layers that are read or computed now: each needs a task of its own. (A read
 * of a unit that is shared may be for either.) */
static void count_tasks(struct fixture *fx)
{
	uint32_t n, l, u, tasks = 0;
	int is_task;

	for (n = 0; n < fx->net_count; n++) {
		for (l = 0; l < fx->nets[n].layer_count; l++) {
			is_task = fx->busy[n][l] > 0;
			for (u = 0; u < fx->nets[n].unit_count; u++)
				is_task |= fx->own[n].loading[u] &&
					   !fx->own[n].shared[u] &&
					   fx->own[n].unit_layer[u] == l;
			tasks += (uint32_t)is_task;
		}
	}
	if (tasks > fx->most_tasks)
		fx->most_tasks = tasks;
}

static void observe(void *user, const struct mx_board_event *event)
{
	struct fixture *fx = user;
	const struct mx_board_net *net =
		&fx->nets[event->job ? event->job->net : event->unit.net];
	struct fixture_net *own = &fx->own[net - fx->nets];
	const uint32_t n = (uint32_t)(net - fx->nets);
	const uint32_t u = event->unit.unit;
	uint32_t layer;

	switch (event->kind) {
	case MX_EVENT_LOAD:
		assert_false(own->there[u] || own->loading[u]);
		own->loading[u] = 1;
		fx->bytes += net->units[u].size_bytes;
		fx->reads++;
		note(fx, n, own->unit_layer[u], 'L');
		break;
	case MX_EVENT_LOADED:
		assert_true(own->loading[u]);
		own->loading[u] = 0;
		own->there[u] = 1;
		break;
	case MX_EVENT_DROPPED:
		assert_true(own->there[u]);
		own->there[u] = 0;
		fx->bytes -= net->units[u].size_bytes;
		break;
	case MX_EVENT_STEP_TAKEN:
		layer = net->steps[event->step].layer;
		assert_true(event->job->prepared);
		assert_int_equal(layer, event->job->layer);
		if (net->steps[event->step].unit != MX_STEP_NONE)
			assert_true(own->there[net->steps[event->step].unit]);
		fx->busy[n][layer]++;
		note(fx, n, layer, 'E');
		break;
	case MX_EVENT_STEP_DONE:
		fx->busy[n][net->steps[event->step].layer]--;
		break;
	case MX_EVENT_ARRIVED:
	case MX_EVENT_RELEASED:
	case MX_EVENT_ADMITTED:
	case MX_EVENT_PREPARED:
	case MX_EVENT_LAYER_DONE:
		break;
	case MX_EVENT_ENDED:
		fx->cancelled += event->job->state == MX_JOB_CANCELLED;
		break;
	}
	count_tasks(fx);
	if (fx->bytes > fx->most_bytes)
		fx->most_bytes = fx->bytes;
	if (fx->opts.board.memory_bytes != MX_RESIDENCY_UNLIMITED)
		assert_true(fx->bytes <= fx->opts.board.memory_bytes);
}

/* What a test may change before simulate(): one read in flight, one processor,
 * memory without a limit that is nevertheless counted. */
__attribute__((unused)) static void init(struct fixture *fx,
					 const struct mx_policy *policy)
{
	memset(fx, 0, sizeof(*fx));
	fx->opts.board.policy = policy;
	fx->opts.board.memory_bytes = 1000 * PAGE;
	fx->opts.depth = 1;
}

__attribute__((unused)) static int try_simulate(struct fixture *fx,
						struct mx_err *err)
{
	fx->opts.board.nets = fx->nets;
	fx->opts.board.net_count = fx->net_count;
	fx->opts.board.observer = observe;
	fx->opts.board.observer_user = fx;
	fx->opts.script = &fx->script;
	return mx_simulate(&fx->sim, &fx->opts, err);
}

__attribute__((unused)) static void simulate(struct fixture *fx)
{
	const uint64_t memory = fx->opts.board.memory_bytes;
	struct mx_err err = {""};
	uint32_t i;

	if (try_simulate(fx, &err))
		fail_msg("%s", err.text);
	for (i = 0; i < fx->sim.job_count; i++)
		assert_true(fx->sim.jobs[i].state == MX_JOB_FINISHED ||
			    fx->sim.jobs[i].state == MX_JOB_CANCELLED);
	if (memory != MX_RESIDENCY_UNLIMITED)
		assert_true(fx->sim.peak_bytes <= memory);
}

/* One layer of three units in room for two: those that a later one drove out
 * are read again before they are computed on. */
__attribute__((unused)) static void simulate_too_large(struct fixture *fx)
{
	const struct fixture_layer layer = {
		.units = 3,
		.pages = 1,
		.read_ns = 10,
		.ns = 7,
	};

	fx->opts.board.memory_bytes = 2 * PAGE;
	(void)add_net(fx);
	add_layer(fx, 0, &layer);
	add_arrival(fx, 0, "A");
	simulate(fx);
	assert_string_equal(fx->log, "A0L A0L A0L A0L A0E A0L A0E A0L A0E");
}

__attribute__((unused)) static void fini(struct fixture *fx)
{
	mx_simulation_fini(&fx->sim);
	mx_script_fini(&fx->script);
}

/* A generator of its own: the same numbers everywhere. */
__attribute__((unused)) static uint32_t draw(uint64_t *state, uint32_t below)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((*state >> 33) % below);
}

#endif
