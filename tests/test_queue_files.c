#include "cli/queue_report.h"

#include <errno.h>
#include <stdlib.h>

#include "cli/session.h"
#include "lib/err.h"
#include "lib/network.h"
#include "tests/scratch_dir.h"

/* Two networks of two layers; four jobs; two workers. */
struct sample {
	struct mx_layer layers[2];
	struct mx_network net;
	struct mx_task tasks[2];
	struct mx_session session;
	struct mx_record_layer loads[2][2];
	struct mx_record_net nets[2];
	struct mx_record_busy busy[2];
	struct mx_record_worker workers[2];
	struct mx_queue_job jobs[4];
	struct mx_queue_top top[4];
	struct mx_queue_result result;
};

static void make_sample(struct sample *s)
{
	static char names[][8] = {"conv", "fc", "age", "a,b", "x.jpg"};

	*s = (struct sample){
		.layers = {{.name = names[0]}, {.name = names[1]}},
		.tasks = {{.name = names[2], .index = 0},
			  {.name = names[3], .input = names[4], .index = 1}},
		.loads = {{{2, 30, 2, 40}, {0, 0, 1, 7}}, {{1, 1, 1, 1}}},
		.busy = {{1010, 1020}, {1040, 1100}},
		.jobs =
			{
				{.task = 0,
				 .state = MX_QUEUE_JOB_FINISHED,
				 .start_ns = 10,
				 .finish_ns = 50,
				 .compute_ns = 30,
				 .stall_ns = 5,
				 .top_count = 1},
				{.task = 1,
				 .state = MX_QUEUE_JOB_SKIPPED,
				 .finish_ns = 50},
				{.task = 1,
				 .arrival = 1,
				 .state = MX_QUEUE_JOB_FINISHED,
				 .arrival_ns = 50,
				 .start_ns = 50,
				 .finish_ns = 110,
				 .compute_ns = 60},
				{.task = 0, .arrival = 1},
			},
		.top = {{.index = 3, .label = "cat", .score = 0.5f}},
	};
	s->net = (struct mx_network){.layers = s->layers, .layer_count = 2};
	s->tasks[0].feed.net = s->tasks[1].feed.net = &s->net;
	s->session = (struct mx_session){.tasks = s->tasks, .task_count = 2};
	s->nets[0].layers = s->loads[0];
	s->nets[1].layers = s->loads[1];
	s->workers[0].busy = s->busy;
	s->workers[0].busy_count = 2;
	s->result = (struct mx_queue_result){
		.tag = "day",
		.policy = "masa",
		.jobs = s->jobs,
		.job_count = 4,
		.top = s->top,
		.top_room = 1,
		.record = {.nets = s->nets,
			   .net_count = 2,
			   .workers = s->workers,
			   .worker_count = 2,
			   .begin_ns = 1000},
		.usage = {.read_bytes = 12},
		.io = "uring",
		.wall = "off",
	};
}

static void assert_file(struct scratch_dir *dir, const char *name,
			const char *want)
{
	char text[4096];
	FILE *in = fopen(scratch_dir_path(dir, name), "r");
	size_t n;

	assert_non_null(in);
	n = fread(text, 1, sizeof(text) - 1, in);
	assert_int_equal(fclose(in), 0);
	text[n] = '\0';
	assert_string_equal(text, want);
}

static void write_sample(struct scratch_dir *dir, struct sample *s)
{
	struct mx_queue_page page;
	struct mx_err err;

	make_sample(s);
	if (mx_queue_page_init(&page, &s->session, &s->result, &err) ||
	    mx_queue_report_files(&page, dir->path, "day-masa", &err))
		fail_msg("%s", err.text);
}

static void jobs_have_a_line_each(void **state)
{
	struct sample s;

	write_sample(*state, &s);
	assert_file(*state, "day-masa-jobs.csv",
		    "job,arrival,network,input,state,arrival_ns,waiting_ns,"
		    "execution_ns,stall_ns,compute_ns,response_ns\n"
		    "0,0,age,,finished,0,10,40,5,30,50\n"
		    "1,0,\"a,b\",x.jpg,skipped,0,50,0,0,0,50\n"
		    "2,1,\"a,b\",x.jpg,finished,50,0,60,0,60,60\n"
		    "3,1,age,,waiting,,,,,,\n");
}

/* What ends at a moment comes before what begins then. */
static void events_come_by_time(void **state)
{
	struct sample s;

	write_sample(*state, &s);
	assert_file(*state, "day-masa-events.csv",
		    "time_ns,job,network,event\n"
		    "0,0,age,waiting\n"
		    "0,1,\"a,b\",waiting\n"
		    "10,0,age,running\n"
		    "50,0,age,finished\n"
		    "50,1,\"a,b\",skipped\n"
		    "50,2,\"a,b\",waiting\n"
		    "50,2,\"a,b\",running\n"
		    "110,2,\"a,b\",finished\n");
}

static void layers_and_workers_are_summed_up(void **state)
{
	struct sample s;

	write_sample(*state, &s);
	assert_file(*state, "day-masa-layers.csv",
		    "network,layer,loads,load_ns,execs,exec_ns\n"
		    "age,conv,2,30,2,40\n"
		    "age,fc,0,0,1,7\n"
		    "\"a,b\",conv,1,1,1,1\n"
		    "\"a,b\",fc,0,0,0,0\n");
	assert_file(*state, "day-masa-workers.csv",
		    "worker,begin_ns,end_ns,state\n"
		    "0,0,10,idle\n"
		    "0,10,20,busy\n"
		    "0,20,40,idle\n"
		    "0,40,100,busy\n"
		    "0,100,110,idle\n"
		    "1,0,110,idle\n");
}

static void the_object_has_jobs_and_totals(void **state)
{
	static const char *const lines[] = {
		"\"schema\": \"memexec.queue/1\"",
		"\"experiment\": \"day\"",
		"\"response_ns\": 60",
		"\"label\": \"cat\"",
		"\"state\": \"pending\"",
		"\"job_count\": 2",
		"\"skipped_count\": 1",
		"\"pending_count\": 1",
		"\"makespan_ns\": 110",
		"\"mean_response_ns\": 55",
		"\"read_bytes\": 12",
	};
	struct scratch_dir *dir = *state;
	struct sample s;
	char text[8192];
	size_t n, i;
	FILE *in;

	write_sample(dir, &s);
	in = fopen(scratch_dir_path(dir, "day-masa.json"), "r");
	assert_non_null(in);
	n = fread(text, 1, sizeof(text) - 1, in);
	assert_int_equal(fclose(in), 0);
	text[n] = '\0';
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (!strstr(text, lines[i]))
			fail_msg("no %s in %s", lines[i], text);
}

static void a_place_that_takes_no_files_is_named(void **state)
{
	struct mx_queue_page page;
	struct sample s;
	struct mx_err err;

	(void)state;
	make_sample(&s);
	assert_int_equal(mx_queue_page_init(&page, &s.session, &s.result, &err),
			 0);
	assert_int_equal(mx_queue_report_files(&page, "/no/such", "day", &err),
			 -ENOENT);
	assert_string_equal(err.text, "write /no/such/day.json: "
				      "No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_have_a_line_each),
		cmocka_unit_test(events_come_by_time),
		cmocka_unit_test(layers_and_workers_are_summed_up),
		cmocka_unit_test(the_object_has_jobs_and_totals),
		cmocka_unit_test(a_place_that_takes_no_files_is_named),
	};

	return cmocka_run_group_tests(tests, scratch_dir_setup,
				      scratch_dir_teardown);
}
