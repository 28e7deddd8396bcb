/*
 * What a policy sees of a board, and the check of its invariants.
 */
#include "sched/board.h"

#include <assert.h>

#include "pager/residency.h"
#include "sched/board_impl.h"

#define WORD_BITS 64

const struct mx_board_opts *mx_board_opts_of(const struct mx_board *board)
{
	return &board->opts;
}

struct mx_residency *mx_board_residency(const struct mx_board *board)
{
	return board->residency;
}

uint64_t mx_board_now(const struct mx_board *board)
{
	return board->now_ns;
}

struct mx_board_job *mx_board_running(const struct mx_board *board)
{
	return board->first_running;
}

struct mx_board_job *mx_board_waiting(const struct mx_board *board,
				      uint32_t net)
{
	return board->homes[net].first_waiting;
}

uint32_t mx_board_running_count(const struct mx_board *board)
{
	return board->running_count;
}

uint64_t mx_board_waiting_count(const struct mx_board *board, uint32_t net)
{
	return board->homes[net].waiting_count;
}

int mx_board_has_room(const struct mx_board *board, struct mx_unit_ref ref,
		      uint64_t use)
{
	return mx_residency_has_room(board->residency, ref, mx_board_use(use));
}

uint32_t mx_board_users(const struct mx_board *board, struct mx_unit_ref ref)
{
	const struct mx_board_home *home = &board->homes[ref.net];

	return home->running_count - home->consumed[ref.unit];
}

int mx_board_fits(const struct mx_board *board, const struct mx_board_job *job)
{
	const uint64_t bytes = board->opts.nets[job->net].arena_bytes;
	const uint32_t most = board->opts.jobs_at_once;

	return (!most || board->homes[job->net].running_count < most) &&
	       bytes < board->blocked_bytes &&
	       mx_residency_arena_fits(board->residency, bytes);
}

/* 1 with the state of the job's next unit (RESIDENT if it needs none); 0 if it
 * is not RUNNING, is to end, or has nothing left to take. */
static int look_ahead(const struct mx_board *board,
		      const struct mx_board_job *job, struct mx_unit_ref *ref,
		      enum mx_unit_state *state)
{
	const struct mx_board_net *net = &board->opts.nets[job->net];

	if (job->state != MX_JOB_RUNNING || job->status ||
	    job->next_step == net->step_count)
		return 0;
	ref->net = job->net;
	ref->unit = net->steps[job->next_step].unit;
	*state = ref->unit == MX_STEP_NONE
			 ? MX_UNIT_RESIDENT
			 : mx_residency_state(board->residency, *ref);
	return 1;
}

int mx_board_is_ready(const struct mx_board *board,
		      const struct mx_board_job *job)
{
	const struct mx_board_net *net = &board->opts.nets[job->net];
	const uint32_t most = board->opts.steps_at_once;
	struct mx_unit_ref ref;
	enum mx_unit_state state;

	return job->prepared && (most == 0 || job->busy_steps < most) &&
	       look_ahead(board, job, &ref, &state) &&
	       net->steps[job->next_step].layer == job->layer &&
	       state == MX_UNIT_RESIDENT;
}

int mx_board_is_missing(const struct mx_board *board,
			const struct mx_board_job *job, struct mx_unit_ref *out)
{
	enum mx_unit_state state;

	return look_ahead(board, job, out, &state) && state != MX_UNIT_RESIDENT;
}

int mx_board_has_consumed(const struct mx_board *board,
			  const struct mx_board_job *job, uint32_t unit)
{
	const struct mx_board_net *net = &board->opts.nets[job->net];
	const struct mx_board_home *home = &board->homes[job->net];
	const uint64_t *done = ((const struct mx_board_entry *)job)->done;
	const uint32_t last = home->last_step[unit];
	uint32_t first, step;

	if (last == MX_STEP_NONE || net->steps[last].layer > job->layer)
		return 0;
	if (net->steps[last].layer < job->layer)
		return 1;
	first = net->layers[job->layer].first_step;
	for (step = last + 1;
	     step-- > first && step >= home->first_step[unit];) {
		const uint32_t bit = step - first;

		if (!(done[bit / WORD_BITS] >> bit % WORD_BITS & 1))
			return 0;
	}
	return 1;
}

static void assert_waiting_ok(const struct mx_board *board, uint32_t net)
{
	const struct mx_board_home *home = &board->homes[net];
	const struct mx_board_job *before = NULL;
	const struct mx_board_job *job;
	uint64_t count = 0;

	for (job = home->first_waiting; job; job = job->next) {
		assert(job->state == MX_JOB_WAITING && job->net == net);
		assert(job->prev == before);
		assert(!before || before->id < job->id);
		before = job;
		count++;
	}
	assert(home->last_waiting == before);
	assert(home->waiting_count == count);
	assert(count + home->running_count <= home->live_count);
}

static void assert_running_ok(const struct mx_board *board)
{
	const struct mx_board_job *before = NULL;
	const struct mx_board_job *job;
	uint32_t count = 0;

	for (job = board->first_running; job; job = job->next) {
		const struct mx_board_net *net = &board->opts.nets[job->net];

		assert(job->state == MX_JOB_RUNNING && job->prev == before);
		assert(job->layer < net->layer_count);
		assert(job->arena_bytes == net->layers[job->layer].arena_bytes);
		assert(job->steps_left > 0);
		assert(!job->status || job->busy_steps || !job->prepared);
		before = job;
		count++;
	}
	assert(board->last_running == before);
	assert(board->running_count == count);
}

static void assert_units_ok(const struct mx_board *board, uint32_t net)
{
	const struct mx_board_home *home = &board->homes[net];
	const struct mx_board_job *job;
	uint32_t failed = 0;
	uint32_t i;

	for (i = 0; i < board->opts.nets[net].unit_count; i++) {
		const struct mx_unit_ref ref = {net, i};
		uint32_t consumed = 0;

		for (job = board->first_running; job; job = job->next)
			if (job->net == net)
				consumed += (uint32_t)mx_board_has_consumed(
					board, job, i);
		assert(home->consumed[i] == consumed);
		if (mx_residency_state(board->residency, ref) == MX_UNIT_FAILED)
			failed++;
	}
	assert(home->failed_count == failed);
}

void mx_board_assert_ok(const struct mx_board *board)
{
	uint32_t running = 0;
	uint32_t i;

	assert_running_ok(board);
	for (i = 0; i < board->opts.net_count; i++) {
		assert_waiting_ok(board, i);
		assert_units_ok(board, i);
		running += board->homes[i].running_count;
	}
	assert(running == board->running_count);
	assert(board->dropped_count == 0);
	mx_residency_assert_ok(board->residency);
}
