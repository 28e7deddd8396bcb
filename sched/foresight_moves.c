/*
 * What foresight tries out: reads and helps that can be done now, and waiting.
 * A job's first missing unit may have no room while a later one has: reading
 * that one first uses the time.
 */
#include "sched/foresight_impl.h"

#include <stddef.h>

/* So many missing units of a job are skipped for one that has room. */
#define SKIPPED_MAX 2

/* A rollout's read: of @job, the first missing unit but @skip. Returns 1 or 0.
 */
static int load_for(struct mx_foresight *fs, const struct mx_board_job *job,
		    uint32_t skip, struct mx_unit_ref *out, uint64_t *use)
{
	const struct mx_wave_net *net = &fs->nets[job->net];
	const struct mx_wave *wave = job->state == MX_JOB_WAITING
					     ? &net->waves[MX_WAVE_PENDING]
					     : mx_wave_of(job);
	uint32_t unit = mx_wave_unit_at(net, job->next_step);

	while (unit < net->net->unit_count &&
	       (!mx_wave_is_absent(fs, net, unit) || skip-- > 0))
		unit++;
	if (unit == net->net->unit_count)
		return 0;
	*out = mx_wave_ref(net, unit);
	*use = mx_foresight_use(wave, unit);
	return 1;
}

/* The reads that there is room for, as far as skipping others goes. */
static uint32_t list_loads(struct mx_foresight *fs,
			   const struct mx_trial *trial,
			   struct mx_rollout_move *moves)
{
	struct mx_unit_ref ref;
	uint32_t count = 0;
	uint32_t skip, i;
	uint64_t use;

	for (i = 0; i < trial->rollout.job_count; i++) {
		const uint32_t job = trial->order[i];

		for (skip = 0; skip <= SKIPPED_MAX; skip++) {
			if (!load_for(fs, trial->jobs[job], skip, &ref, &use))
				break;
			if (!mx_board_has_room(fs->board, ref, use))
				continue;
			moves[count++] = (struct mx_rollout_move){
				MX_ROLLOUT_LOAD, job, skip};
		}
	}
	return count;
}

int mx_moves_try_loads(struct mx_foresight *fs, struct mx_unit_ref *out,
		       uint64_t *use, int *found)
{
	struct mx_rollout_move moves[MX_ROLLOUT_JOBS * (SKIPPED_MAX + 1) + 1];
	struct mx_rollout_move best;
	struct mx_trial trial;
	uint32_t count;

	if (!mx_trial_init(&trial, fs))
		return 0;
	count = list_loads(fs, &trial, moves);
	*found = 0;
	if (count == 0)
		return 1;
	if (mx_trial_can_wait(&trial))
		moves[count++] = (struct mx_rollout_move){MX_ROLLOUT_LOAD,
							  MX_ROLLOUT_JOBS, 0};
	best = moves[mx_rollout_choose(&trial.rollout, trial.order, moves,
				       count)];
	*found = best.job < MX_ROLLOUT_JOBS &&
		 load_for(fs, trial.jobs[best.job], best.skip, out, use);
	return 1;
}

int mx_moves_try_helps(struct mx_foresight *fs, struct mx_board_job **found)
{
	struct mx_rollout_move moves[MX_ROLLOUT_JOBS + 1];
	struct mx_trial trial;
	uint32_t count = 0;
	uint32_t i;

	if (!mx_trial_init(&trial, fs))
		return 0;
	for (i = 0; i < trial.rollout.job_count; i++) {
		struct mx_board_job *job = trial.jobs[trial.order[i]];
		struct mx_wave_net *net = &fs->nets[job->net];

		if (job->state == MX_JOB_WAITING
			    ? job == mx_board_waiting(fs->board, job->net) &&
				      mx_foresight_can_begin(fs, net, job) &&
				      mx_wave_is_resident(
					      fs, net, mx_wave_unit_at(net, 0))
			    : mx_board_is_ready(fs->board, job))
			moves[count++] = (struct mx_rollout_move){
				MX_ROLLOUT_HELP, trial.order[i], 0};
	}
	*found = NULL;
	if (count == 0)
		return 1;
	if (mx_trial_can_wait(&trial))
		moves[count++] = (struct mx_rollout_move){MX_ROLLOUT_HELP,
							  MX_ROLLOUT_JOBS, 0};
	i = moves[mx_rollout_choose(&trial.rollout, trial.order, moves, count)]
		    .job;
	if (i < MX_ROLLOUT_JOBS)
		*found = trial.jobs[i];
	return 1;
}
