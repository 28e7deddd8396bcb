#include "cli/queue_record.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/err.h"
#include "lib/network.h"
#include "lib/size.h"
#include "pager/units.h"

/* Gaps shorter than this are a worker between two parts. */
#define JOIN_NS 100000u
/* No page is smaller. */
#define TOUCH_BYTES 4096u

void *mx_record_alloc(size_t count, size_t size)
{
	const size_t room = mx_size_max(count, 1);
	volatile unsigned char *bytes = calloc(room, size);
	size_t i;

	/* Not memset(): a compiler makes one with calloc() nothing. */
	for (i = 0; bytes && i < room * size; i += TOUCH_BYTES)
		bytes[i] = 0;
	return (void *)(uintptr_t)bytes;
}

static int take_units(struct mx_record_net *net, uint32_t count)
{
	free(net->layer_of_unit);
	free(net->asked_ns);
	net->layer_of_unit =
		mx_record_alloc(count, sizeof(*net->layer_of_unit));
	net->asked_ns = mx_record_alloc(count, sizeof(*net->asked_ns));
	net->unit_count = count;
	return net->layer_of_unit && net->asked_ns ? 0 : -ENOMEM;
}

static int init_net(struct mx_record_net *out, const struct mx_network *net,
		    struct mx_err *err)
{
	struct mx_units units;
	uint32_t i;
	int rc;

	out->net = net;
	out->layers = mx_record_alloc(net->layer_count, sizeof(*out->layers));
	if (!out->layers)
		return mx_fail(err, ENOMEM, "queue: no memory for its record");
	rc = mx_units_init(&units, net, err);
	if (rc)
		return rc;
	rc = take_units(out, units.count);
	for (i = 0; !rc && i < units.count; i++)
		out->layer_of_unit[i] =
			net->slices[units.unit[i].first_slice].layer;
	mx_units_fini(&units);
	return rc ? mx_fail(err, -rc, "queue: no memory for its record") : 0;
}

int mx_record_init(struct mx_record *record,
		   const struct mx_network *const *nets, uint32_t count,
		   uint32_t worker_count, struct mx_err *err)
{
	struct mx_record_worker *worker;
	uint32_t i;
	int rc = 0;

	*record = (struct mx_record){.nets = NULL};
	record->nets = mx_record_alloc(count, sizeof(*record->nets));
	record->workers =
		mx_record_alloc(worker_count, sizeof(*record->workers));
	if (!record->nets || !record->workers)
		goto no_memory;
	record->worker_count = worker_count;
	for (i = 0; i < worker_count; i++) {
		worker = &record->workers[i];
		worker->join_ns = JOIN_NS;
		worker->busy = mx_record_alloc(MX_RECORD_BUSY_MAX,
					       sizeof(*worker->busy));
		if (!worker->busy)
			goto no_memory;
	}
	record->net_count = count;
	for (i = 0; !rc && i < count; i++)
		rc = init_net(&record->nets[i], nets[i], err);
	if (rc)
		mx_record_fini(record);
	return rc;

no_memory:
	mx_record_fini(record);
	return mx_fail(err, ENOMEM, "queue: no memory for its record");
}

void mx_record_fini(struct mx_record *record)
{
	uint32_t i;

	for (i = 0; i < record->net_count; i++) {
		free(record->nets[i].layers);
		free(record->nets[i].layer_of_unit);
		free(record->nets[i].asked_ns);
	}
	for (i = 0; i < record->worker_count; i++)
		free(record->workers[i].busy);
	free(record->nets);
	free(record->workers);
	*record = (struct mx_record){.nets = NULL};
}

int mx_record_set_units(struct mx_record *record, uint32_t index,
			const struct mx_board_net *net, struct mx_err *err)
{
	struct mx_record_net *out = &record->nets[index];
	const struct mx_board_step *step;
	uint32_t i;

	if (take_units(out, net->unit_count))
		return mx_fail(err, ENOMEM, "queue: no memory for its record");
	/* Backwards: a unit is its first step's layer's. */
	for (i = net->step_count; i-- > 0;) {
		step = &net->steps[i];
		if (step->unit != MX_STEP_NONE)
			out->layer_of_unit[step->unit] = step->layer;
	}
	return 0;
}

/* ---- intervals ---- */

/* Half of them at least go: the shortest gaps. */
static void thin_out(struct mx_record_worker *worker)
{
	size_t i, kept;

	while (worker->busy_count > MX_RECORD_BUSY_MAX / 2) {
		worker->join_ns *= 2;
		for (i = 1, kept = 0; i < worker->busy_count; i++)
			if (worker->busy[i].begin_ns <=
			    worker->busy[kept].end_ns + worker->join_ns)
				worker->busy[kept].end_ns =
					worker->busy[i].end_ns;
			else
				worker->busy[++kept] = worker->busy[i];
		worker->busy_count = kept + 1;
	}
}

static void add_busy(struct mx_record_worker *worker, uint64_t begin_ns,
		     uint64_t end_ns)
{
	struct mx_record_busy *last =
		worker->busy_count ? &worker->busy[worker->busy_count - 1]
				   : NULL;

	if (last && begin_ns <= last->end_ns + worker->join_ns) {
		if (end_ns > last->end_ns)
			last->end_ns = end_ns;
		return;
	}
	if (worker->busy_count == MX_RECORD_BUSY_MAX)
		thin_out(worker);
	worker->busy[worker->busy_count++] =
		(struct mx_record_busy){begin_ns, end_ns};
}

void mx_record_chunk(void *user, const struct mx_chunk_event *event)
{
	struct mx_record *record = user;

	record->nets[event->net].layers[event->layer].exec_ns +=
		event->end_ns - event->begin_ns;
	if (event->worker < record->worker_count)
		add_busy(&record->workers[event->worker], event->begin_ns,
			 event->end_ns);
}

static void note_step(struct mx_record *record,
		      const struct mx_board_event *event)
{
	const struct mx_board_step *step;

	if (!record->simulated)
		return;
	step = &record->simulated[event->job->net].steps[event->step];
	record->nets[event->job->net].layers[step->layer].exec_ns += step->ns;
	if (record->worker_count)
		add_busy(&record->workers[0],
			 event->now_ns > step->ns ? event->now_ns - step->ns
						  : 0,
			 event->now_ns);
}

static void note_unit(struct mx_record *record,
		      const struct mx_board_event *event)
{
	struct mx_record_net *net = &record->nets[event->unit.net];
	const uint32_t unit = event->unit.unit;
	struct mx_record_layer *layer = &net->layers[net->layer_of_unit[unit]];

	if (event->kind == MX_EVENT_LOAD) {
		net->asked_ns[unit] = event->now_ns;
		return;
	}
	layer->load_count++;
	layer->load_ns += event->now_ns - net->asked_ns[unit];
}

void mx_record_event(void *user, const struct mx_board_event *event)
{
	struct mx_record *record = user;

	switch (event->kind) {
	case MX_EVENT_LOAD:
	case MX_EVENT_LOADED:
		note_unit(record, event);
		break;
	case MX_EVENT_STEP_DONE:
		note_step(record, event);
		break;
	case MX_EVENT_LAYER_DONE:
		record->nets[event->job->net].layers[event->layer].exec_count++;
		break;
	default:
		break;
	}
}
