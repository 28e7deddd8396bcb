/* wrap: calloc realloc */
#include "sched/tasks.h"

#include <errno.h>
#include <stdlib.h>

#include "sched/board_impl.h"
#include "sched/tasks_impl.h"
#include "tests/check.h"
#include "tests/faults.h"
#include "tests/policy_fixture.h"

FAULT(void *, calloc, (size_t count, size_t each), (count, each), ENOMEM, NULL)
FAULT(void *, realloc, (void *p, size_t bytes), (p, bytes), ENOMEM, NULL)

static const struct mx_policy *const policies[] = {
	&mx_policy_bulk,    &mx_policy_multi_bulk, &mx_policy_linear,
	&mx_policy_partial, &mx_policy_deepeye,	   &mx_policy_deepeye_frugal,
	&mx_policy_mema,    &mx_policy_masa,
};

#define POLICY_COUNT (sizeof(policies) / sizeof(*policies))

/* ---- random networks ---- */

/* One to four networks of one to six layers; returns the pages of the smallest
 * memory that holds them. */
static uint32_t add_random_nets(struct fixture *fx, uint64_t *seed)
{
	const uint32_t nets = 1 + draw(seed, 4);
	uint32_t largest_arena = 0, largest_unit = 1;
	struct fixture_layer layer;
	uint32_t n, l, layers, arena;

	for (n = 0; n < nets; n++) {
		(void)add_net(fx);
		layers = 1 + draw(seed, 6);
		arena = 1 + draw(seed, 5);
		if (arena > largest_arena)
			largest_arena = arena;
		for (l = 0; l < layers; l++) {
			layer = (struct fixture_layer){
				.units = draw(seed, 4),
				.pages = 1 + draw(seed, 4),
				.read_ns = draw(seed, 30),
				.ns = draw(seed, 30),
				.arena_pages = arena,
				.dense = draw(seed, 4) == 0,
			};
			layer.shares =
				layer.units > 0 && l > 0 &&
				fx->nets[n].unit_count > 0 &&
				fx->nets[n].steps[fx->nets[n].step_count - 1]
						.unit != MX_STEP_NONE &&
				draw(seed, 3) == 0;
			add_layer(fx, n, &layer);
			if (layer.units && layer.pages > largest_unit)
				largest_unit = layer.pages;
			arena -= draw(seed, 3) < arena ? draw(seed, 2) : 0;
			arena = arena ? arena : 1;
		}
	}
	return largest_arena + largest_unit;
}

static void add_random_arrivals(struct fixture *fx, uint64_t *seed)
{
	const uint32_t arrivals = 1 + draw(seed, 6);
	struct mx_script_arrival *arrival;
	struct mx_relation *relation;
	uint64_t time_ns = 0;
	uint32_t i, k, count;

	for (i = 0; i < arrivals; i++) {
		count = 1 + draw(seed, 4);
		arrival = mx_script_add(&fx->script, count);
		assert_non_null(arrival);
		arrival->kind = MX_ARRIVAL_AT;
		arrival->time_ns = time_ns += draw(seed, 100);
		for (k = 0; k < count; k++) {
			arrival->jobs[k].net = draw(seed, fx->net_count);
			if (k == 0 || draw(seed, 3))
				continue;
			relation = calloc(1, sizeof(*relation));
			assert_non_null(relation);
			relation->after = draw(seed, k);
			relation->mode = draw(seed, 2)
						 ? MX_RELATION_WAIT
						 : MX_RELATION_OPPORTUNISTIC;
			relation->skip = (int)draw(seed, 2);
			arrival->jobs[k].relations = relation;
			arrival->jobs[k].relation_count = 1;
		}
	}
}

static void every_policy_ends_every_job_within_its_memory(void **state)
{
	const struct mx_policy *policy;
	struct fixture fx;
	uint64_t seed;
	uint32_t i, workers;

	(void)state;
	for (i = 0; i < 300 * POLICY_COUNT; i++) {
		policy = policies[i % POLICY_COUNT];
		seed = i / POLICY_COUNT + 1;
		init(&fx, policy);
		fx.opts.board.memory_bytes =
			PAGE * (add_random_nets(&fx, &seed) +
				draw(&seed, 2) * draw(&seed, 30));
		if (draw(&seed, 9) == 0)
			fx.opts.board.memory_bytes = MX_RESIDENCY_UNLIMITED;
		add_random_arrivals(&fx, &seed);
		workers = draw(&seed, 4);
		fx.opts.board.workers = workers;
		fx.opts.depth = 1 + draw(&seed, 4);
		fx.opts.processors = 1 + draw(&seed, 2);
		simulate(&fx);
		/* A cancelled job's reads come after it has ended. */
		workers = policy == &mx_policy_deepeye ||
					  policy == &mx_policy_deepeye_frugal
				  ? 2
			  : workers ? workers
				    : policy->workers;
		if (!fx.cancelled)
			assert_in_range(fx.most_tasks, 1, workers);
		fini(&fx);
	}
}

/* ---- any order of events, failing reads, cancelled jobs ---- */

enum { JOBS = 12 };

struct chaos {
	struct fixture fx;
	struct mx_board *board;
	struct mx_board_job *jobs[JOBS];
	uint32_t jobs_come;
	struct mx_unit_ref reads[4];
	uint32_t read_count;
	struct mx_board_job *preparing[2];
	uint32_t preparing_count;
	struct {
		struct mx_board_job *job;
		uint32_t step;
	} steps[2];
	uint32_t step_count;
	uint64_t seed;
};

/* Something that is being done ends. 0: nothing is being done. */
static int end_something(struct chaos *chaos)
{
	const uint32_t all =
		chaos->read_count + chaos->preparing_count + chaos->step_count;
	uint32_t i;

	if (all == 0)
		return 0;
	i = draw(&chaos->seed, all);
	if (i < chaos->read_count) {
		const struct mx_unit_ref ref = chaos->reads[i];

		chaos->reads[i] = chaos->reads[--chaos->read_count];
		mx_board_loaded(chaos->board, ref,
				draw(&chaos->seed, 20) ? 0 : -EIO, 0);
		return 1;
	}
	i -= chaos->read_count;
	if (i < chaos->preparing_count) {
		struct mx_board_job *job = chaos->preparing[i];

		chaos->preparing[i] =
			chaos->preparing[--chaos->preparing_count];
		mx_board_prepared(chaos->board, job, 0);
		return 1;
	}
	i -= chaos->preparing_count;
	{
		struct mx_board_job *job = chaos->steps[i].job;
		const uint32_t step = chaos->steps[i].step;

		chaos->steps[i] = chaos->steps[--chaos->step_count];
		mx_board_done(chaos->board, job, step, 0);
	}
	return 1;
}

/* A worker or a read is begun. 0: nothing can be. */
static int begin_work(struct chaos *chaos)
{
	struct mx_work work;
	uint32_t step;

	if (chaos->preparing_count + chaos->step_count == 2)
		return 0;
	work = mx_board_work(chaos->board, 0);
	if (work.kind == MX_WORK_NONE)
		return 0;
	if (work.kind == MX_WORK_PREPARE) {
		chaos->preparing[chaos->preparing_count++] = work.job;
		return 1;
	}
	step = work.job->next_step;
	chaos->steps[chaos->step_count].job = work.job;
	chaos->steps[chaos->step_count++].step = step;
	mx_board_begin(chaos->board, work.job, 0);
	mx_board_taken(chaos->board, work.job);
	return 1;
}

static int begin_read(struct chaos *chaos)
{
	if (chaos->read_count == 4 ||
	    !mx_board_load(chaos->board, 0, &chaos->reads[chaos->read_count]))
		return 0;
	chaos->read_count++;
	return 1;
}

/* Reads go on while workers are busy elsewhere: they come to an end. */
static void read_alone(struct chaos *chaos)
{
	uint32_t count = 0;
	uint32_t i;

	for (i = 0; i < chaos->fx.net_count; i++)
		count += chaos->fx.nets[i].unit_count;
	for (count = 4 * (count + 1);; count--) {
		while (begin_read(chaos))
			continue;
		if (chaos->read_count == 0)
			return;
		assert_true(count > 0);
		mx_board_loaded(chaos->board, chaos->reads[--chaos->read_count],
				0, 0);
	}
}

static void arrive(struct chaos *chaos)
{
	const struct mx_board_arrival how = {
		.net = draw(&chaos->seed, chaos->fx.net_count),
		.arrival = chaos->jobs_come / 3,
	};
	struct mx_board_job *job = mx_board_arrive(chaos->board, &how, 0);

	assert_non_null(job);
	chaos->jobs[chaos->jobs_come++] = job;
}

static void play_chaos(struct chaos *chaos)
{
	uint32_t idle = 0;

	while (idle < 2) {
		idle++;
		switch (draw(&chaos->seed, 10)) {
		case 0:
			if (chaos->jobs_come < JOBS)
				arrive(chaos);
			break;
		case 1:
			if (chaos->jobs_come > 0 && draw(&chaos->seed, 10) == 0)
				mx_board_cancel(
					chaos->board,
					chaos->jobs[draw(&chaos->seed,
							 chaos->jobs_come)],
					0, 0);
			break;
		case 2:
		case 3:
			(void)begin_read(chaos);
			break;
		case 4:
		case 5:
			(void)begin_work(chaos);
			break;
		case 6:
			if (draw(&chaos->seed, 5) == 0)
				read_alone(chaos);
			break;
		default:
			(void)end_something(chaos);
			break;
		}
		mx_board_assert_ok(chaos->board);
		/* Nothing is left but what is begun now. */
		if (chaos->jobs_come < JOBS || end_something(chaos) ||
		    begin_work(chaos) || begin_read(chaos))
			idle = 0;
	}
}

static void jobs_end_whatever_comes_first_fails_or_is_cancelled(void **state)
{
	struct mx_board_opts *opts;
	struct chaos chaos;
	struct mx_err err;
	uint32_t i, k;

	(void)state;
	for (i = 0; i < 100 * POLICY_COUNT; i++) {
		memset(&chaos, 0, sizeof(chaos));
		chaos.seed = i / POLICY_COUNT + 1;
		opts = &chaos.fx.opts.board;
		opts->policy = policies[i % POLICY_COUNT];
		opts->memory_bytes =
			PAGE * (add_random_nets(&chaos.fx, &chaos.seed) +
				draw(&chaos.seed, 2) * draw(&chaos.seed, 30));
		opts->workers = draw(&chaos.seed, 4);
		opts->nets = chaos.fx.nets;
		opts->net_count = chaos.fx.net_count;
		assert_int_equal(mx_board_new(&chaos.board, opts, &err), 0);
		play_chaos(&chaos);
		for (k = 0; k < JOBS; k++) {
			if (chaos.jobs[k]->state <= MX_JOB_RUNNING)
				fail_msg("%s, seed %u: job %u is left",
					 opts->policy->name,
					 i / (uint32_t)POLICY_COUNT + 1, k);
			mx_board_forget(chaos.board, chaos.jobs[k]);
		}
		mx_board_free(chaos.board);
	}
}

/* ---- single claims ---- */

static void what_was_evicted_is_read_again_before_any_load(void **state)
{
	struct fixture fx;

	(void)state;
	/* Three units of a page, room for two beside the activations. */
	init(&fx, &mx_policy_partial);
	fx.opts.board.memory_bytes = 3 * PAGE;
	(void)add_net(&fx);
	add_layer(&fx, 0,
		  &(struct fixture_layer){
			  .units = 3, .pages = 1, .read_ns = 10, .ns = 5});
	add_layer(&fx, 0,
		  &(struct fixture_layer){
			  .units = 1, .pages = 1, .read_ns = 10, .ns = 5});
	add_arrival(&fx, 0, "A");
	simulate(&fx);
	assert_string_equal(fx.log, "A0L A0L A0L A0L A0E A0L A0E A0L A0E "
				    "A1L A1E");
	fini(&fx);
}

static void a_layer_without_weights_is_loaded_at_once(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, &mx_policy_linear);
	(void)add_net(&fx);
	add_layer(&fx, 0, &(struct fixture_layer){.ns = 5});
	add_layer(&fx, 0,
		  &(struct fixture_layer){
			  .units = 1, .pages = 1, .read_ns = 10, .ns = 7});
	add_layer(&fx, 0, &(struct fixture_layer){.ns = 3});
	add_arrival(&fx, 0, "A");
	simulate(&fx);
	assert_string_equal(fx.log, "A0E A1L A1E A2E");
	assert_int_equal(fx.sim.makespan_ns, 5 + 10 + 7 + 3);
	fini(&fx);
}

static void a_load_includes_the_unit_shared_with_the_layer_before(void **state)
{
	struct fixture fx;

	(void)state;
	/* Layer 1 begins on layer 0's last unit. */
	init(&fx, &mx_policy_linear);
	(void)add_net(&fx);
	add_layer(&fx, 0,
		  &(struct fixture_layer){
			  .units = 1, .pages = 1, .read_ns = 10, .ns = 5});
	add_layer(&fx, 0,
		  &(struct fixture_layer){.units = 1,
					  .pages = 1,
					  .read_ns = 10,
					  .ns = 5,
					  .shares = 1});
	add_arrival(&fx, 0, "A");
	simulate(&fx);
	assert_string_equal(fx.log, "A0L A0E A1L A1E A1E");
	fini(&fx);

	/* With room for one unit the LOAD of layer 1 drives it out. */
	init(&fx, &mx_policy_linear);
	fx.opts.board.memory_bytes = 2 * PAGE;
	(void)add_net(&fx);
	add_layer(&fx, 0,
		  &(struct fixture_layer){
			  .units = 1, .pages = 1, .read_ns = 10, .ns = 5});
	add_layer(&fx, 0,
		  &(struct fixture_layer){.units = 1,
					  .pages = 1,
					  .read_ns = 10,
					  .ns = 5,
					  .shares = 1});
	add_arrival(&fx, 0, "A");
	simulate(&fx);
	assert_string_equal(fx.log, "A0L A0E A1L A0L A1E A1L A1E");
	fini(&fx);
}

static void the_board_s_workers_come_before_the_policy_s(void **state)
{
	struct fixture fx;
	uint32_t workers;

	(void)state;
	for (workers = 0; workers <= 4; workers++) {
		init(&fx, &mx_policy_partial);
		fx.opts.board.workers = workers;
		fx.opts.depth = 4;
		(void)add_plain(&fx, 8, 10, 1);
		add_arrival(&fx, 0, "A");
		simulate(&fx);
		assert_int_equal(fx.most_tasks, workers ? workers : 2);
		fini(&fx);
	}
}

static void every_policy_begins_or_says_that_memory_is_short(void **state)
{
	struct mx_board *board;
	struct fixture fx;
	struct mx_err err;
	size_t i;
	long n;
	int rc;

	(void)state;
	for (i = 0; i < POLICY_COUNT; i++) {
		init(&fx, policies[i]);
		(void)add_plain(&fx, 3, 1, 1);
		fx.opts.board.nets = fx.nets;
		fx.opts.board.net_count = 1;
		for (n = 0;; n++) {
			board = NULL;
			faults_arm(n);
			rc = mx_board_new(&board, &fx.opts.board, &err);
			if (!faults_disarm())
				break;
			assert_int_equal(rc, -ENOMEM);
			assert_null(board);
		}
		assert_int_equal(rc, 0);
		assert_true(n > 8);
		mx_board_free(board);
	}
}

/* Everything is done at once, one thing after the other. */
static void play_board(struct mx_board *board)
{
	struct mx_unit_ref ref;
	struct mx_work work;
	uint32_t step;

	for (;;) {
		work = mx_board_work(board, 0);
		if (work.kind == MX_WORK_PREPARE) {
			mx_board_prepared(board, work.job, 0);
		} else if (work.kind == MX_WORK_STEP) {
			step = work.job->next_step;
			mx_board_begin(board, work.job, 0);
			mx_board_taken(board, work.job);
			mx_board_done(board, work.job, step, 0);
		} else if (mx_board_load(board, 0, &ref)) {
			mx_board_loaded(board, ref, 0, 0);
		} else {
			return;
		}
	}
}

static void jobs_wait_while_there_is_no_memory_to_note_them(void **state)
{
	enum { COUNT = 3 * MX_TASKS_CHUNK };
	const struct mx_board_arrival how = {.net = 0};
	struct mx_board_job *jobs[COUNT];
	struct mx_board *board;
	struct fixture fx;
	struct mx_err err;
	int fired = 1;
	uint32_t i;
	long n;

	(void)state;
	for (n = 0; fired; n++) {
		init(&fx, &mx_policy_multi_bulk);
		(void)add_plain(&fx, 2, 1, 1);
		fx.opts.board.workers = COUNT;
		fx.opts.board.memory_bytes = MX_RESIDENCY_UNLIMITED;
		fx.opts.board.nets = fx.nets;
		fx.opts.board.net_count = 1;
		assert_int_equal(mx_board_new(&board, &fx.opts.board, &err), 0);
		for (i = 0; i < COUNT; i++)
			jobs[i] = mx_board_arrive(board, &how, 0);
		faults_arm(n);
		play_board(board);
		fired = faults_disarm();
		for (i = 0; i < COUNT; i++) {
			assert_int_equal(jobs[i]->state, MX_JOB_FINISHED);
			mx_board_forget(board, jobs[i]);
		}
		mx_board_free(board);
	}
	/* Two more chunks, and heaps of four kinds for each. */
	assert_int_equal(n - 1, 2 * 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_policy_ends_every_job_within_its_memory),
		cmocka_unit_test(
			jobs_end_whatever_comes_first_fails_or_is_cancelled),
		cmocka_unit_test(
			what_was_evicted_is_read_again_before_any_load),
		cmocka_unit_test(a_layer_without_weights_is_loaded_at_once),
		cmocka_unit_test(
			a_load_includes_the_unit_shared_with_the_layer_before),
		cmocka_unit_test(the_board_s_workers_come_before_the_policy_s),
		cmocka_unit_test(
			every_policy_begins_or_says_that_memory_is_short),
		cmocka_unit_test(
			jobs_wait_while_there_is_no_memory_to_note_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
