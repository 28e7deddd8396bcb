#include "sched/measure.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/network.h"
#include "sched/cost.h"
#include "sched/memexec.h"

/* The runs of one network on one number of threads. */
struct series {
	const struct mx_network *net;
	const struct mx_measure_opts *opts;
	struct mx_engine *engine;
	uint32_t index;
	struct mx_job **jobs; /* opts->repeats */
	struct mx_job_times *times;
	uint32_t done; /* of all series' runs */
};

static uint64_t span_ns(const struct mx_job_times *times)
{
	return times->finish_ns - times->start_ns - times->stall_ns;
}

static int run(struct series *series, struct mx_job **job,
	       struct mx_job_times *times, struct mx_err *err)
{
	const struct mx_measure_opts *opts = series->opts;
	const uint32_t total = opts->threads * (opts->repeats + 1);
	int rc;

	if (opts->progress &&
	    opts->progress(opts->progress_user, series->done, total))
		return mx_fail(err, ECANCELED, "%s: measuring was stopped",
			       series->net->name);
	rc = mx_engine_submit(series->engine, series->index, NULL, job, err);
	if (rc)
		return rc;
	series->done++;
	return mx_job_wait(*job, times, err);
}

/* The index of the run whose span is the median (the lower of two). */
static uint32_t median_run(const struct mx_job_times *times, uint32_t count)
{
	uint32_t i, k;

	for (i = 0; i < count; i++) {
		uint32_t below = 0;

		for (k = 0; k < count; k++)
			below += span_ns(&times[k]) < span_ns(&times[i]) ||
				 (span_ns(&times[k]) == span_ns(&times[i]) &&
				  k < i);
		if (below == (count - 1) / 2)
			return i;
	}
	assert(0);
	return 0;
}

static int run_series(struct series *series, uint32_t threads,
		      uint64_t *layer_ns, struct mx_err *err)
{
	const uint32_t repeats = series->opts->repeats;
	struct mx_job_times times;
	struct mx_job *warm = NULL;
	uint32_t i;
	int rc;

	rc = mx_engine_add(series->engine, series->net, &series->index, err);
	if (!rc)
		rc = run(series, &warm, &times, err);
	mx_job_free(warm);
	for (i = 0; i < repeats && !rc; i++)
		rc = run(series, &series->jobs[i], &series->times[i], err);
	if (rc)
		return rc;
	i = median_run(series->times, repeats);
	times = series->times[i];
	/* Waiting for slices leaves workers without a part of the layer: then
	 * the span says nothing of how they share it. */
	mx_measure_spread(series->net, mx_job_layer_ns(series->jobs[i]),
			  threads, times.stall_ns ? 0 : span_ns(&times),
			  layer_ns);
	return 0;
}

static int measure_threads(struct series *series, uint32_t threads,
			   uint64_t *layer_ns, struct mx_err *err)
{
	const struct mx_measure_opts *opts = series->opts;
	const struct mx_engine_opts engine = {
		.threads = threads,
		.budget_bytes = opts->budget_bytes,
		.io = opts->io,
		.passes = opts->repeats + 1,
		.log = opts->log,
	};
	uint32_t i;
	int rc;

	rc = mx_engine_open(&series->engine, &engine, err);
	if (rc)
		return rc;
	rc = run_series(series, threads, layer_ns, err);
	for (i = 0; i < opts->repeats; i++) {
		mx_job_free(series->jobs[i]);
		series->jobs[i] = NULL;
	}
	mx_engine_close(series->engine);
	return rc;
}

int mx_measure_layers(const struct mx_network *net,
		      const struct mx_measure_opts *opts, uint64_t *layer_ns,
		      struct mx_err *err)
{
	struct series series = {.net = net, .opts = opts};
	uint32_t t;
	int rc = 0;

	assert(opts->threads > 0 && opts->repeats > 0);
	series.jobs = calloc(opts->repeats, sizeof(struct mx_job *));
	series.times = calloc(opts->repeats, sizeof(*series.times));
	if (!series.jobs || !series.times)
		rc = mx_fail(err, ENOMEM, "%s: no memory to measure",
			     net->name);
	for (t = 1; t <= opts->threads && !rc; t++)
		rc = measure_threads(
			&series, t,
			layer_ns + (size_t)(t - 1) * net->layer_count, err);
	free(series.jobs);
	free(series.times);
	return rc;
}

void mx_measure_spread(const struct mx_network *net, const uint64_t *worker_ns,
		       uint32_t threads, uint64_t total_ns, uint64_t *wall_ns)
{
	double sum = 0;
	double scale = 1;
	uint32_t i;

	for (i = 0; i < net->layer_count; i++)
		sum += (double)worker_ns[i] / threads *
		       mx_cost_imbalance(&net->layers[i], threads);
	if (total_ns && sum > 0)
		scale = (double)total_ns / sum;
	for (i = 0; i < net->layer_count; i++) {
		const double ns = (double)worker_ns[i] / threads * scale *
				  mx_cost_imbalance(&net->layers[i], threads);

		wall_ns[i] = ns < 1 ? 1 : (uint64_t)(ns + 0.5);
	}
}
