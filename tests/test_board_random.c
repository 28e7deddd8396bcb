/*
 * Boards of random networks in hardly enough memory, driven at random: every
 * job ends, and every invariant holds on the way.
 */
#include <errno.h>
#include <string.h>

#include "lib/err.h"
#include "sched/board_impl.h"
#include "sched/policy.h"
#include "tests/board_fixture.h"
#include "tests/check.h"

enum {
	JOBS_MAX = 24,
	WORKS_MAX = 8,
	READS_MAX = 4,
	ROUNDS = 300,
	ACTIONS_MAX = 100000,
};

struct work {
	struct mx_board_job *job;
	uint32_t step; /* MX_STEP_NONE: the job is prepared */
	int taken;
};

struct world {
	struct board_fixture nets;
	struct mx_policy policy;
	struct mx_board *board;
	struct mx_board_job *jobs[JOBS_MAX];
	uint32_t job_count;
	struct work works[WORKS_MAX];
	uint32_t work_count;
	struct mx_unit_ref reads[READS_MAX];
	uint32_t read_count;
	uint64_t now_ns;
	uint64_t seed;
	int trouble; /* reads fail, and jobs are cancelled */
	uint32_t ended;
};

static uint32_t draw(struct world *world, uint32_t below)
{
	world->seed = world->seed * UINT64_C(6364136223846793005) + 1;
	return (uint32_t)(world->seed >> 33) % below;
}

/* ---- a policy that helps anyone, and reads for the oldest first ---- */

static struct world *current;

static struct mx_board_job *any_help(void *state, const struct mx_board *board)
{
	struct mx_board_job *found = NULL;
	struct mx_board_job *job;
	uint32_t count = 0;
	uint32_t i;

	(void)state;
	for (job = mx_board_running(board); job; job = job->next)
		if (mx_board_is_ready(board, job) &&
		    draw(current, ++count) == 0)
			found = job;
	for (i = 0; i < current->nets.net_count; i++) {
		job = mx_board_waiting(board, i);
		if (job && mx_board_fits(board, job) &&
		    draw(current, ++count) == 0)
			found = job;
	}
	return found;
}

/* How many jobs come before the first that still needs the unit, and then how
 * far it has to go. */
static uint64_t use_of(void *state, const struct mx_board *board,
		       struct mx_unit_ref ref)
{
	const struct mx_board_net *net =
		&mx_board_opts_of(board)->nets[ref.net];
	const struct mx_board_job *job;
	uint64_t rank = 0;
	uint32_t step;

	(void)state;
	for (job = mx_board_running(board); job; job = job->next) {
		for (step = job->next_step;
		     job->net == ref.net && step < net->step_count; step++)
			if (net->steps[step].unit == ref.unit)
				return rank * BOARD_STEPS_MAX + step -
				       job->next_step;
		rank++;
	}
	return MX_USE_NEVER;
}

static int oldest_load(void *state, const struct mx_board *board,
		       struct mx_unit_ref *out, uint64_t *use)
{
	const struct mx_board_job *job;
	uint32_t step;

	for (job = mx_board_running(board); job; job = job->next) {
		const struct mx_board_net *net =
			&mx_board_opts_of(board)->nets[job->net];

		for (step = job->next_step; step < net->step_count; step++) {
			*out = (struct mx_unit_ref){job->net,
						    net->steps[step].unit};
			if (out->unit == MX_STEP_NONE ||
			    mx_residency_state(mx_board_residency(board),
					       *out) != MX_UNIT_ABSENT)
				continue;
			*use = use_of(state, board, *out);
			return 1;
		}
	}
	return 0;
}

static void observe(void *user, const struct mx_board_event *event)
{
	struct world *world = user;

	if (event->kind == MX_EVENT_ENDED)
		world->ended++;
}

/* ---- the world ---- */

static void add_random_net(struct world *world)
{
	struct board_fixture *nets = &world->nets;
	const uint32_t n = add_net(nets);
	const uint32_t layers = 1 + draw(world, 5);
	uint64_t arena = 1 + draw(world, 12);
	uint32_t unit = MX_STEP_NONE;
	uint32_t i, k;

	for (i = 0; i < layers; i++) {
		const uint32_t steps = 1 + draw(world, 4);

		add_empty_layer(nets, n, arena);
		arena -= draw(world, (uint32_t)arena);
		for (k = 0; k < steps; k++) {
			/* Now and then a unit of several steps, or layers. */
			if (unit == MX_STEP_NONE || draw(world, 3) > 0)
				unit = draw(world, 4)
					       ? add_unit(nets, n,
							  1 + draw(world, 6))
					       : MX_STEP_NONE;
			add_step(nets, n, 1, unit);
		}
	}
	for (i = 0; i < nets->nets[n].unit_count; i++)
		nets->of[n].pinned[i] = draw(world, 4) == 0;
	nets->nets[n].pinned = nets->of[n].pinned;
}

/* The least that a board needs, and a little. */
static uint64_t memory_pages(struct world *world, int pins)
{
	uint64_t pinned = 0;
	uint64_t largest = 0;
	uint64_t arena = 0;
	uint32_t i, k;

	for (i = 0; i < world->nets.net_count; i++) {
		const struct mx_board_net *net = &world->nets.nets[i];

		if (net->arena_bytes > arena)
			arena = net->arena_bytes;
		for (k = 0; k < net->unit_count; k++) {
			const uint64_t bytes = net->units[k].size_bytes;

			if (pins && net->pinned[k])
				pinned += bytes;
			else if (bytes > largest)
				largest = bytes;
		}
	}
	return (pinned + largest + arena) / PAGE +
	       draw(world, 3) * draw(world, 9);
}

static void begin(struct world *world, uint64_t seed, int trouble)
{
	struct mx_board_opts opts;
	struct mx_err err = {""};
	uint32_t i, nets;

	memset(world, 0, sizeof(*world));
	current = world;
	world->seed = seed;
	world->trouble = trouble;
	nets = 1 + draw(world, 4);
	for (i = 0; i < nets; i++)
		add_random_net(world);
	world->policy = (struct mx_policy){
		.name = "any",
		.traits = draw(world, 4),
		.next_help = any_help,
		.next_load = oldest_load,
		.next_use = draw(world, 2) ? use_of : NULL,
	};
	opts = (struct mx_board_opts){
		.policy = &world->policy,
		.nets = world->nets.nets,
		.net_count = nets,
		.observer = observe,
		.observer_user = world,
	};
	opts.memory_bytes = PAGE * memory_pages(world, world->policy.traits &
							       MX_POLICY_PINS);
	if (mx_board_new(&world->board, &opts, &err))
		fail_msg("%s", err.text);
}

static void arrive(struct world *world)
{
	const struct mx_board_arrival arrival = {
		.net = draw(world, world->nets.net_count),
		.held = draw(world, 4) == 0,
	};

	world->jobs[world->job_count++] =
		mx_board_arrive(world->board, &arrival, world->now_ns);
}

/* Returns 0 if there is nothing to do. */
static int ask_for_work(struct world *world)
{
	struct mx_work work;
	uint32_t step, i;

	if (world->work_count == WORKS_MAX)
		return 0;
	work = mx_board_work(world->board, world->now_ns);
	if (work.kind == MX_WORK_NONE)
		return 0;
	step = work.kind == MX_WORK_PREPARE ? MX_STEP_NONE
					    : work.job->next_step;
	/* Who is on the step already need not begin it. */
	for (i = 0; step != MX_STEP_NONE && i < world->work_count; i++)
		if (world->works[i].job == work.job && !world->works[i].taken) {
			world->works[i].taken = 1;
			mx_board_taken(world->board, work.job);
			return 1;
		}
	if (step != MX_STEP_NONE)
		mx_board_begin(world->board, work.job, world->now_ns);
	world->works[world->work_count++] =
		(struct work){work.job, step, step == MX_STEP_NONE};
	return 1;
}

static void finish_work(struct world *world, uint32_t index)
{
	const struct work work = world->works[index];

	world->works[index] = world->works[--world->work_count];
	if (!work.taken)
		mx_board_taken(world->board, work.job);
	if (work.step == MX_STEP_NONE)
		mx_board_prepared(world->board, work.job, world->now_ns);
	else
		mx_board_done(world->board, work.job, work.step, world->now_ns);
}

static int ask_for_load(struct world *world)
{
	struct mx_unit_ref ref;

	if (world->read_count == READS_MAX ||
	    !mx_board_load(world->board, world->now_ns, &ref))
		return 0;
	world->reads[world->read_count++] = ref;
	return 1;
}

static void finish_read(struct world *world, uint32_t index)
{
	const struct mx_unit_ref ref = world->reads[index];

	world->reads[index] = world->reads[--world->read_count];
	mx_board_loaded(world->board, ref,
			world->trouble && draw(world, 16) == 0 ? -EIO : 0,
			world->now_ns);
}

static void disturb(struct world *world)
{
	struct mx_board_job *job;

	if (world->job_count == 0)
		return;
	job = world->jobs[draw(world, world->job_count)];
	if (job->state == MX_JOB_HELD)
		mx_board_release(world->board, job, world->now_ns);
	else if (world->trouble && draw(world, 8) == 0)
		mx_board_cancel(world->board, job, 0, world->now_ns);
}

static void act(struct world *world)
{
	world->now_ns++;
	switch (draw(world, 8)) {
	case 0:
		if (world->job_count < JOBS_MAX)
			arrive(world);
		break;
	case 1:
		disturb(world);
		break;
	case 2:
	case 3:
		(void)ask_for_work(world);
		break;
	case 4:
		if (world->work_count)
			finish_work(world, draw(world, world->work_count));
		break;
	case 5:
	case 6:
		(void)ask_for_load(world);
		break;
	default:
		if (world->read_count)
			finish_read(world, draw(world, world->read_count));
		break;
	}
}

static void assert_not_stuck(struct world *world)
{
	uint32_t i;

	if (world->work_count || world->read_count)
		return;
	for (i = 0; i < world->job_count; i++)
		if (world->jobs[i]->state == MX_JOB_WAITING ||
		    world->jobs[i]->state == MX_JOB_RUNNING)
			break;
	if (i < world->job_count)
		assert_true(ask_for_work(world) || ask_for_load(world));
}

static void play(uint64_t seed, int trouble)
{
	struct world world;
	uint32_t actions = 0;
	uint32_t i;

	begin(&world, seed, trouble);
	while (world.job_count < JOBS_MAX || world.ended < JOBS_MAX) {
		act(&world);
		mx_board_assert_ok(world.board);
		assert_not_stuck(&world);
		mx_board_assert_ok(world.board);
		if (++actions > ACTIONS_MAX)
			fail_msg("seed %d does not end", (int)seed);
	}
	for (i = 0; i < JOBS_MAX; i++) {
		if (!trouble)
			assert_int_equal(world.jobs[i]->state, MX_JOB_FINISHED);
		mx_board_forget(world.board, world.jobs[i]);
	}
	while (world.read_count)
		finish_read(&world, 0);
	mx_board_assert_ok(world.board);
	mx_board_free(world.board);
}

static void every_job_finishes_in_hardly_enough_memory(void **state)
{
	uint64_t seed;

	(void)state;
	for (seed = 1; seed <= ROUNDS; seed++)
		play(seed, 0);
}

static void every_job_ends_when_reads_fail_and_jobs_are_cancelled(void **state)
{
	uint64_t seed;

	(void)state;
	for (seed = 1; seed <= ROUNDS; seed++)
		play(seed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_job_finishes_in_hardly_enough_memory),
		cmocka_unit_test(
			every_job_ends_when_reads_fail_and_jobs_are_cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
