/*
 * Records lie in blocks, used in turn: record n of all that there ever were in
 * block n / RECORDS, modulo the number of blocks. When a block cannot be had,
 * those that are there are all there will be.
 *
 * Invariants:
 *
 *  (1) blocks[0 .. block_count) are there; block_count is at least 1.
 *  (2) While block_count < block_room nothing has been overwritten:
 *      total <= block_count * RECORDS.
 */
#include "sched/trace.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/network.h"
#include "pager/units.h"

#define BLOCK_BYTES ((size_t)64 * 1024)
#define RECORDS (BLOCK_BYTES / sizeof(struct mx_trace_record))
/* Steps that a simulation computes side by side. */
#define LANES_MAX 256
#define COUNTERS 3

struct net {
	const struct mx_board_net *map; /* NULL: chunks say what is computed */
	uint32_t *unit_layer;
	uint64_t *unit_bytes;
	uint64_t *asked_ns; /* of each unit: its last read began */
};

struct mx_trace {
	struct net *nets;
	uint32_t net_count;
	mx_board_observer_fn *observer;
	mx_chunk_observer_fn *chunk_observer;
	void *observer_user;
	size_t block_room;

	pthread_mutex_t lock;
	/* guarded by lock */
	struct mx_trace_record **blocks;
	size_t block_count;
	uint64_t total;
	uint64_t read_ns; /* the last read has come */
	uint64_t lane_ns[LANES_MAX]; /* the lane's last step was done */
	uint64_t counters[COUNTERS]; /* as last recorded */
};

/* ---- life ---- */

static int make_net(struct net *out, uint32_t unit_count)
{
	out->unit_layer =
		calloc((size_t)unit_count + 1, sizeof(*out->unit_layer));
	out->unit_bytes =
		calloc((size_t)unit_count + 1, sizeof(*out->unit_bytes));
	out->asked_ns = calloc((size_t)unit_count + 1, sizeof(*out->asked_ns));
	return out->unit_layer && out->unit_bytes && out->asked_ns ? 0
								   : -ENOMEM;
}

static int init_from_map(struct net *out, const struct mx_board_net *map)
{
	uint32_t i;

	if (make_net(out, map->unit_count))
		return -ENOMEM;
	out->map = map;
	for (i = 0; i < map->unit_count; i++)
		out->unit_bytes[i] = map->units[i].size_bytes;
	/* Backwards: a unit is its first step's layer's. */
	for (i = map->step_count; i-- > 0;)
		if (map->steps[i].unit != MX_STEP_NONE)
			out->unit_layer[map->steps[i].unit] =
				map->steps[i].layer;
	return 0;
}

static int init_from_network(struct net *out, const struct mx_network *net)
{
	struct mx_units units;
	uint32_t i;
	int rc;

	rc = mx_units_init(&units, net, NULL);
	if (rc)
		return rc;
	rc = make_net(out, units.count);
	for (i = 0; !rc && i < units.count; i++) {
		out->unit_bytes[i] = units.unit[i].size_bytes;
		out->unit_layer[i] =
			net->slices[units.unit[i].first_slice].layer;
		out->asked_ns[i] = 0;
	}
	mx_units_fini(&units);
	return rc;
}

/* Returns -ENOMEM, also when there are all. */
static int add_block(struct mx_trace *trace, unsigned flags)
{
	struct mx_trace_record *block;

	if (trace->block_count == trace->block_room)
		return -ENOMEM;
	block = malloc(BLOCK_BYTES);
	if (!block)
		return -ENOMEM;
	if (flags & MX_TRACE_SET_ASIDE)
		memset(block, 0, BLOCK_BYTES);
	trace->blocks[trace->block_count++] = block;
	return 0;
}

static int add_blocks(struct mx_trace *trace, unsigned flags)
{
	int rc;

	trace->blocks = calloc(trace->block_room, sizeof(*trace->blocks));
	rc = trace->blocks ? add_block(trace, flags) : -ENOMEM;
	while (!rc && (flags & MX_TRACE_SET_ASIDE) &&
	       trace->block_count < trace->block_room)
		rc = add_block(trace, flags);
	return rc;
}

int mx_trace_new(struct mx_trace **out, const struct mx_trace_opts *opts,
		 struct mx_err *err)
{
	struct mx_trace *trace;
	uint32_t i;
	int rc = 0;

	trace = calloc(1, sizeof(*trace));
	if (!trace)
		return mx_fail(err, ENOMEM, "no memory for a trace");
	pthread_mutex_init(&trace->lock, NULL);
	trace->observer = opts->observer;
	trace->chunk_observer = opts->chunk_observer;
	trace->observer_user = opts->observer_user;
	trace->block_room = opts->size_bytes / BLOCK_BYTES + 1;
	trace->nets = calloc((size_t)opts->net_count + 1, sizeof(*trace->nets));
	if (!trace->nets)
		rc = -ENOMEM;
	for (i = 0; !rc && i < opts->net_count; i++) {
		const struct mx_trace_net *from = &opts->nets[i];

		trace->net_count++;
		rc = from->map ? init_from_map(&trace->nets[i], from->map)
			       : init_from_network(&trace->nets[i], from->net);
	}
	if (!rc)
		rc = add_blocks(trace, opts->flags);
	if (rc) {
		mx_trace_free(trace);
		return mx_fail(err, -rc, "no memory for a trace of %zu bytes",
			       opts->size_bytes);
	}
	*out = trace;
	return 0;
}

void mx_trace_free(struct mx_trace *trace)
{
	uint32_t i;

	if (!trace)
		return;
	for (i = 0; i < trace->net_count; i++) {
		free(trace->nets[i].unit_layer);
		free(trace->nets[i].unit_bytes);
		free(trace->nets[i].asked_ns);
	}
	while (trace->block_count > 0)
		free(trace->blocks[--trace->block_count]);
	free(trace->blocks);
	free(trace->nets);
	pthread_mutex_destroy(&trace->lock);
	free(trace);
}

/* ---- records ---- */

static uint64_t capacity(const struct mx_trace *trace)
{
	return (uint64_t)trace->block_count * RECORDS;
}

static void add(struct mx_trace *trace, const struct mx_trace_record *record)
{
	/* Growing, until there is nothing more to grow by. */
	if (trace->total == capacity(trace) && add_block(trace, 0))
		trace->block_room = trace->block_count;
	trace->blocks[trace->total / RECORDS % trace->block_count]
		     [trace->total % RECORDS] = *record;
	trace->total++;
}

static void add_counter(struct mx_trace *trace, enum mx_trace_kind kind,
			uint64_t now_ns, uint64_t bytes)
{
	const struct mx_trace_record record = {
		.kind = (uint16_t)kind,
		.begin_ns = now_ns,
		.end_ns = now_ns,
		.number = bytes,
	};

	add(trace, &record);
}

/* What has changed since it was last recorded. */
static void add_memory(struct mx_trace *trace,
		       const struct mx_board_event *event)
{
	const uint64_t now[COUNTERS] = {event->weight_bytes,
					event->activation_bytes,
					event->moved_bytes};
	const enum mx_trace_kind kinds[COUNTERS] = {
		MX_TRACE_WEIGHTS, MX_TRACE_ACTIVATIONS, MX_TRACE_MOVED};
	int i;

	for (i = 0; i < COUNTERS; i++) {
		if (now[i] != trace->counters[i])
			add_counter(trace, kinds[i], event->now_ns, now[i]);
		trace->counters[i] = now[i];
	}
}

/* ---- what happens ---- */

static void note_unit(struct mx_trace *trace,
		      const struct mx_board_event *event)
{
	const uint32_t unit = event->unit.unit;
	struct net *net = &trace->nets[event->unit.net];
	struct mx_trace_record record = {
		.kind = MX_TRACE_DROP,
		.net = event->unit.net,
		.layer = net->unit_layer[unit],
		.index = unit,
		.number = net->unit_bytes[unit],
		.begin_ns = event->now_ns,
		.end_ns = event->now_ns,
		.status = (int16_t)event->status,
	};

	if (event->kind == MX_EVENT_LOAD) {
		net->asked_ns[unit] = event->now_ns;
		return;
	}
	if (event->kind == MX_EVENT_LOADED) {
		record.kind = MX_TRACE_READ;
		record.begin_ns = net->asked_ns[unit];
		if (record.begin_ns < trace->read_ns)
			record.begin_ns = trace->read_ns;
		trace->read_ns = event->now_ns;
	}
	add(trace, &record);
}

/* A simulation's step: on the first lane that was free when it began. */
static void note_step(struct mx_trace *trace,
		      const struct mx_board_event *event)
{
	const struct mx_board_net *map = trace->nets[event->job->net].map;
	struct mx_trace_record record = {
		.kind = MX_TRACE_COMPUTE,
		.net = event->job->net,
		.number = event->job->id,
		.end_ns = event->now_ns,
	};

	if (!map)
		return;
	record.layer = map->steps[event->step].layer;
	record.begin_ns = event->now_ns - map->steps[event->step].ns;
	while (record.index + 1 < LANES_MAX &&
	       trace->lane_ns[record.index] > record.begin_ns)
		record.index++;
	trace->lane_ns[record.index] = record.end_ns;
	add(trace, &record);
}

static int was_admitted(const struct mx_board_job *job)
{
	/* A simulation's may be, and be prepared, at time 0. */
	return job->admitted_ns > 0 || job->prepared;
}

static void note_job(struct mx_trace *trace, const struct mx_board_event *event)
{
	const struct mx_board_job *job = event->job;
	struct mx_trace_record record = {
		.kind = MX_TRACE_WAIT,
		.net = job->net,
		.number = job->id,
		.begin_ns = job->arrival_ns,
		.end_ns = event->now_ns,
	};

	if (event->kind == MX_EVENT_ENDED) {
		record.status = (int16_t)event->status;
		if (was_admitted(job)) {
			record.kind = MX_TRACE_RUN;
			record.begin_ns = job->admitted_ns;
		}
	}
	add(trace, &record);
}

void mx_trace_event(void *user, const struct mx_board_event *event)
{
	struct mx_trace *trace = user;

	if (trace->observer)
		trace->observer(trace->observer_user, event);
	pthread_mutex_lock(&trace->lock);
	switch (event->kind) {
	case MX_EVENT_LOAD:
	case MX_EVENT_LOADED:
	case MX_EVENT_DROPPED:
		note_unit(trace, event);
		break;
	case MX_EVENT_STEP_DONE:
		note_step(trace, event);
		break;
	case MX_EVENT_ADMITTED:
	case MX_EVENT_ENDED:
		note_job(trace, event);
		break;
	default:
		break;
	}
	add_memory(trace, event);
	pthread_mutex_unlock(&trace->lock);
}

void mx_trace_chunk(void *user, const struct mx_chunk_event *event)
{
	struct mx_trace *trace = user;
	const struct mx_trace_record record = {
		.kind = MX_TRACE_COMPUTE,
		.net = event->net,
		.layer = event->layer,
		.index = event->worker,
		.number = event->id,
		.begin_ns = event->begin_ns,
		.end_ns = event->end_ns,
	};

	if (trace->chunk_observer)
		trace->chunk_observer(trace->observer_user, event);
	pthread_mutex_lock(&trace->lock);
	add(trace, &record);
	pthread_mutex_unlock(&trace->lock);
}

void mx_trace_charge(struct mx_trace *trace, uint64_t now_ns, uint64_t bytes)
{
	pthread_mutex_lock(&trace->lock);
	add_counter(trace, MX_TRACE_CHARGE, now_ns, bytes);
	pthread_mutex_unlock(&trace->lock);
}

/* ---- afterwards ---- */

uint64_t mx_trace_count(const struct mx_trace *trace)
{
	return trace->total < capacity(trace) ? trace->total : capacity(trace);
}

uint64_t mx_trace_dropped(const struct mx_trace *trace)
{
	return trace->total - mx_trace_count(trace);
}

const struct mx_trace_record *mx_trace_at(const struct mx_trace *trace,
					  uint64_t index)
{
	const uint64_t at = mx_trace_dropped(trace) + index;

	assert(index < mx_trace_count(trace));
	return &trace->blocks[at / RECORDS % trace->block_count][at % RECORDS];
}
