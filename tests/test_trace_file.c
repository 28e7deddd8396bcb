/* wrap: rename */
#include "cli/trace_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/yaml_tree.h"
#include "lib/err.h"
#include "sched/trace.h"
#include "tests/faults.h"
#include "tests/picture_fixture.h"
#include "tests/scratch_dir.h"

FAULT(int, rename, (const char *from, const char *to), (from, to), EIO, -1)

/* A job's way, by hand: times in ns. */
static struct mx_trace *record(const struct picture_fixture *fx)
{
	const struct mx_trace_net nets[] = {
		{NULL, &fx->board_nets[0]},
		{NULL, &fx->board_nets[1]},
	};
	const struct mx_trace_opts opts = {.nets = nets, .net_count = 2};
	struct mx_board_job job = {
		.id = 5, .net = 1, .arrival_ns = 1000, .admitted_ns = 2000};
	const struct mx_chunk_event chunk = {.id = 5,
					     .net = 0,
					     .layer = 0,
					     .worker = 1,
					     .begin_ns = 1002500,
					     .end_ns = 2003750};
	const struct mx_board_event events[] = {
		{.kind = MX_EVENT_ADMITTED,
		 .job = &job,
		 .now_ns = 2000,
		 .activation_bytes = 4096},
		{.kind = MX_EVENT_LOAD,
		 .unit = {1, 0},
		 .now_ns = 2001,
		 .activation_bytes = 4096,
		 .weight_bytes = 12288},
		{.kind = MX_EVENT_LOADED,
		 .unit = {1, 0},
		 .now_ns = 5001,
		 .status = -EIO,
		 .activation_bytes = 4096,
		 .weight_bytes = 12288},
		{.kind = MX_EVENT_DROPPED,
		 .unit = {1, 0},
		 .now_ns = 6000,
		 .activation_bytes = 4096,
		 .moved_bytes = 8192},
		{.kind = MX_EVENT_ENDED,
		 .job = &job,
		 .now_ns = 7000,
		 .status = -ECANCELED,
		 .moved_bytes = 8192},
	};
	struct mx_trace *trace = NULL;
	size_t i;

	assert_int_equal(mx_trace_new(&trace, &opts, NULL), 0);
	for (i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		mx_trace_event(trace, &events[i]);
	mx_trace_chunk(trace, &chunk);
	mx_trace_charge(trace, 8000, 77);
	return trace;
}

static void fill_page(struct mx_trace_page *page, struct picture_fixture *fx)
{
	picture_fixture_fill(fx);
	/* What JSON escapes, and what is no UTF-8. */
	fx->names[1] = "s\"\\\n\377";
	*page = (struct mx_trace_page){
		.trace = record(fx),
		.names = fx->names,
		.nets = fx->nets,
		.net_count = 2,
		.policy = "linear",
		.budget_bytes = 100000,
		.base_bytes = 1,
		.begin_ns = 500,
	};
}

static char *print(const struct mx_trace_page *page)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	assert_non_null(out);
	mx_trace_file_print(page, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void end_page(const struct mx_trace_page *page)
{
	mx_trace_free((struct mx_trace *)(uintptr_t)page->trace);
}

/* Process 2 is the first network, 3 the second; times are microseconds from
 * 500 ns on. */
static void events_are_those_of_chromes_format(void **state)
{
	static const char *const lines[] = {
		"{\"ph\": \"M\",\"name\": \"process_name\",\"pid\": "
		"1,\"args\": "
		"{\"name\": \"memexec\"}}",
		"{\"ph\": \"M\",\"name\": \"process_name\",\"pid\": "
		"2,\"args\": "
		"{\"name\": \"a<b\"}}",
		"{\"ph\": \"M\",\"name\": \"thread_name\",\"pid\": 2,\"tid\": "
		"2049,\"args\": {\"name\": \"reads\"}}",
		"{\"ph\": \"M\",\"name\": \"thread_name\",\"pid\": 2,\"tid\": "
		"2051,\"args\": {\"name\": \"worker 1\"}}",
		"{\"ph\": \"M\",\"name\": \"process_name\",\"pid\": "
		"3,\"args\": "
		"{\"name\": \"s\\\"\\\\\\u000a\\ufffd\"}}",
		"{\"ph\": \"b\",\"cat\": \"job\",\"name\": \"waits\",\"pid\": "
		"3,\"tid\": 3072,\"ts\": 0.500,\"id\": 5,\"args\": {\"job\": "
		"5}}",
		"{\"ph\": \"e\",\"cat\": \"job\",\"name\": \"waits\",\"pid\": "
		"3,\"tid\": 3072,\"ts\": 1.500,\"id\": 5}",
		"{\"ph\": \"b\",\"cat\": \"job\",\"name\": \"runs\",\"pid\": "
		"3,\"tid\": 3072,\"ts\": 1.500,\"id\": 5,\"args\": {\"job\": "
		"5,\"ended\": \"cancelled\"}}",
		"{\"ph\": \"X\",\"cat\": \"read\",\"name\": \"fc\",\"pid\": 3,"
		"\"tid\": 3073,\"ts\": 1.501,\"dur\": 3.000,\"args\": "
		"{\"unit\": 0,\"bytes\": 12288,\"error\": \"Input/output "
		"error\"}}",
		"{\"ph\": \"i\",\"cat\": \"drop\",\"name\": \"drop fc\","
		"\"pid\": 3,\"tid\": 3073,\"ts\": 5.500,\"s\": \"t\",\"args\": "
		"{\"unit\": 0,\"bytes\": 12288}}",
		"{\"ph\": \"X\",\"cat\": \"compute\",\"name\": \"co\\\"nv\","
		"\"pid\": 2,\"tid\": 2051,\"ts\": 1002.000,\"dur\": 1001.250,"
		"\"args\": {\"job\": 5}}",
		"{\"ph\": \"C\",\"name\": \"weights\",\"pid\": 1,\"ts\": 1.501,"
		"\"args\": {\"bytes\": 12288}}",
		"{\"ph\": \"C\",\"name\": \"ledger\",\"pid\": 1,\"ts\": 1.501,"
		"\"args\": {\"bytes\": 16385}}",
		"{\"ph\": \"C\",\"name\": \"ledger\",\"pid\": 1,\"ts\": 6.500,"
		"\"args\": {\"bytes\": 1}}",
		"{\"ph\": \"C\",\"name\": \"moved\",\"pid\": 1,\"ts\": 5.500,"
		"\"args\": {\"bytes\": 8192}}",
		"{\"ph\": \"C\",\"name\": \"anonymous memory\",\"pid\": 1,"
		"\"ts\": 7.500,\"args\": {\"bytes\": 77}}",
	};
	struct picture_fixture fx;
	struct mx_trace_page page;
	char *text;
	size_t i;

	(void)state;
	fill_page(&page, &fx);
	text = print(&page);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (!strstr(text, lines[i]))
			fail_msg("%s is not in\n%s", lines[i], text);
	free(text);
	page.walled = 1;
	page.simulated = 1;
	text = print(&page);
	assert_non_null(strstr(text, "\"name\": \"charge\""));
	assert_null(strstr(text, "anonymous"));
	assert_non_null(strstr(text, "\"name\": \"processor 1\""));
	free(text);
	end_page(&page);
}

/* An event that begins before the file's 0 begins, or is over, there. */
static void what_was_before_the_beginning_is_cut(void **state)
{
	struct picture_fixture fx;
	struct mx_trace_page page;
	char *text;

	(void)state;
	fill_page(&page, &fx);
	page.begin_ns = 1003750;
	text = print(&page);
	assert_non_null(strstr(text, "\"ts\": 0.000,\"dur\": 1000.000,"));
	assert_non_null(strstr(text, "\"ts\": 0.000,\"dur\": 0.000,"));
	free(text);
	end_page(&page);
}

/* JSON is YAML. */
static void the_file_is_one_object_with_all_events(void **state)
{
	struct scratch_dir *dir = *state;
	const struct mx_yaml_node *events, *other;
	struct picture_fixture fx;
	struct mx_trace_page page;
	struct mx_yaml *yaml = NULL;
	struct mx_err err = {""};
	char path[256];

	fill_page(&page, &fx);
	(void)snprintf(path, sizeof(path), "%s/t.json", dir->path);
	assert_int_equal(mx_trace_file_check(path, NULL), 0);
	assert_int_equal(mx_trace_file_write(&page, path, NULL), 0);
	if (mx_yaml_read(&yaml, path, &err))
		fail_msg("%s", err.text);
	other = mx_yaml_get(yaml, mx_yaml_root(yaml), "otherData");
	assert_string_equal(mx_yaml_text(mx_yaml_get(yaml, other, "policy")),
			    "linear");
	assert_string_equal(
		mx_yaml_text(mx_yaml_get(yaml, other, "budget_bytes")),
		"100000");
	assert_string_equal(
		mx_yaml_text(mx_yaml_get(yaml, other, "dropped_events")), "0");
	events = mx_yaml_get(yaml, mx_yaml_root(yaml), "traceEvents");
	/* 7 names; two jobs' spans of two events; a read, a drop, a chunk; four
	 * changes of memory, each two counters; a move, a charge. */
	assert_int_equal(mx_yaml_count(events), 7 + 4 + 3 + 8 + 2);
	mx_yaml_free(yaml);
	end_page(&page);
}

static void what_cannot_be_written_leaves_the_old_file(void **state)
{
	struct scratch_dir *dir = *state;
	struct picture_fixture fx;
	struct mx_trace_page page;
	struct stat st;
	struct mx_err err;
	char path[256], beside[288];
	long nth;
	int rc;

	fill_page(&page, &fx);
	scratch_dir_put(dir, "old.json", "old", 3);
	(void)snprintf(path, sizeof(path), "%s/old.json", dir->path);
	(void)snprintf(beside, sizeof(beside), "%s.new", path);
	for (nth = 0;; nth++) {
		faults_arm(nth);
		rc = mx_trace_file_write(&page, path, &err);
		assert_int_equal(stat(beside, &st), -1);
		assert_int_equal(stat(path, &st), 0);
		if (!faults_disarm())
			break;
		assert_int_equal(rc, -EIO);
		assert_non_null(strstr(err.text, path));
		assert_int_equal(st.st_size, 3);
	}
	assert_int_equal(rc, 0);
	assert_int_equal(nth, 1);
	assert_true(st.st_size > 1000);
	end_page(&page);
}

static void a_place_that_is_none_is_refused(void **state)
{
	struct scratch_dir *dir = *state;
	struct picture_fixture fx;
	struct mx_trace_page page;
	struct mx_err err;
	char path[256];

	fill_page(&page, &fx);
	(void)snprintf(path, sizeof(path), "%s/none/t.json", dir->path);
	assert_int_equal(mx_trace_file_check(path, &err), -ENOENT);
	assert_non_null(strstr(err.text, path));
	assert_int_equal(mx_trace_file_write(&page, path, NULL), -ENOENT);
	/* A device is written to, and full. */
	assert_int_equal(mx_trace_file_check("/dev/full", NULL), 0);
	assert_int_equal(mx_trace_file_write(&page, "/dev/full", &err),
			 -ENOSPC);
	assert_int_equal(mx_trace_file_check(dir->path, &err), -EISDIR);
	end_page(&page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_are_those_of_chromes_format),
		cmocka_unit_test(what_was_before_the_beginning_is_cut),
		cmocka_unit_test_setup_teardown(
			the_file_is_one_object_with_all_events,
			scratch_dir_setup, scratch_dir_teardown),
		cmocka_unit_test_setup_teardown(
			what_cannot_be_written_leaves_the_old_file,
			scratch_dir_setup, scratch_dir_teardown),
		cmocka_unit_test_setup_teardown(a_place_that_is_none_is_refused,
						scratch_dir_setup,
						scratch_dir_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
