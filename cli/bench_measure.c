#include "cli/bench_measure.h"

#include <stdint.h>

#include "cli/bench_report.h"
#include "cli/cold.h"
#include "cli/guard.h"
#include "lib/network.h"
#include "sched/memexec.h"

/* An engine for one network, and its wall where paging is the kernel's. */
struct rig {
	struct mx_wall *wall;
	struct mx_engine *engine;
	uint32_t index;
	uint64_t read_bytes; /* up to the last run */
	uint64_t major_faults;
};

static void rig_close(struct rig *rig)
{
	mx_engine_close(rig->engine);
	mx_guard_lower(rig->wall);
	*rig = (struct rig){.engine = NULL};
}

static int rig_open(struct rig *rig, const struct mx_bench_point *point,
		    uint32_t passes, const struct mx_bench_opts *opts,
		    struct mx_err *err)
{
	const struct mx_engine_opts engine = {
		.threads = point->threads,
		.budget_bytes = point->paging == MX_BENCH_PLAN
					? point->budget_bytes
					: 0,
		.io = opts->io,
		.flags = opts->flags,
		.policy = point->policy,
		.passes = passes,
		.log = opts->log,
	};
	int rc = 0;

	*rig = (struct rig){.engine = NULL};
	if (point->paging == MX_BENCH_MMAP)
		rc = mx_guard_raise(&rig->wall, "require", point->budget_bytes,
				    opts->log, err);
	if (!rc)
		rc = mx_engine_open(&rig->engine, &engine, err);
	if (!rc)
		rc = mx_engine_add(rig->engine, point->net, &rig->index, err);
	if (!rc)
		rc = mx_engine_start(rig->engine, err);
	if (rc)
		rig_close(rig);
	return rc;
}

/* One run; sample @sample of @point, or MX_NONE to measure nothing. */
static int rig_run(struct rig *rig, struct mx_bench_point *point,
		   uint32_t sample, struct mx_err *err)
{
	struct mx_engine_totals totals;
	struct mx_job_times times;
	struct mx_job *job;
	const uint64_t *ns;
	uint32_t i;
	int rc;

	rc = mx_engine_submit(rig->engine, rig->index, NULL, &job, err);
	if (rc)
		return rc;
	rc = mx_job_wait(job, &times, err);
	mx_engine_totals(rig->engine, &totals);
	if (!rc && sample != MX_NONE) {
		point->samples_ns[sample] = times.finish_ns - times.arrival_ns;
		point->read_bytes[sample] = totals.read_bytes - rig->read_bytes;
		point->major_faults += totals.major_faults - rig->major_faults;
		ns = mx_job_layer_ns(job);
		for (i = 0; point->layer_ns && i < point->net->layer_count; i++)
			point->layer_ns[i] += ns[i];
	}
	rig->read_bytes = totals.read_bytes;
	rig->major_faults = totals.major_faults;
	mx_job_free(job);
	return rc;
}

/* A first run brings in what stays. */
static int measure_warm(struct mx_bench_point *point,
			const struct mx_bench_opts *opts, struct mx_err *err)
{
	struct rig rig;
	uint32_t i;
	int rc;

	rc = rig_open(&rig, point, point->sample_count + 1, opts, err);
	if (rc)
		return rc;
	rc = rig_run(&rig, point, MX_NONE, err);
	for (i = 0; !rc && i < point->sample_count; i++)
		rc = rig_run(&rig, point, i, err);
	rig_close(&rig);
	return rc;
}

/* Each run is an engine's first, and the page cache has nothing. */
static int measure_cold(struct mx_bench_point *point,
			const struct mx_bench_opts *opts, struct mx_err *err)
{
	struct rig rig;
	uint32_t i;
	int rc = 0;

	for (i = 0; !rc && i < point->sample_count; i++) {
		/* What stays is said once. */
		rc = mx_cold_start(point->net, i ? NULL : opts->log, err);
		if (!rc)
			rc = rig_open(&rig, point, 1, opts, err);
		if (rc)
			return rc;
		rc = rig_run(&rig, point, i, err);
		rig_close(&rig);
	}
	return rc;
}

int mx_bench_measure(struct mx_bench_point *point,
		     const struct mx_bench_opts *opts, struct mx_err *err)
{
	uint32_t i;
	int rc;

	rc = point->cold ? measure_cold(point, opts, err)
			 : measure_warm(point, opts, err);
	for (i = 0; !rc && point->layer_ns && i < point->net->layer_count; i++)
		point->layer_ns[i] /= point->sample_count;
	return rc;
}
