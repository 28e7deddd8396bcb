/*
 * What happens on a board.
 *
 * Invariants between calls (mx_board_assert_ok() checks them):
 *
 *  (1) A network's waiting list has its WAITING jobs by id, the running list
 *      all RUNNING jobs by admission; nothing else.
 *  (2) A RUNNING job has an arena, and nobody else has; it is of its layer's
 *      arena_bytes.
 *  (3) A unit is held once for each of its steps that is being computed (begun
 *      and not done), and by nobody else; so it is RESIDENT.
 *  (4) consumed[] of a unit is the number of RUNNING jobs that have done all
 *      of its steps.
 *  (5) A RUNNING job that came to a FAILED unit, or was cancelled, has a
 *      status, and then something of it is being done: a step, or its inputs.
 *
 * No deadlock. Say that nothing is being done: no step is computed, no input
 * prepared, no read under way; then by (3) nothing is held, and every unit in
 * memory that is not pinned can be evicted.
 *
 *  - With no job RUNNING there is no arena, so the arena of every WAITING job
 *    fits: mx_board_new() has made sure that the largest arena fits beside the
 *    pinned units and the room that arenas leave, and there is nothing else
 *    that cannot be evicted. mx_board_fits() says so: what it counts as in the
 *    way for good is other arenas alone, and a failure that it remembers is
 *    forgotten when room is made, which the last thing that was done has done.
 *  - With jobs RUNNING, take the one whose next unit the policy needs first.
 *    By (5) it has no status. If the unit is there (or there is none), it is
 *    ready. If not, the unit has room: arenas leave room for the largest unit
 *    beside the pinned ones, and who is in that room is needed later than the
 *    unit that is needed first of all, or by a job that is ready.
 *  - A ready job's step ends without waiting for anything, and a job has a
 *    finite number of them. Arenas only shrink while it runs, and go at its
 *    end.
 *
 * What is left to the policy is to want something: that it picks a ready job
 * or one that fits when there is one, and else the missing unit that it needs
 * first; and that its next_use says the same.
 */
#include "sched/board.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "pager/residency.h"
#include "sched/board_impl.h"
#include "sched/policy.h"

#define WORD_BITS 64
#define NO_UNIT ((struct mx_unit_ref){MX_STEP_NONE, MX_STEP_NONE})

static const struct mx_board_net *net_of(const struct mx_board *board,
					 const struct mx_board_job *job)
{
	return &board->opts.nets[job->net];
}

static struct mx_board_home *home_of(const struct mx_board *board,
				     const struct mx_board_job *job)
{
	return &board->homes[job->net];
}

static struct mx_board_entry *entry_of(struct mx_board_job *job)
{
	return (struct mx_board_entry *)job;
}

/* ---- events ---- */

static void emit(struct mx_board *board, struct mx_board_event event)
{
	struct mx_residency_totals memory;

	event.now_ns = board->now_ns;
	board->changes++;
	if (board->opts.policy->event)
		board->opts.policy->event(board->policy_state, board, &event);
	if (!board->opts.observer)
		return;
	mx_residency_totals(board->residency, &memory);
	event.weight_bytes = memory.pinned_bytes + memory.unit_bytes;
	event.activation_bytes = memory.arena_bytes;
	event.moved_bytes = memory.moved_bytes;
	board->opts.observer(board->opts.observer_user, &event);
}

static void emit_job(struct mx_board *board, enum mx_event_kind kind,
		     struct mx_board_job *job)
{
	emit(board, (struct mx_board_event){
			    .kind = kind,
			    .job = job,
			    .unit = {job->net, job->failed_unit},
			    .step = job->next_step,
			    .layer = job->layer,
			    .status = job->status,
		    });
}

static void emit_unit(struct mx_board *board, enum mx_event_kind kind,
		      struct mx_unit_ref ref, int status)
{
	emit(board, (struct mx_board_event){
			    .kind = kind,
			    .unit = ref,
			    .step = MX_STEP_NONE,
			    .status = status,
		    });
}

static void emit_step(struct mx_board *board, enum mx_event_kind kind,
		      struct mx_board_job *job, uint32_t step, uint32_t layer)
{
	emit(board, (struct mx_board_event){
			    .kind = kind,
			    .job = job,
			    .unit = NO_UNIT,
			    .step = step,
			    .layer = layer,
		    });
}

/* What the residency has dropped in this call: it is in order again. */
static void emit_drops(struct mx_board *board)
{
	uint32_t i;

	for (i = 0; i < board->dropped_count; i++)
		emit_unit(board, MX_EVENT_DROPPED, board->dropped[i], 0);
	board->dropped_count = 0;
}

static void advance(struct mx_board *board, uint64_t now_ns)
{
	if (now_ns > board->now_ns)
		board->now_ns = now_ns;
}

/* An arena that found no place may find one now. */
static void made_room(struct mx_board *board)
{
	board->blocked_bytes = UINT64_MAX;
}

/* ---- units ---- */

static uint32_t users(const struct mx_board_home *home, uint32_t unit)
{
	return home->running_count - home->consumed[unit];
}

/* Does a policy with that trait drop units? Without a limit nobody gains. */
static int drops(const struct mx_board *board, enum mx_policy_traits trait)
{
	return (board->opts.policy->traits & trait) &&
	       board->opts.memory_bytes != MX_RESIDENCY_UNLIMITED;
}

static void drop(struct mx_board *board, struct mx_unit_ref ref)
{
	if (mx_residency_state(board->residency, ref) == MX_UNIT_FAILED) {
		board->homes[ref.net].failed_count--;
		board->dropped[board->dropped_count++] = ref;
	}
	mx_residency_drop(board->residency, ref);
	made_room(board);
}

/* The job has done a step of the unit. */
static void consume(struct mx_board *board, struct mx_board_job *job,
		    uint32_t unit)
{
	const struct mx_unit_ref ref = {job->net, unit};
	struct mx_board_home *home = home_of(board, job);

	if (!mx_board_has_consumed(board, job, unit))
		return;
	home->consumed[unit]++;
	if (drops(board, MX_POLICY_DROPS) && users(home, unit) == 0)
		drop(board, ref);
}

/*
 * A job that was RUNNING has ended: units that failed are forgotten if nobody
 * else needs them, and, if it was not FINISHED or the policy drops at the end,
 * what was loaded for it.
 */
static void give_up_units(struct mx_board *board, struct mx_board_job *job)
{
	struct mx_board_home *home = home_of(board, job);
	const uint32_t count = net_of(board, job)->unit_count;
	const int wasted =
		drops(board, MX_POLICY_DROPS_AT_END) ||
		(job->state != MX_JOB_FINISHED &&
		 (home->live_count == 0 || drops(board, MX_POLICY_DROPS)));
	uint32_t i;

	if (!wasted && home->failed_count == 0)
		return;
	for (i = 0; i < count; i++) {
		const struct mx_unit_ref ref = {job->net, i};
		const enum mx_unit_state state =
			mx_residency_state(board->residency, ref);

		if (users(home, i) == 0 &&
		    (state == MX_UNIT_FAILED ||
		     (wasted && state == MX_UNIT_RESIDENT)))
			drop(board, ref);
	}
}

/* ---- a job's end ---- */

static void end(struct mx_board *board, struct mx_board_job *job,
		enum mx_job_state state)
{
	struct mx_board_home *home = home_of(board, job);
	const uint32_t count = net_of(board, job)->unit_count;
	const enum mx_job_state was = job->state;
	uint32_t i;

	home->live_count--;
	if (was == MX_JOB_WAITING)
		mx_board_leave_waiting(board, job);
	if (was == MX_JOB_RUNNING) {
		for (i = 0; i < count; i++)
			if (mx_board_has_consumed(board, job, i))
				home->consumed[i]--;
		mx_board_leave_running(board, job);
		mx_residency_arena_give(board->residency, job->arena_offset);
		job->arena_bytes = 0;
		made_room(board);
	}
	job->state = state;
	job->finish_ns = board->now_ns;
	if (was == MX_JOB_RUNNING)
		give_up_units(board, job);
	emit_drops(board);
	emit_job(board, MX_EVENT_ENDED, job);
}

/* A RUNNING job with a status ends when nothing is being done for it. */
static int end_if_idle(struct mx_board *board, struct mx_board_job *job)
{
	if (!job->status || job->busy_steps || !job->prepared)
		return 0;
	end(board, job, entry_of(job)->ends_as);
	return 1;
}

/* Does the job, which may go on, come to a unit that failed? 1: it has ended.
 */
static int meet_failure(struct mx_board *board, struct mx_board_job *job)
{
	const struct mx_board_net *net = net_of(board, job);
	struct mx_unit_ref ref = {job->net, MX_STEP_NONE};

	if (home_of(board, job)->failed_count == 0 || job->status ||
	    job->next_step == net->step_count)
		return 0;
	ref.unit = net->steps[job->next_step].unit;
	if (ref.unit == MX_STEP_NONE ||
	    mx_residency_state(board->residency, ref) != MX_UNIT_FAILED)
		return 0;
	job->status = mx_residency_status(board->residency, ref);
	job->failed_unit = ref.unit;
	entry_of(job)->ends_as = MX_JOB_FAILED;
	return end_if_idle(board, job);
}

/* ---- the driver's side ---- */

struct mx_board_job *mx_board_arrive(struct mx_board *board,
				     const struct mx_board_arrival *arrival,
				     uint64_t now_ns)
{
	struct mx_board_job *job = mx_board_take_job(board);

	if (!job)
		return NULL;
	assert(arrival->net < board->opts.net_count);
	advance(board, now_ns);
	*job = (struct mx_board_job){
		.id = board->next_id++,
		.net = arrival->net,
		.arrival = arrival->arrival,
		.state = arrival->held ? MX_JOB_HELD : MX_JOB_WAITING,
		.arrival_ns = arrival->arrival_ns,
		.chance = arrival->chance,
		.user = arrival->user,
		.failed_unit = MX_STEP_NONE,
	};
	home_of(board, job)->live_count++;
	if (!arrival->held)
		mx_board_join_waiting(board, job);
	emit_job(board, MX_EVENT_ARRIVED, job);
	return job;
}

void mx_board_release(struct mx_board *board, struct mx_board_job *job,
		      uint64_t now_ns)
{
	assert(job->state == MX_JOB_HELD);
	advance(board, now_ns);
	job->state = MX_JOB_WAITING;
	mx_board_join_waiting(board, job);
	emit_job(board, MX_EVENT_RELEASED, job);
}

void mx_board_cancel(struct mx_board *board, struct mx_board_job *job,
		     int status, uint64_t now_ns)
{
	const enum mx_job_state as = status ? MX_JOB_FAILED : MX_JOB_CANCELLED;

	if (job->state > MX_JOB_RUNNING || job->status)
		return;
	advance(board, now_ns);
	job->status = status ? status : -ECANCELED;
	entry_of(job)->ends_as = as;
	board->changes++;
	if (job->state != MX_JOB_RUNNING)
		end(board, job, as);
	else
		(void)end_if_idle(board, job);
}

/* The job's steps of its layer are all still to be done. */
static void begin_layer(struct mx_board *board, struct mx_board_job *job)
{
	const struct mx_board_net *net = net_of(board, job);
	const uint32_t count = net->layers[job->layer].step_count;

	assert(job->next_step == net->layers[job->layer].first_step);
	job->steps_left = count;
	memset(entry_of(job)->done, 0, (count + 7) / 8);
}

/* Returns 0 if there is no place for its arena now. */
static int admit(struct mx_board *board, struct mx_board_job *job)
{
	const uint64_t bytes = net_of(board, job)->arena_bytes;

	/* Nothing is needed sooner than what a worker has time for now. */
	if (mx_residency_arena(board->residency, bytes, 0, &job->arena_offset))
		return 0;
	mx_board_leave_waiting(board, job);
	job->state = MX_JOB_RUNNING;
	job->arena_bytes = bytes;
	job->admitted_ns = board->now_ns;
	mx_board_join_running(board, job);
	begin_layer(board, job);
	emit_drops(board);
	emit_job(board, MX_EVENT_ADMITTED, job);
	return 1;
}

struct mx_work mx_board_work(struct mx_board *board, uint64_t now_ns)
{
	const struct mx_policy *policy = board->opts.policy;
	struct mx_work work = {MX_WORK_NONE, NULL};

	if (board->helped_out == board->changes)
		return work;
	advance(board, now_ns);
	for (;;) {
		work.job = policy->next_help(board->policy_state, board);
		if (!work.job)
			break;
		if (work.job->state == MX_JOB_RUNNING) {
			assert(mx_board_is_ready(board, work.job));
			work.kind = MX_WORK_STEP;
			return work;
		}
		assert(work.job->state == MX_JOB_WAITING);
		assert(mx_board_fits(board, work.job));
		work.kind = MX_WORK_PREPARE;
		if (admit(board, work.job))
			return work;
		/* What is held is in the way: another job, then. */
		board->blocked_bytes = net_of(board, work.job)->arena_bytes;
	}
	board->helped_out = board->changes;
	work.kind = MX_WORK_NONE;
	return work;
}

void mx_board_prepared(struct mx_board *board, struct mx_board_job *job,
		       uint64_t now_ns)
{
	assert(job->state == MX_JOB_RUNNING && !job->prepared);
	advance(board, now_ns);
	job->prepared = 1;
	emit_job(board, MX_EVENT_PREPARED, job);
	if (!end_if_idle(board, job))
		(void)meet_failure(board, job);
}

void mx_board_begin(struct mx_board *board, struct mx_board_job *job,
		    uint64_t now_ns)
{
	const uint32_t step = job->next_step;
	const struct mx_unit_ref ref = {job->net,
					net_of(board, job)->steps[step].unit};

	assert(mx_board_is_ready(board, job));
	advance(board, now_ns);
	job->busy_steps++;
	if (ref.unit != MX_STEP_NONE) {
		mx_residency_hold(board->residency, ref);
		mx_residency_touch(board->residency, ref);
	}
	emit_step(board, MX_EVENT_STEP_TAKEN, job, step, job->layer);
}

void mx_board_taken(struct mx_board *board, struct mx_board_job *job)
{
	assert(job->busy_steps > 0);
	job->next_step++;
	board->changes++;
	(void)meet_failure(board, job);
}

static void finish_layer(struct mx_board *board, struct mx_board_job *job)
{
	const struct mx_board_net *net = net_of(board, job);
	const uint32_t layer = job->layer++;

	if (job->layer < net->layer_count) {
		const uint64_t bytes = net->layers[job->layer].arena_bytes;

		begin_layer(board, job);
		if (bytes < job->arena_bytes) {
			job->arena_offset = mx_residency_arena_shrink(
				board->residency, job->arena_offset, bytes);
			job->arena_bytes = bytes;
			made_room(board);
		}
	}
	emit_step(board, MX_EVENT_LAYER_DONE, job, MX_STEP_NONE, layer);
}

void mx_board_done(struct mx_board *board, struct mx_board_job *job,
		   uint32_t step, uint64_t now_ns)
{
	const struct mx_board_net *net = net_of(board, job);
	const struct mx_unit_ref ref = {job->net, net->steps[step].unit};
	const uint32_t index = step - net->layers[job->layer].first_step;
	uint64_t *word = &entry_of(job)->done[index / WORD_BITS];
	const uint64_t bit = UINT64_C(1) << index % WORD_BITS;

	assert(job->state == MX_JOB_RUNNING && job->busy_steps > 0);
	assert(step < job->next_step && net->steps[step].layer == job->layer);
	assert(!(*word & bit));
	advance(board, now_ns);
	*word |= bit;
	job->busy_steps--;
	job->steps_left--;
	if (ref.unit != MX_STEP_NONE) {
		mx_residency_release(board->residency, ref);
		made_room(board);
		consume(board, job, ref.unit);
	}
	emit_step(board, MX_EVENT_STEP_DONE, job, step, job->layer);
	emit_drops(board);
	if (end_if_idle(board, job) || job->steps_left > 0)
		return;
	finish_layer(board, job);
	if (job->layer == net->layer_count)
		end(board, job, MX_JOB_FINISHED);
}

int mx_board_load(struct mx_board *board, uint64_t now_ns,
		  struct mx_unit_ref *out)
{
	const struct mx_policy *policy = board->opts.policy;
	uint64_t use = MX_USE_NEVER;

	if (board->loaded_out == board->changes)
		return 0;
	advance(board, now_ns);
	if (!policy->next_load(board->policy_state, board, out, &use) ||
	    mx_residency_load(board->residency, *out, mx_board_use(use))) {
		board->loaded_out = board->changes;
		return 0;
	}
	emit_drops(board);
	emit_unit(board, MX_EVENT_LOAD, *out, 0);
	return 1;
}

static void fail_unit(struct mx_board *board, struct mx_unit_ref ref)
{
	struct mx_board_job *job;
	struct mx_board_job *next;

	board->homes[ref.net].failed_count++;
	for (job = board->first_running; job; job = next) {
		next = job->next;
		if (job->net == ref.net)
			(void)meet_failure(board, job);
	}
	/* Nobody will come to it. (Who has met it has forgotten it.) */
	if (board->homes[ref.net].live_count == 0 &&
	    mx_residency_state(board->residency, ref) == MX_UNIT_FAILED)
		drop(board, ref);
	emit_drops(board);
}

void mx_board_loaded(struct mx_board *board, struct mx_unit_ref ref, int status,
		     uint64_t now_ns)
{
	advance(board, now_ns);
	mx_residency_loaded(board->residency, ref, status);
	made_room(board);
	emit_unit(board, MX_EVENT_LOADED, ref, status);
	if (status)
		fail_unit(board, ref);
}

int mx_board_preload(struct mx_board *board, struct mx_unit_ref ref)
{
	const int rc = mx_residency_load(board->residency, ref, MX_USE_NEVER);

	if (rc)
		return rc;
	emit_drops(board);
	emit_unit(board, MX_EVENT_LOAD, ref, 0);
	mx_board_loaded(board, ref, 0, board->now_ns);
	return 0;
}
