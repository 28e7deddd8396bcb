/* wrap: calloc realloc strdup */
#include "cli/experiment.h"

#include <errno.h>
#include <glob.h>

#include "lib/err.h"
#include "lib/log.h"
#include "tests/faults.h"
#include "tests/scratch_dir.h"

FAULT(void *, calloc, (size_t count, size_t size), (count, size), ENOMEM, NULL)
FAULT(void *, realloc, (void *old, size_t size), (old, size), ENOMEM, NULL)
FAULT(char *, strdup, (const char *text), (text), ENOMEM, NULL)

static void read_text(struct scratch_dir *dir, const char *text, uint32_t count,
		      struct mx_experiment *out)
{
	struct mx_err err;

	scratch_dir_put(dir, "day 1.exp.yaml", text, strlen(text));
	if (mx_experiment_read(out, dir->file, count, NULL, &err))
		fail_msg("%s", err.text);
}

static const char head[] = "tag: small\n"
			   "mem_limit: 512M\n"
			   "mode: linear\n"
			   "memory-key: valgrind\n"
			   "n-arrivals: 2\n"
			   "n-workers: 3\n"
			   "network-path: nets\n"
			   "resources-path: pics\n"
			   "arrival-mode: stochastic\n"
			   "arrivals:\n"
			   "- networks:\n"
			   "  - {networkName: Age, pathToNetwork: age}\n"
			   "  - networkName: Face\n"
			   "  - {networkName: Age, pathToNetwork: age}\n"
			   "  pathToData: a.jpg\n"
			   "  time: 99053\n"
			   "- networks:\n"
			   "  - networkName: Face\n"
			   "  time: 1.5\n"
			   "- networks: [{networkName: Other}]\n";

static void the_keys_of_the_reference_are_read(void **state)
{
	struct mx_experiment e;

	read_text(*state, head, 0, &e);
	assert_string_equal(e.tag, "small");
	assert_string_equal(e.policy, "linear");
	assert_true(e.memory_bytes == UINT64_C(512) << 20);
	assert_int_equal(e.workers, 3);
	assert_string_equal(e.networks_path, "nets");
	assert_string_equal(e.pictures_path, "pics");
	/* n-arrivals leaves the third out. */
	assert_int_equal(e.script.arrival_count, 2);
	assert_int_equal(e.network_count, 2);
	assert_string_equal(e.networks[0], "age");
	assert_string_equal(e.networks[1], "Face");
	assert_int_equal(e.script.arrivals[0].kind, MX_ARRIVAL_GAP);
	assert_true(e.script.arrivals[0].time_ns == UINT64_C(99053000000));
	assert_int_equal(e.script.arrivals[0].job_count, 3);
	assert_int_equal(e.script.arrivals[0].jobs[0].net, 0);
	assert_int_equal(e.script.arrivals[0].jobs[1].net, 1);
	assert_int_equal(e.script.arrivals[0].jobs[2].net, 0);
	assert_true(e.script.arrivals[1].time_ns == 1500000);
	assert_int_equal(e.picture_count, 1);
	assert_string_equal(e.pictures[0], "a.jpg");
	assert_int_equal(e.picture[0], 0);
	assert_true(e.picture[1] == MX_PICTURE_NONE);
	mx_experiment_fini(&e);

	read_text(*state, head, 1, &e);
	assert_int_equal(e.script.arrival_count, 1);
	mx_experiment_fini(&e);
}

static void what_is_not_said_has_its_default(void **state)
{
	struct mx_experiment e;

	read_text(*state,
		  "arrival-mode: batch\n"
		  "arrivals: [networks: [networkName: A]]\n",
		  0, &e);
	assert_string_equal(e.tag, "day 1");
	assert_null(e.policy);
	assert_true(e.memory_bytes == 0);
	assert_int_equal(e.workers, 0);
	assert_null(e.networks_path);
	assert_int_equal(e.script.arrivals[0].kind, MX_ARRIVAL_IDLE);
	assert_true(e.script.arrivals[0].time_ns == 0);
	assert_int_equal(e.picture_count, 0);
	mx_experiment_fini(&e);
}

/* Yolo -> Face -> Age, with Yolo's and Face's labels. */
static void related(char *text, size_t room, const char *keys, int persons,
		    const char *faces, const char *test)
{
	(void)snprintf(
		text, room,
		"%sarrivals:\n- networks:\n"
		"  - {networkName: Yolo, data-label: {persons: %d}}\n"
		"  - networkName: Face\n"
		"    data-label: {faces: %s}\n"
		"    relation: {depends: Yolo, condition: {persons: {gt: 0}}}\n"
		"  - networkName: Age\n"
		"    relation:\n"
		"      depends: Face\n"
		"      condition: {faces: %s}\n",
		keys, persons, faces, test);
}

static void a_condition_that_holds_skips(void **state)
{
	static const struct {
		const char *faces;
		const char *test;
		int skip;
	} cases[] = {
		{"1", "{gt: 0}", 1},	    {"0", "{gt: 0}", 0},
		{"0", "{lt: 1}", 1},	    {"1", "{lt: 1}", 0},
		{"1", "{geq: 1}", 1},	    {"0.5", "{geq: 1}", 0},
		{"1", "{leq: 1}", 1},	    {"2", "{leq: 1}", 0},
		{"2", "{eq: 2}", 1},	    {"2", "{eq: 1}", 0},
		{"2", "{gt: 1, lt: 3}", 1}, {"3", "{gt: 1, lt: 3}", 0},
	};
	const struct mx_script_job *jobs;
	struct mx_experiment e;
	char text[1024];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		related(text, sizeof(text), "force-input-label: true\n", 0,
			cases[i].faces, cases[i].test);
		read_text(*state, text, 0, &e);
		jobs = e.script.arrivals[0].jobs;
		assert_int_equal(jobs[0].relation_count, 0);
		assert_int_equal(jobs[1].relation_count, 1);
		assert_int_equal(jobs[1].relations[0].after, 0);
		assert_int_equal(jobs[1].relations[0].skip, 0);
		assert_int_equal(jobs[2].relations[0].after, 1);
		assert_int_equal(jobs[2].relations[0].skip, cases[i].skip);
		assert_int_equal(jobs[2].relations[0].mode,
				 MX_RELATION_OPPORTUNISTIC);
		mx_experiment_fini(&e);
	}
}

static void waiting_is_a_mode(void **state)
{
	struct mx_experiment e;
	char text[1024];

	related(text, sizeof(text),
		"force-input-label: true\nwait-for-network-output: true\n", 1,
		"1", "{gt: 0}");
	read_text(*state, text, 0, &e);
	assert_int_equal(e.script.arrivals[0].jobs[1].relations[0].mode,
			 MX_RELATION_WAIT);
	assert_int_equal(e.script.arrivals[0].jobs[1].relations[0].skip, 1);
	mx_experiment_fini(&e);
}

static void labels_count_only_when_they_are_forced(void **state)
{
	struct mx_experiment e;
	char text[1024];

	related(text, sizeof(text), "", 1, "1", "{gt: 0}");
	read_text(*state, text, 0, &e);
	assert_int_equal(e.script.arrivals[0].jobs[1].relations[0].skip, 0);
	assert_int_equal(e.script.arrivals[0].jobs[2].relations[0].skip, 0);
	mx_experiment_fini(&e);
	/* Nor does a label that is not there. */
	related(text, sizeof(text), "force-input-label: true\n", 1, "1",
		"{gt: 0}, noses: {gt: 0}");
	read_text(*state, text, 0, &e);
	assert_int_equal(e.script.arrivals[0].jobs[2].relations[0].skip, 0);
	mx_experiment_fini(&e);
}

static void there_can_be_several_relations(void **state)
{
	struct mx_experiment e;

	read_text(*state,
		  "arrivals:\n- networks:\n"
		  "  - networkName: A\n  - networkName: B\n  - networkName: C\n"
		  "    relation: [{depends: B}, {depends: A}]\n",
		  0, &e);
	assert_int_equal(e.script.arrivals[0].jobs[2].relation_count, 2);
	assert_int_equal(e.script.arrivals[0].jobs[2].relations[0].after, 1);
	assert_int_equal(e.script.arrivals[0].jobs[2].relations[1].after, 0);
	mx_experiment_fini(&e);
}

static void a_malformed_file_is_refused_with_its_line(void **state)
{
#define ONE "arrivals:\n- networks:\n  - networkName: A\n"
	static const struct {
		const char *text;
		const char *want; /* behind the path */
	} cases[] = {
		{"", ":1: arrivals: there are none"},
		{"tag: x\narrivals: []\n", ":2: arrivals: there are none"},
		{"arrivals: [", ":2:1: "},
		{"arrivals:\n- time: 0\n", ":2: arrivals: one has no networks"},
		{"arrivals:\n- networks:\n  - pathToNetwork: A\n",
		 ":3: networks: has no networkName"},
		{ONE "  time: soon\n", ":4: time: must be milliseconds"},
		{ONE "  time: -1\n", ":4: time: must be milliseconds"},
		{ONE "  pathToData: [a]\n", ":4: pathToData: must be a text"},
		{"mode: magic\n" ONE, ":1: mode: no such policy: magic"},
		{"\nmem_limit: lots\n" ONE, ":2: mem_limit: must be a size"},
		{"n-workers: 0\n" ONE, ":1: n-workers: must be a number above"},
		{"n-arrivals: x\n" ONE, ":1: n-arrivals: must be a number abo"},
		{"force-input-label: 1\n" ONE,
		 ":1: force-input-label: must be true or false"},
		{"tag: a/b\n" ONE, ":1: tag: must be a file's name"},
		{ONE "    relation: {condition: {x: {gt: 0}}}\n",
		 ":4: relation: must say what it depends on"},
		{ONE "    relation: {depends: A}\n",
		 ":4: depends: no network of the arrival before it: A"},
		{ONE "  - networkName: B\n"
		     "    relation: {depends: A, condition: {x: 0}}\n",
		 ":5: condition: must be LABEL: "},
		{ONE "  - networkName: B\n"
		     "    relation: {depends: A, condition: {x: {not: 0}}}\n",
		 ":5: condition: must be gt, lt, geq, leq or eq"},
	};
	struct scratch_dir *dir = *state;
	struct mx_experiment e;
	struct mx_err err;
	char want[256];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		scratch_dir_put(dir, "bad.yaml", cases[i].text,
				strlen(cases[i].text));
		assert_int_equal(
			mx_experiment_read(&e, dir->file, 0, NULL, &err),
			-EBADMSG);
		(void)snprintf(want, sizeof(want), "%s%s", dir->file,
			       cases[i].want);
		if (strncmp(err.text, want, strlen(want)) != 0)
			fail_msg("%s, not %s", err.text, want);
	}
}

static void keep_line(void *user, enum mx_log_level level, const char *line)
{
	char *text = user;

	assert_int_equal(level, MX_LOG_INFO);
	(void)strncat(text, strstr(line, ": ") + 2, 200);
	(void)strncat(text, "\n", 2);
}

static void keys_that_mean_nothing_are_named(void **state)
{
	static const char text[] = "cmd_base: x\ncolour: red\noutput-path: y\n"
				   "arrivals: [networks: [networkName: A]]\n";
	struct scratch_dir *dir = *state;
	char lines[1024] = "";
	const struct mx_log log = {MX_LOG_INFO, keep_line, lines};
	struct mx_experiment e;

	scratch_dir_put(dir, "f.yaml", text, strlen(text));
	assert_int_equal(mx_experiment_read(&e, dir->file, 0, &log, NULL), 0);
	assert_string_equal(lines,
			    "colour is not known\n"
			    "means nothing here: cmd_base, output-path\n");
	mx_experiment_fini(&e);
}

static void no_memory_leaves_nothing(void **state)
{
	struct scratch_dir *dir = *state;
	struct mx_experiment e;
	char text[1024];
	long nth;
	int rc;

	related(text, sizeof(text), "mode: linear\nforce-input-label: true\n",
		1, "1", "{gt: 0}");
	scratch_dir_put(dir, "f.yaml", text, strlen(text));
	for (nth = 0, rc = 1; rc; nth++) {
		faults_arm(nth);
		rc = mx_experiment_read(&e, dir->file, 0, NULL, NULL);
		/* libyaml has allocations of its own, and says ENOMEM as a
		 * parse error. */
		if (faults_disarm())
			assert_true(rc == -ENOMEM || rc == -EBADMSG);
		else
			assert_int_equal(rc, 0);
	}
	assert_true(nth > 8);
	mx_experiment_fini(&e);
}

static void published_experiments_are_read(void **state)
{
	const char *shared = getenv("MEMEXEC_SHARED");
	struct mx_experiment e;
	uint64_t arrivals = 0, jobs = 0, relations = 0;
	struct mx_err err;
	char pattern[512];
	glob_t found;
	uint32_t i, k;
	size_t n;

	(void)state;
	(void)snprintf(pattern, sizeof(pattern), "%s/experiments/*/*.yaml",
		       shared ? shared : "../shared");
	if (glob(pattern, 0, NULL, &found) != 0) {
		print_message("no experiments at %s\n", pattern);
		skip();
	}
	for (n = 0; n < found.gl_pathc; n++) {
		if (mx_experiment_read(&e, found.gl_pathv[n], 0, NULL, &err))
			fail_msg("%s", err.text);
		arrivals += e.script.arrival_count;
		for (i = 0; i < e.script.arrival_count; i++) {
			jobs += e.script.arrivals[i].job_count;
			for (k = 0; k < e.script.arrivals[i].job_count; k++)
				relations += e.script.arrivals[i]
						     .jobs[k]
						     .relation_count;
		}
		mx_experiment_fini(&e);
	}
	globfree(&found);
	/* 18 of context, 12 stochastic: counted in the files. */
	assert_int_equal(n, 30);
	assert_true(arrivals == 1650);
	assert_true(jobs == 3825);
	assert_true(relations == 900);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_keys_of_the_reference_are_read),
		cmocka_unit_test(what_is_not_said_has_its_default),
		cmocka_unit_test(a_condition_that_holds_skips),
		cmocka_unit_test(waiting_is_a_mode),
		cmocka_unit_test(labels_count_only_when_they_are_forced),
		cmocka_unit_test(there_can_be_several_relations),
		cmocka_unit_test(a_malformed_file_is_refused_with_its_line),
		cmocka_unit_test(keys_that_mean_nothing_are_named),
		cmocka_unit_test(no_memory_leaves_nothing),
		cmocka_unit_test(published_experiments_are_read),
	};

	return cmocka_run_group_tests(tests, scratch_dir_setup,
				      scratch_dir_teardown);
}
