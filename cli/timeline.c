#include "cli/timeline.h"

#include <errno.h>
#include <stdlib.h>

#include "cli/plan_board.h"
#include "lib/err.h"
#include "sched/policy.h"
#include "sched/script.h"
#include "sched/simulate.h"

#define ROOM_FIRST 64

struct net_record {
	uint32_t *unit_layers; /* of each unit: the first layer that uses it */
	uint64_t *load_ns; /* of each unit: its read was asked for */
	uint64_t taken_ns; /* the step being computed */
	uint64_t arena_bytes;
};

struct recorder {
	const struct mx_plan_board *board;
	struct mx_timeline *timeline;
	struct net_record *nets;
	size_t last[MX_SPAN_KINDS]; /* spans up to the last of each kind */
	uint64_t storage_ns; /* the last read has ended */
	uint64_t unit_bytes; /* LOADING or RESIDENT */
	uint64_t arena_bytes;
	int no_memory;
};

/* Room for one item more of @size bytes. Returns the array, or NULL. */
static void *grow(struct recorder *recorder, void *items, size_t count,
		  size_t *room, size_t size)
{
	void *grown;

	if (count < *room)
		return items;
	grown = realloc(items, (*room ? 2 * *room : ROOM_FIRST) * size);
	if (grown)
		*room = *room ? 2 * *room : ROOM_FIRST;
	else
		recorder->no_memory = 1;
	return grown;
}

static void add_span(struct recorder *recorder, const struct mx_span *span)
{
	struct mx_timeline *timeline = recorder->timeline;
	const size_t before = recorder->last[span->kind];
	struct mx_span *last;

	/* The last of its kind may go on. */
	last = before ? &timeline->spans[before - 1] : NULL;
	if (last && last->net == span->net && last->layer == span->layer &&
	    last->end_ns == span->begin_ns && span->kind != MX_SPAN_INIT) {
		last->end_ns = span->end_ns;
		last->size_bytes += span->size_bytes;
		return;
	}
	last = grow(recorder, timeline->spans, timeline->span_count,
		    &timeline->span_room, sizeof(*last));
	if (!last)
		return;
	timeline->spans = last;
	timeline->spans[timeline->span_count++] = *span;
	recorder->last[span->kind] = timeline->span_count;
}

static void add_point(struct recorder *recorder, uint64_t now_ns)
{
	struct mx_timeline *timeline = recorder->timeline;
	const uint64_t bytes = recorder->unit_bytes + recorder->arena_bytes;
	struct mx_memory_point *points;

	if (bytes > timeline->peak_bytes)
		timeline->peak_bytes = bytes;
	points = grow(recorder, timeline->points, timeline->point_count,
		      &timeline->point_room, sizeof(*points));
	if (!points)
		return;
	timeline->points = points;
	points[timeline->point_count++] =
		(struct mx_memory_point){now_ns, bytes};
}

static void note_unit(struct recorder *recorder,
		      const struct mx_board_event *event)
{
	const uint32_t net = event->unit.net, unit = event->unit.unit;
	struct net_record *record = &recorder->nets[net];
	const uint64_t size_bytes =
		recorder->board->nets[net].units[unit].size_bytes;
	struct mx_span span = {
		.kind = MX_SPAN_LOAD,
		.net = net,
		.layer = record->unit_layers[unit],
		.end_ns = event->now_ns,
		.size_bytes = size_bytes,
	};

	if (event->kind == MX_EVENT_LOAD) {
		record->load_ns[unit] = event->now_ns;
		recorder->unit_bytes += size_bytes;
	} else if (event->kind == MX_EVENT_DROPPED) {
		recorder->unit_bytes -= size_bytes;
	} else {
		/* The storage reads one after the other. */
		span.begin_ns = record->load_ns[unit];
		if (span.begin_ns < recorder->storage_ns)
			span.begin_ns = recorder->storage_ns;
		recorder->storage_ns = event->now_ns;
		add_span(recorder, &span);
		return;
	}
	add_point(recorder, event->now_ns);
}

static void note_event(void *user, const struct mx_board_event *event)
{
	struct recorder *recorder = user;
	const struct mx_board_job *job = event->job;
	struct net_record *record;
	struct mx_span span = {.end_ns = event->now_ns};

	if (!job) {
		note_unit(recorder, event);
		return;
	}
	record = &recorder->nets[job->net];
	span.net = job->net;
	span.begin_ns = event->now_ns;
	if (event->kind == MX_EVENT_ADMITTED) {
		span.kind = MX_SPAN_INIT;
		add_span(recorder, &span);
	} else if (event->kind == MX_EVENT_STEP_TAKEN) {
		record->taken_ns = event->now_ns;
	} else if (event->kind == MX_EVENT_STEP_DONE) {
		span.kind = MX_SPAN_EXEC;
		span.layer = recorder->board->nets[job->net]
				     .steps[event->step]
				     .layer;
		span.begin_ns = record->taken_ns;
		add_span(recorder, &span);
	}
	if (record->arena_bytes == job->arena_bytes)
		return;
	recorder->arena_bytes -= record->arena_bytes;
	recorder->arena_bytes += job->arena_bytes;
	record->arena_bytes = job->arena_bytes;
	add_point(recorder, event->now_ns);
}

static int record_net(struct net_record *record, const struct mx_board_net *net)
{
	uint32_t k;

	record->unit_layers = calloc((size_t)net->unit_count + 1,
				     sizeof(*record->unit_layers));
	record->load_ns =
		calloc((size_t)net->unit_count + 1, sizeof(*record->load_ns));
	if (!record->unit_layers || !record->load_ns)
		return -ENOMEM;
	for (k = net->step_count; k--;)
		if (net->steps[k].unit != MX_STEP_NONE)
			record->unit_layers[net->steps[k].unit] =
				net->steps[k].layer;
	return 0;
}

static int play(struct recorder *recorder, const char *policy,
		struct mx_script *script, struct mx_err *err)
{
	const struct mx_plan_board *board = recorder->board;
	const struct mx_simulate_opts opts = {
		.board = {.policy = mx_policy_find(policy),
			  .memory_bytes = board->memory_bytes,
			  .nets = board->nets,
			  .net_count = board->net_count,
			  .observer = note_event,
			  .observer_user = recorder},
		.script = script,
	};
	struct mx_script_arrival *arrival;
	struct mx_simulation simulation;
	uint32_t i;
	int rc;

	arrival = mx_script_add(script, board->net_count);
	if (!arrival)
		return mx_fail(err, ENOMEM, "plan: no memory");
	arrival->kind = MX_ARRIVAL_AT;
	for (i = 0; i < board->net_count; i++)
		arrival->jobs[i].net = i;
	rc = mx_simulate(&simulation, &opts, err);
	if (rc)
		return rc;
	recorder->timeline->end_ns = simulation.makespan_ns;
	mx_simulation_fini(&simulation);
	return recorder->no_memory ? mx_fail(err, ENOMEM, "plan: no memory")
				   : 0;
}

int mx_timeline_init(struct mx_timeline *timeline,
		     const struct mx_plan_board *board, const char *policy,
		     struct mx_err *err)
{
	struct recorder recorder = {.board = board, .timeline = timeline};
	struct mx_script script = {.arrivals = NULL};
	uint32_t i;
	int rc = 0;

	*timeline = (struct mx_timeline){.spans = NULL};
	recorder.nets =
		calloc((size_t)board->net_count + 1, sizeof(*recorder.nets));
	if (!recorder.nets)
		return mx_fail(err, ENOMEM, "plan: no memory");
	for (i = 0; !rc && i < board->net_count; i++)
		rc = record_net(&recorder.nets[i], &board->nets[i]);
	if (rc)
		rc = mx_fail(err, ENOMEM, "plan: no memory");
	else
		rc = play(&recorder, policy, &script, err);
	for (i = 0; i < board->net_count; i++) {
		free(recorder.nets[i].unit_layers);
		free(recorder.nets[i].load_ns);
	}
	free(recorder.nets);
	mx_script_fini(&script);
	if (rc)
		mx_timeline_fini(timeline);
	return rc;
}

void mx_timeline_fini(struct mx_timeline *timeline)
{
	free(timeline->spans);
	free(timeline->points);
	*timeline = (struct mx_timeline){.spans = NULL};
}
