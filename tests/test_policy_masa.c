#include "sched/policy_masa.h"

#include "sched/masa.h"
#include "tests/check.h"
#include "tests/masa_pools.h"
#include "tests/policy_fixture.h"

/* masa, with an account of the test's own beside its. */
struct checked {
	struct mx_masa masa;
	struct pools pools;
	uint32_t picks[3]; /* by kind */
	uint32_t refusals; /* nothing taken, though there was something */
};

static struct checked *checked;

static int checked_init(void *own, const struct mx_board *board)
{
	checked = own;
	checked->pools.free_bytes =
		(int64_t)mx_board_opts_of(board)->budget_bytes - 4870000;
	return mx_masa_rules.init(own, board);
}

static void checked_taken(void *own, const struct mx_task *task)
{
	struct checked *my = own;

	mx_masa_rules.taken(own, task);
	if (task->kind != MX_TASK_INIT)
		return;
	my->pools.free_bytes -=
		(int64_t)my->masa.nets[task->job->net].masa_peak_bytes;
	my->pools.active_count++;
}

static void checked_ended(void *own, const struct mx_board_job *job)
{
	struct checked *my = own;

	mx_masa_rules.ended(own, job);
	my->pools.free_bytes +=
		(int64_t)my->masa.nets[job->net].masa_peak_bytes;
	my->pools.active_count--;
}

static void fill_pools(struct checked *my, struct mx_tasks *tasks)
{
	const struct mx_board *board = mx_tasks_board(tasks);
	const struct mx_board_net *nets = my->masa.nets;
	const struct mx_board_job *job;
	struct mx_task task;
	uint32_t i, l;

	my->pools.count = 0;
	for (job = mx_board_running(board); job; job = job->next) {
		if (mx_tasks_next(tasks, job, MX_TASK_EXEC, MX_TASKS_HEAD,
				  &task))
			put(&my->pools, nets, job->net, MX_TASK_EXEC, job->id,
			    task.layer);
		if (mx_tasks_next(tasks, job, MX_TASK_LOAD, MX_TASKS_HEAD,
				  &task))
			for (l = task.layer; l < nets[job->net].layer_count;
			     l++)
				put(&my->pools, nets, job->net, MX_TASK_LOAD,
				    job->id, l);
	}
	for (i = 0; i < my->masa.net_count; i++) {
		for (job = mx_board_waiting(board, i); job; job = job->next) {
			put(&my->pools, nets, i, MX_TASK_INIT, job->id, 0);
			my->pools.tasks[my->pools.count - 1].fits =
				mx_tasks_can_init(tasks, job);
		}
	}
}

static int checked_pick(void *own, struct mx_tasks *tasks, struct mx_task *out)
{
	struct checked *my = own;
	const struct pool_task *naive;
	int found;

	fill_pools(my, tasks);
	naive = naive_pick(&my->pools);
	found = mx_masa_rules.pick(own, tasks, out);
	assert_int_equal(found, naive != NULL);
	if (!found) {
		my->refusals += my->pools.count > 0;
		return 0;
	}
	assert_int_equal(out->kind, naive->kind);
	assert_int_equal(out->job->id, naive->id);
	assert_int_equal(out->layer, naive->layer);
	my->picks[out->kind]++;
	return 1;
}

static struct mx_tasks_rules checked_rules;

static int checked_policy_init(void **state, const struct mx_board *board,
			       struct mx_err *err)
{
	checked_rules = mx_masa_rules;
	checked_rules.own_bytes = sizeof(struct checked);
	checked_rules.init = checked_init;
	checked_rules.taken = checked_taken;
	checked_rules.ended = checked_ended;
	checked_rules.pick = checked_pick;
	return mx_tasks_new(state, &checked_rules, board, err);
}

static uint32_t all_picks[3];
static uint32_t all_refusals;

static void checked_policy_fini(void *state)
{
	int i;

	for (i = 0; i < 3; i++)
		all_picks[i] += checked->picks[i];
	all_refusals += checked->refusals;
	mx_tasks_free(state);
}

static void every_choice_of_a_simulation_is_the_rule_s(void **state)
{
	struct mx_policy policy = mx_policy_masa;
	struct fixture fx;
	uint64_t seed = 1;
	uint32_t i, k;
	char nets[6];

	(void)state;
	policy.init = checked_policy_init;
	policy.fini = checked_policy_fini;
	for (i = 0; i < 200; i++) {
		init(&fx, &policy);
		fx.opts.board.workers = 1 + draw(&seed, 3);
		fx.opts.board.memory_bytes = (8 + draw(&seed, 40)) * PAGE;
		fx.opts.board.budget_bytes =
			MX_MASA_FRAMEWORK_BYTES + draw(&seed, 40) * PAGE;
		fx.opts.processors = 1 + draw(&seed, 2);
		for (k = 0; k < 5; k++)
			(void)add_plain(&fx, 1 + draw(&seed, 6),
					draw(&seed, 20), 5 * draw(&seed, 4));
		for (k = 0; k < 8; k++) {
			(void)snprintf(nets, sizeof(nets), "%c%c",
				       'A' + (char)draw(&seed, 5),
				       'A' + (char)draw(&seed, 5));
			add_arrival(&fx, k * 30, nets);
		}
		simulate(&fx);
		fini(&fx);
	}
	assert_true(all_picks[MX_TASK_EXEC] > 1000);
	assert_int_equal(all_picks[MX_TASK_EXEC], all_picks[MX_TASK_LOAD]);
	assert_int_equal(all_picks[MX_TASK_INIT], 200 * 16);
	assert_true(all_refusals > 100);
}

/* ---- what follows from the rule ---- */

static void the_shortest_network_goes_first(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, &mx_policy_masa);
	fx.opts.board.budget_bytes = MX_MASA_FRAMEWORK_BYTES + 100 * PAGE;
	(void)add_plain(&fx, 3, 10, 7);
	(void)add_plain(&fx, 2, 20, 5);
	add_arrival(&fx, 0, "AB");
	simulate(&fx);
	/* B to 45, its layer 1 being read behind layer 0; A is admitted at 25,
	 * when a worker is free, and its reads follow. */
	assert_string_equal(fx.log, "B0L B0E B1L B1E A0L A0E A1L A1E A2L A2E");
	assert_int_equal(fx.sim.jobs[1].finish_ns, 45);
	assert_int_equal(fx.sim.jobs[0].finish_ns, 77);
	fini(&fx);
}

static void a_network_is_admitted_when_its_whole_peak_is_free(void **state)
{
	struct fixture fx;

	(void)state;
	/* The peaks are 4 and 3 pages: 6 hold one at a time, though the
	 * memory would hold both. */
	init(&fx, &mx_policy_masa);
	fx.opts.board.budget_bytes = MX_MASA_FRAMEWORK_BYTES + 6 * PAGE;
	(void)add_plain(&fx, 3, 10, 7);
	(void)add_plain(&fx, 2, 20, 5);
	add_arrival(&fx, 0, "AB");
	simulate(&fx);
	assert_int_equal(fx.sim.jobs[1].finish_ns, 45);
	assert_int_equal(fx.sim.jobs[0].start_ns, 45 + 10);
	assert_int_equal(fx.sim.jobs[0].finish_ns, 45 + 30 + 7);
	fini(&fx);
}

static void small_networks_that_keep_coming_starve_a_large_one(void **state)
{
	const uint32_t small = 500;
	struct fixture fx;
	uint32_t i;

	(void)state;
	/* A small job of 20 ns every 15 ns; the large one came with the first
	 * and is not begun before the last small one has ended. */
	init(&fx, &mx_policy_masa);
	fx.opts.board.budget_bytes = MX_MASA_FRAMEWORK_BYTES + 10 * PAGE;
	(void)add_plain(&fx, 1, 10, 10);
	(void)add_plain(&fx, 10, 10, 10);
	add_arrival(&fx, 0, "AB");
	for (i = 1; i < small; i++)
		add_arrival(&fx, i * (uint64_t)15, "A");
	simulate(&fx);
	assert_int_equal(fx.sim.jobs[1].net, 1);
	for (i = 0; i < fx.sim.job_count; i++)
		if (fx.sim.jobs[i].net == 0)
			assert_true(fx.sim.jobs[i].finish_ns <=
				    fx.sim.jobs[1].start_ns);
	assert_true(fx.sim.jobs[1].start_ns > (small - 1) * 15);
	fini(&fx);

	/* Its own time is 110: with nothing else it is done by then. */
	init(&fx, &mx_policy_masa);
	fx.opts.board.budget_bytes = MX_MASA_FRAMEWORK_BYTES + 10 * PAGE;
	(void)add_plain(&fx, 10, 10, 10);
	add_arrival(&fx, 0, "A");
	simulate(&fx);
	assert_int_equal(fx.sim.makespan_ns, 110);
	fini(&fx);
}

static void one_larger_than_the_budget_runs_alone_and_swaps(void **state)
{
	struct fixture fx;

	(void)state;
	init(&fx, &mx_policy_masa);
	fx.opts.board.memory_bytes = 4 * PAGE;
	fx.opts.board.budget_bytes = 4 * PAGE;
	(void)add_net(&fx);
	add_layer(&fx, 0,
		  &(struct fixture_layer){
			  .units = 1, .pages = 1, .read_ns = 1, .ns = 50});
	add_layer(&fx, 0,
		  &(struct fixture_layer){
			  .units = 5, .pages = 1, .read_ns = 1, .ns = 5});
	add_arrival(&fx, 0, "A");
	simulate(&fx);
	/* Layer 1 is loaded while layer 0 is computed, into two pages; its last
	 * unit is still there when it is needed. */
	assert_int_equal(fx.reads, 6 + 4);
	fini(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_choice_of_a_simulation_is_the_rule_s),
		cmocka_unit_test(the_shortest_network_goes_first),
		cmocka_unit_test(
			a_network_is_admitted_when_its_whole_peak_is_free),
		cmocka_unit_test(
			small_networks_that_keep_coming_starve_a_large_one),
		cmocka_unit_test(
			one_larger_than_the_budget_runs_alone_and_swaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
