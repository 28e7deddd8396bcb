/* wrap: calloc realloc strdup malloc */
#include "cli/workload.h"

#include <errno.h>
#include <sys/stat.h>

#include "cli/experiment.h"
#include "cli/session.h"
#include "lib/err.h"
#include "lib/log.h"
#include "tests/faults.h"
#include "tests/scratch_dir.h"

FAULT(void *, calloc, (size_t count, size_t size), (count, size), ENOMEM, NULL)
FAULT(void *, realloc, (void *old, size_t size), (old, size), ENOMEM, NULL)
FAULT(void *, malloc, (size_t size), (size), ENOMEM, NULL)
FAULT(char *, strdup, (const char *text), (text), ENOMEM, NULL)

static const char text[] = "arrivals:\n"
			   "- networks: [{networkName: a}, {networkName: b}]\n"
			   "  pathToData: x.jpg\n"
			   "- networks: [{networkName: b}]\n"
			   "  pathToData: gone.jpg\n"
			   "- networks: [{networkName: a}, {networkName: a}]\n"
			   "  pathToData: x.jpg\n"
			   "- networks: [{networkName: b}]\n";

static void make_directory(struct scratch_dir *dir, const char *name)
{
	if (mkdir(scratch_dir_path(dir, name), 0777) < 0)
		assert_int_equal(errno, EEXIST);
}

static int read_experiment(struct scratch_dir *dir, struct mx_experiment *out)
{
	scratch_dir_put(dir, "f.yaml", text, sizeof(text) - 1);
	return mx_experiment_read(out, dir->file, 0, NULL, NULL);
}

static void count_lines(void *user, enum mx_log_level level, const char *line)
{
	assert_int_equal(level, MX_LOG_WARNING);
	assert_non_null(strstr(line, "gone.jpg: not there: a fixed pattern"));
	++*(int *)user;
}

static int make(struct scratch_dir *dir, struct mx_workload *out,
		char **missing, const struct mx_log *log, struct mx_err *err)
{
	const struct mx_workload_experiment opts = {
		.networks_path = dir->path,
		.pictures_path = dir->path,
		.missing = missing,
		.log = log,
	};
	struct mx_experiment experiment;
	int rc;

	assert_int_equal(read_experiment(dir, &experiment), 0);
	rc = mx_workload_of_experiment(out, &experiment, &opts, err);
	mx_experiment_fini(&experiment);
	return rc;
}

/* @spec is DIR/@want. */
static void assert_spec(const struct scratch_dir *dir, const char *spec,
			const char *network, const char *picture)
{
	char want[512];

	if (picture)
		(void)snprintf(want, sizeof(want), "%s/%s=%s/%s", dir->path,
			       network, dir->path, picture);
	else
		(void)snprintf(want, sizeof(want), "%s/%s", dir->path, network);
	assert_string_equal(spec, want);
}

static void networks_and_pictures_are_found_once(void **state)
{
	struct scratch_dir *dir = *state;
	struct mx_workload workload, again;
	char *missing = NULL;
	int lines = 0;
	const struct mx_log log = {MX_LOG_WARNING, count_lines, &lines};
	struct mx_err err;

	/* An imported network goes before the one it came from. */
	make_directory(dir, "a");
	make_directory(dir, "a.mx");
	make_directory(dir, "b");
	scratch_dir_put(dir, "x.jpg", "", 0);
	if (make(dir, &workload, &missing, &log, &err))
		fail_msg("%s", err.text);
	assert_string_equal(workload.tag, "f");
	assert_int_equal(workload.spec_count, 3);
	assert_spec(dir, workload.specs[0], "a.mx", "x.jpg");
	assert_spec(dir, workload.specs[1], "b", "x.jpg");
	assert_spec(dir, workload.specs[2], "b", NULL);
	assert_int_equal(workload.job_count, 6);
	assert_int_equal(workload.first[1], 2);
	assert_int_equal(workload.first[2], 3);
	assert_int_equal(workload.first[3], 5);
	assert_int_equal(workload.task[0], 0);
	assert_int_equal(workload.task[1], 1);
	assert_int_equal(workload.task[2], 2);
	assert_int_equal(workload.task[3], 0);
	assert_int_equal(workload.task[5], 2);
	assert_int_equal(mx_workload_passes(&workload), 3);
	mx_workload_fini(&workload);

	assert_int_equal(lines, 1);
	assert_int_equal(make(dir, &again, &missing, &log, &err), 0);
	assert_int_equal(lines, 1);
	mx_workload_fini(&again);
	free(missing);
}

static void bound_jobs_have_the_sessions_networks(void **state)
{
	struct scratch_dir *dir = *state;
	struct mx_task tasks[3] = {{.index = 0}, {.index = 1}, {.index = 1}};
	const struct mx_session session = {.tasks = tasks, .task_count = 3};
	struct mx_workload workload;
	char *missing = NULL;
	int i;

	make_directory(dir, "a");
	make_directory(dir, "b");
	scratch_dir_put(dir, "x.jpg", "", 0);
	assert_int_equal(make(dir, &workload, &missing, NULL, NULL), 0);
	free(missing);
	/* As often as it is run. */
	for (i = 0; i < 2; i++) {
		mx_workload_bind(&workload, &session);
		assert_int_equal(workload.script.arrivals[0].jobs[1].net, 1);
		assert_int_equal(workload.script.arrivals[1].jobs[0].net, 1);
		assert_int_equal(workload.script.arrivals[2].jobs[1].net, 0);
		assert_int_equal(workload.script.arrivals[3].jobs[0].net, 1);
	}
	mx_workload_fini(&workload);
}

static void a_network_that_is_not_there_is_named(void **state)
{
	struct scratch_dir *dir = *state;
	struct mx_workload workload;
	char *missing = NULL, want[256];
	struct mx_err err;

	make_directory(dir, "a");
	assert_int_equal(make(dir, &workload, &missing, NULL, &err), -ENOENT);
	(void)snprintf(want, sizeof(want),
		       "b: no b or b.mx in %s: import it, or say with "
		       "--networks where it is",
		       dir->path);
	assert_string_equal(err.text, want);
	free(missing);
}

static void a_trace_knows_networks_by_name(void **state)
{
	struct mx_workload_stream opts = {.count = 0};
	struct scratch_dir *dir = *state;
	char a[256], b[256];
	char *const specs[] = {a, b};
	struct mx_workload workload;
	struct mx_err err;

	/* A directory's name may have a '=' itself. */
	make_directory(dir, "a=1.mx");
	make_directory(dir, "b");
	(void)snprintf(a, sizeof(a), "%s/a=1.mx/", dir->path);
	(void)snprintf(b, sizeof(b), "%s/b=x=y.jpg", dir->path);
	scratch_dir_put(dir, "t.txt", "0\n5 b\n6 a=1\n", 12);
	opts.arrivals.trace = dir->file;
	if (mx_workload_of_stream(&workload, specs, 2, &opts, &err))
		fail_msg("%s", err.text);
	assert_string_equal(workload.tag, "stream");
	assert_string_equal(workload.specs[1], b);
	assert_int_equal(workload.script.arrival_count, 3);
	assert_int_equal(workload.job_count, 4);
	assert_int_equal(workload.task[2], 1);
	assert_int_equal(workload.task[3], 0);
	mx_workload_fini(&workload);
	opts.arrivals.trace = "/no/such/file";
	assert_int_equal(
		mx_workload_of_stream(&workload, specs, 2, &opts, &err),
		-ENOENT);
}

static void a_stream_has_ten_arrivals_unless_told(void **state)
{
	struct mx_workload_stream opts = {.count = 0};
	char name[] = "net";
	char *const specs[] = {name, name};
	struct mx_workload workload;

	(void)state;
	assert_int_equal(
		mx_workload_of_stream(&workload, specs, 2, &opts, NULL), 0);
	assert_int_equal(workload.script.arrival_count, 10);
	assert_int_equal(mx_workload_passes(&workload), 10);
	mx_workload_fini(&workload);
	opts.count = 3;
	opts.pick = 3;
	assert_int_equal(
		mx_workload_of_stream(&workload, specs, 2, &opts, NULL),
		-EINVAL);
}

static void no_memory_leaves_nothing(void **state)
{
	struct mx_workload_stream stream = {.count = 2};
	struct scratch_dir *dir = *state;
	const struct mx_workload_experiment opts = {
		.networks_path = dir->path,
		.pictures_path = dir->path,
		.missing = (char *[]){NULL},
	};
	char name[] = "net";
	char *const specs[] = {name, name};
	struct mx_experiment experiment;
	struct mx_workload workload;
	long nth;
	int rc;

	make_directory(dir, "a");
	make_directory(dir, "b");
	for (nth = 0, rc = 1; rc; nth++) {
		assert_int_equal(read_experiment(dir, &experiment), 0);
		faults_arm(nth);
		rc = mx_workload_of_experiment(&workload, &experiment, &opts,
					       NULL);
		assert_int_equal(rc, faults_disarm() ? -ENOMEM : 0);
		mx_experiment_fini(&experiment);
	}
	assert_true(nth > 8);
	mx_workload_fini(&workload);
	free(*opts.missing);
	for (nth = 0, rc = 1; rc; nth++) {
		faults_arm(nth);
		rc = mx_workload_of_stream(&workload, specs, 2, &stream, NULL);
		assert_int_equal(rc, faults_disarm() ? -ENOMEM : 0);
	}
	assert_true(nth > 6);
	mx_workload_fini(&workload);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, scratch_dir_setup,               \
					scratch_dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(networks_and_pictures_are_found_once),
		TEST(bound_jobs_have_the_sessions_networks),
		TEST(a_network_that_is_not_there_is_named),
		TEST(a_trace_knows_networks_by_name),
		TEST(a_stream_has_ten_arrivals_unless_told),
		TEST(no_memory_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
