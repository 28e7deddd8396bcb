#include "cli/costs.h"

#include <errno.h>
#include <stdlib.h>

#include "cli/session.h"
#include "lib/blas.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/network.h"
#include "loader/profile.h"
#include "sched/calibrate.h"
#include "sched/host.h"

static int calibrate(const struct mx_costs_opts *opts, struct mx_rates *rates,
		     struct mx_err *err)
{
	int rc;

	rc = mx_calibrate(opts->threads, rates, err);
	if (!rc)
		mx_log(opts->log, MX_LOG_DEBUG,
		       "costs: %.1f GMAC/s, %.1f GB/s from memory",
		       (double)rates->macs_per_s / 1e9,
		       (double)rates->memory_bytes_per_s / 1e9);
	return rc;
}

/* What a network's profile says into @source, if it is one of this machine;
 * @profile holds the numbers. */
static int look_up(const struct mx_task *task, const char *host,
		   const struct mx_log *log, struct mx_profile *profile,
		   struct mx_cost_source *source)
{
	enum mx_profile_match match;
	struct mx_err why;
	int rc;

	why.text[0] = '\0';
	rc = mx_profile_read(profile, task->directory, source->net, host,
			     &match, &why);
	if (rc == -ENOMEM)
		return rc;
	if (rc) {
		/* A bad profile is as good as none, but for saying so. */
		mx_log(log, MX_LOG_WARNING, "%s: times are estimated",
		       why.text);
		return 0;
	}
	if (match == MX_PROFILE_OTHER_HOST || match == MX_PROFILE_OTHER_MODEL)
		mx_log(log, MX_LOG_INFO,
		       "%s: its profile is for another %s: times are estimated",
		       task->name,
		       match == MX_PROFILE_OTHER_HOST ? "machine" : "model");
	if (match != MX_PROFILE_APPLIES)
		return 0;
	if (profile->thread_count) {
		source->layer_ns = profile->layer_ns;
		source->measured_threads = profile->thread_count;
	}
	if (!source->read_bytes_per_s)
		source->read_bytes_per_s = profile->read_bytes_per_s;
	source->latency_ns = profile->latency_ns;
	return 0;
}

/* Rates are not needed where every layer was measured so. */
static int needs_rates(const struct mx_cost_source *sources, uint32_t count,
		       uint32_t threads)
{
	uint32_t i;

	for (i = 0; i < count; i++)
		if (!sources[i].layer_ns ||
		    sources[i].measured_threads < threads)
			return 1;
	return 0;
}

static int gather(struct mx_costs *costs, const struct mx_session *session,
		  const struct mx_costs_opts *opts,
		  struct mx_cost_source *sources, struct mx_profile *profiles,
		  struct mx_err *err)
{
	char host[MX_HOST_TEXT_BYTES];
	const struct mx_blas *blas;
	struct mx_rates rates;
	uint32_t count = 0;
	size_t i;
	int rc;

	rc = mx_blas_open(&blas, err);
	if (rc)
		return rc;
	mx_host_text(blas->core, host);
	for (i = 0; i < session->task_count; i++) {
		const struct mx_task *task = &session->tasks[i];

		if (task->sharer)
			continue;
		sources[count] = (struct mx_cost_source){
			.net = task->feed.net,
			.read_bytes_per_s = opts->read_bytes_per_s,
			.kernels = session->opts.flags & MX_SESSION_EXACT
					   ? MX_COST_EXACT
					   : MX_COST_BEST,
		};
		if (look_up(task, host, opts->log, &profiles[count],
			    &sources[count]))
			return mx_fail(err, ENOMEM, "%s: no memory",
				       task->name);
		count++;
	}
	if (!needs_rates(sources, count, opts->threads))
		return mx_costs_init(costs, sources, count, opts->threads, NULL,
				     err);
	rc = 0;
	if (opts->rates)
		rates = *opts->rates;
	else
		rc = calibrate(opts, &rates, err);
	return rc ? rc
		  : mx_costs_init(costs, sources, count, opts->threads, &rates,
				  err);
}

int mx_costs_of_session(struct mx_costs *costs,
			const struct mx_session *session,
			const struct mx_costs_opts *opts, struct mx_err *err)
{
	const size_t room = session->task_count + 1;
	struct mx_cost_source *sources;
	struct mx_profile *profiles;
	size_t i;
	int rc;

	sources = calloc(room, sizeof(*sources));
	profiles = calloc(room, sizeof(*profiles));
	if (sources && profiles)
		rc = gather(costs, session, opts, sources, profiles, err);
	else
		rc = mx_fail(err, ENOMEM, "no memory for costs");
	for (i = 0; profiles && i < room; i++)
		mx_profile_fini(&profiles[i]);
	free(profiles);
	free(sources);
	return rc;
}
