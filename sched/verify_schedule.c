#include "sched/verify_schedule.h"

#include <errno.h>
#include <inttypes.h>

#include "lib/err.h"
#include "sched/instance.h"

/* A layer with its place and its tasks' times. */
struct placed {
	const struct mx_instance_net *net;
	const struct mx_instance_layer *layer;
	const struct mx_schedule_layer *when;
	uint32_t net_index;
	uint32_t layer_index;
};

struct verifier {
	const struct mx_schedule *schedule;
	const struct mx_instance *instance;
	struct mx_err *err;
};

static int has_load(const struct placed *at)
{
	return at->layer->weight_bytes > 0;
}

static uint64_t load_end(const struct placed *at)
{
	return at->when->load_ns + at->layer->load_ns;
}

static uint64_t exec_end(const struct placed *at)
{
	return at->when->exec_ns + at->layer->exec_ns;
}

/* The first layer of all, and the next one. Returns 0 behind the last. */
static int first(const struct verifier *v, struct placed *at)
{
	*at = (struct placed){
		.net = &v->instance->nets[0],
		.layer = v->instance->nets[0].layers,
		.when = v->schedule->layers,
	};
	return 1;
}

static int next(const struct verifier *v, struct placed *at)
{
	at->when++;
	at->layer++;
	if (++at->layer_index < at->net->layer_count)
		return 1;
	if (++at->net_index == v->instance->net_count)
		return 0;
	at->net++;
	at->layer = at->net->layers;
	at->layer_index = 0;
	return 1;
}

static int bad(const struct verifier *v, const char *task,
	       const struct placed *at, uint64_t at_ns, const char *why)
{
	return mx_fail(v->err, EINVAL,
		       "schedule: %s of layer %u of network %u, at %" PRIu64
		       " ns: %s",
		       task, at->layer_index, at->net_index, at_ns, why);
}

static int check_order(const struct verifier *v, const struct placed *at)
{
	const uint64_t exec_ns = at->when->exec_ns;
	struct placed before = *at;

	if (has_load(at)) {
		if (at->when->load_ns == MX_TIME_NEVER)
			return bad(v, "LOAD", at, exec_ns, "there is none");
		if (at->when->load_ns < at->net->release_ns)
			return bad(v, "LOAD", at, at->when->load_ns,
				   "before the release");
		if (exec_ns < load_end(at))
			return bad(v, "EXEC", at, exec_ns,
				   "before its LOAD has ended");
	} else if (at->when->load_ns != MX_TIME_NEVER) {
		return bad(v, "LOAD", at, at->when->load_ns,
			   "the layer has no weights");
	}
	if (exec_ns < at->net->release_ns)
		return bad(v, "EXEC", at, exec_ns, "before the release");
	if (!at->layer_index)
		return 0;
	before.when--;
	before.layer--;
	return exec_ns < exec_end(&before)
		       ? bad(v, "EXEC", at, exec_ns,
			     "before the one before has ended")
		       : 0;
}

/* How long the storage reads a reread. */
static uint64_t reread_end(const struct verifier *v,
			   const struct mx_schedule_reread *reread)
{
	return reread->start_ns +
	       v->instance->nets[reread->net].layers[reread->layer].load_ns;
}

static int overlaps(uint64_t start_a, uint64_t end_a, uint64_t start_b,
		    uint64_t end_b)
{
	return start_a < end_b && start_b < end_a;
}

/* No other read overlaps [@start_ns, @end_ns), which is @at's LOAD, or reread
 * @index (then @at is its layer). */
static int check_storage(const struct verifier *v, const struct placed *at,
			 uint64_t start_ns, uint64_t end_ns, size_t index)
{
	const struct mx_schedule_reread *reread;
	struct placed other;
	int more;
	size_t i;

	for (more = first(v, &other); more; more = next(v, &other))
		if (has_load(&other) &&
		    (index < v->schedule->reread_count ||
		     other.when != at->when) &&
		    overlaps(start_ns, end_ns, other.when->load_ns,
			     load_end(&other)))
			return bad(v, "LOAD", at, start_ns,
				   "another one is under way");
	for (i = 0; i < v->schedule->reread_count; i++) {
		reread = &v->schedule->rereads[i];
		if (i != index && overlaps(start_ns, end_ns, reread->start_ns,
					   reread_end(v, reread)))
			return bad(v, "LOAD", at, start_ns,
				   "a layer is being read again");
	}
	return 0;
}

static uint32_t running_at(const struct verifier *v, uint64_t at_ns)
{
	struct placed at;
	uint32_t count = 0;
	int more;

	for (more = first(v, &at); more; more = next(v, &at))
		count += at.when->exec_ns <= at_ns && at_ns < exec_end(&at);
	return count;
}

/* What is in use at @at_ns, whose starts are made. */
static uint64_t used_at(const struct verifier *v, uint64_t at_ns)
{
	const struct mx_schedule_reread *reread;
	uint64_t bytes = 0;
	struct placed at;
	int more, last;
	size_t i;

	for (more = first(v, &at); more; more = next(v, &at)) {
		last = at.layer_index + 1 == at.net->layer_count;
		if (has_load(&at) && at.when->load_ns <= at_ns &&
		    at_ns < exec_end(&at))
			bytes += at.layer->weight_bytes;
		if (at.when->exec_ns <= at_ns && at_ns < exec_end(&at))
			bytes += at.layer->run_bytes;
		else if (!last && exec_end(&at) <= at_ns &&
			 at_ns < at.when[1].exec_ns)
			bytes += at.layer->keep_bytes;
	}
	for (i = 0; i < v->schedule->reread_count; i++) {
		reread = &v->schedule->rereads[i];
		if (reread->start_ns <= at_ns && at_ns < reread->gone_ns)
			bytes += v->instance->nets[reread->net]
					 .layers[reread->layer]
					 .weight_bytes;
	}
	return bytes;
}

static int check_memory(const struct verifier *v, const char *task,
			const struct placed *at, uint64_t at_ns)
{
	return used_at(v, at_ns) > v->instance->budget_bytes
		       ? bad(v, task, at, at_ns, "the budget is exceeded")
		       : 0;
}

static int check_resources(const struct verifier *v, const struct placed *at)
{
	const struct mx_schedule_layer *when = at->when;
	int rc = 0;

	if (running_at(v, when->exec_ns) > v->instance->processors)
		return bad(v, "EXEC", at, when->exec_ns,
			   "all processors are busy");
	if (has_load(at))
		rc = check_storage(v, at, when->load_ns, load_end(at),
				   SIZE_MAX);
	if (!rc && has_load(at))
		rc = check_memory(v, "LOAD", at, when->load_ns);
	return rc ? rc : check_memory(v, "EXEC", at, when->exec_ns);
}

/* @at is the layer of reread @index. */
static int check_reread(const struct verifier *v, const struct placed *at,
			size_t index)
{
	const struct mx_schedule_reread *reread = &v->schedule->rereads[index];
	int rc;

	if (reread->start_ns < at->net->release_ns)
		return bad(v, "LOAD", at, reread->start_ns,
			   "before the release");
	if (reread->gone_ns < reread_end(v, reread))
		return bad(v, "LOAD", at, reread->start_ns,
			   "gone before it was there");
	rc = check_storage(v, at, reread->start_ns, reread_end(v, reread),
			   index);
	return rc ? rc : check_memory(v, "LOAD", at, reread->start_ns);
}

int mx_schedule_verify(const struct mx_schedule *schedule,
		       const struct mx_instance *instance, struct mx_err *err)
{
	const struct verifier v = {schedule, instance, err};
	struct placed at;
	int more, rc = 0;
	size_t i;

	for (more = first(&v, &at); !rc && more; more = next(&v, &at)) {
		rc = check_order(&v, &at);
		if (!rc)
			rc = check_resources(&v, &at);
		for (i = 0; !rc && i < schedule->reread_count; i++)
			if (schedule->rereads[i].net == at.net_index &&
			    schedule->rereads[i].layer == at.layer_index)
				rc = check_reread(&v, &at, i);
	}
	return rc;
}
