/* wrap: pread mx_job_cancel mx_engine_submit_with */
#include "cli/pipeline_run.h"

#include <errno.h>
#include <stdatomic.h>

#include "lib/err.h"
#include "loader/import/import.h"
#include "tests/engine_fixture.h"
#include "tests/scratch_dir.h"

/*
 * Reads of the weights are counted. While the gate is closed they do not come
 * to an end; cancelling a job opens it.
 */
static struct gate read_gate = GATE_INIT;
static atomic_uint_fast64_t read_bytes;
static atomic_int failing; /* reads do */

ssize_t __real_pread(int fd, void *data, size_t size, off_t offset);
ssize_t __wrap_pread(int fd, void *data, size_t size, off_t offset);
ssize_t __wrap_pread(int fd, void *data, size_t size, off_t offset)
{
	gate_pass(&read_gate);
	if (atomic_load(&failing)) {
		errno = EIO;
		return -1;
	}
	atomic_fetch_add(&read_bytes, size);
	return __real_pread(fd, data, size, offset);
}

void __real_mx_job_cancel(struct mx_job *job);
void __wrap_mx_job_cancel(struct mx_job *job);
void __wrap_mx_job_cancel(struct mx_job *job)
{
	__real_mx_job_cancel(job);
	gate_set(&read_gate, 0);
}

/* The chances of jobs that were held, in order. */
static float chances[8];
static size_t chance_count;

int __real_mx_engine_submit_with(struct mx_engine *engine, uint32_t index,
				 const struct mx_submit_opts *opts,
				 struct mx_job **out, struct mx_err *err);
int __wrap_mx_engine_submit_with(struct mx_engine *engine, uint32_t index,
				 const struct mx_submit_opts *opts,
				 struct mx_job **out, struct mx_err *err);
int __wrap_mx_engine_submit_with(struct mx_engine *engine, uint32_t index,
				 const struct mx_submit_opts *opts,
				 struct mx_job **out, struct mx_err *err)
{
	if (opts->flags & MX_SUBMIT_HELD) {
		assert_in_range(chance_count, 0, 7);
		chances[chance_count++] = opts->chance;
	}
	return __real_mx_engine_submit_with(engine, index, opts, out, err);
}

/* Without weights: its input's rows are its output's. */
static const char rows_net[] =
	"name: \"rows\"\n"
	"layer { name: \"data\" type: \"Input\" top: \"data\"\n"
	"  input_param { shape { dim: 1 dim: 1 dim: 2 dim: 7 } } }\n"
	"layer { name: \"rows\" type: \"Power\" bottom: \"data\" top: "
	"\"rows\"\n"
	"  power_param { scale: 1 } }\n";

/* 16 MiB of weights. */
static const char big_net[] =
	"name: \"big\"\n"
	"layer { name: \"data\" type: \"Input\" top: \"data\"\n"
	"  input_param { shape { dim: 1 dim: 1 dim: 32 dim: 64 } } }\n"
	"layer { name: \"fc\" type: \"InnerProduct\" bottom: \"data\" top: "
	"\"fc\"\n"
	"  inner_product_param { num_output: 2048 } }\n";

#define BIG_BYTES ((uint64_t)2048 * 2049 * 4)
#define BUDGET ((uint64_t)1 << 30)

static void import(struct scratch_dir *dir, const char *name, const char *text,
		   float scale)
{
	const struct mx_preprocess how = {
		.channels = MX_CHANNELS_GRAY,
		.std = {1, 1, 1, 1},
		.scale = scale,
	};
	char source[256], output[256];
	const struct mx_import_opts opts = {
		.source = source,
		.output = output,
		.random_weights = 1,
		.preprocess = &how,
	};
	struct mx_err err;

	(void)snprintf(
		source, sizeof(source), "%s",
		scratch_dir_put(dir, "net.prototxt", text, strlen(text)));
	(void)snprintf(output, sizeof(output), "%s/%.20s.mx", dir->path, name);
	if (mx_import(&opts, &err))
		fail_msg("%s", err.text);
}

/* Two rows: a detection of score 0.9 over half the picture, and none. */
static const unsigned char picture[] = "P5 7 2 255\n"
				       "\0\0\011\0\0\012\012\0\0\0\0\0\0\0";

static int setup(void **state)
{
	struct scratch_dir *dir;

	if (scratch_dir_setup(state))
		return -1;
	dir = *state;
	import(dir, "rows", rows_net, 0.1f);
	import(dir, "big", big_net, 1);
	scratch_dir_put(dir, "one.pgm", picture, sizeof(picture) - 1);
	return 0;
}

/* What mx_pipeline_run() says of the picture, so many times; weights are
 * streamed. */
static int run_often(struct scratch_dir *dir, const char *stages, size_t repeat,
		     struct mx_err *err)
{
	char text[1024], path[256], image[256];
	char *const images[] = {image};
	const struct mx_pipeline_opts opts = {
		.path = path,
		.session = {.threads = 2,
			    .budget_bytes = BUDGET,
			    .io = "threads",
			    .policy = "fifo",
			    .wall = "off"},
		.repeat = repeat,
		.top = 1,
	};
	int length;

	length = snprintf(text, sizeof(text),
			  "networks: {rows: rows.mx, big: big.mx}\n"
			  "stages:\n"
			  "- name: rows\n"
			  "  detect: {format: rows, pixels: true}\n"
			  "%s",
			  stages);
	scratch_dir_put(dir, "p.yaml", text, (size_t)length);
	(void)snprintf(path, sizeof(path), "%s/p.yaml", dir->path);
	(void)snprintf(image, sizeof(image), "%s/one.pgm", dir->path);
	atomic_store(&read_bytes, 0);
	chance_count = 0;
	return mx_pipeline_run(&opts, images, 1, err);
}

static int run(struct scratch_dir *dir, const char *stages, struct mx_err *err)
{
	return run_often(dir, stages, 1, err);
}

static void expect_run(struct scratch_dir *dir, const char *stages)
{
	struct mx_err err;

	if (run(dir, stages, &err))
		fail_msg("%s", err.text);
}

static void what_is_needed_is_read(void **state)
{
	expect_run(*state, "- {name: big, when: {rows.count: 1}}\n");
	assert_true(atomic_load(&read_bytes) >= BIG_BYTES);
}

static void what_is_not_needed_is_not_read(void **state)
{
	expect_run(*state, "- {name: big, when: {rows.count: 2}, chance: 0}\n");
	assert_int_equal(atomic_load(&read_bytes), 0);
}

/* The network is begun with the picture, and its reads are held until it is
 * cancelled: those that were begun come to an end, and there are no more. */
static void an_opportunistic_job_is_cancelled_midway(void **state)
{
	gate_set(&read_gate, 1);
	expect_run(*state, "- {name: big, when: {rows.count: 2},\n"
			   "   mode: opportunistic}\n");
	assert_false(read_gate.closed);
	assert_true(atomic_load(&read_bytes) < BIG_BYTES / 2);
}

static void a_job_that_fails_is_the_pipelines_error(void **state)
{
	struct mx_err err;

	atomic_store(&failing, 1);
	assert_int_equal(run(*state,
			     "- {name: big, each: rows}\n"
			     "- {name: after, network: big, after: big}\n",
			     &err),
			 -EIO);
	atomic_store(&failing, 0);
	assert_non_null(strstr(err.text, "big"));
}

static void what_is_held_has_the_chance_that_was_learned(void **state)
{
	static const struct {
		const char *stages;
		float want[3];
	} cases[] = {
		{"- {name: after, network: rows, after: rows}\n",
		 {0.5f, 0.625f, 0.71875f}},
		{"- {name: after, network: rows, when: {rows.count: 9}}\n",
		 {0.5f, 0.375f, 0.28125f}},
		{"- {name: after, network: rows, each: rows, chance: 0.25}\n",
		 {0.25f, 0.25f, 0.25f}},
	};
	struct mx_err err;
	size_t i, k;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (run_often(*state, cases[i].stages, 3, &err))
			fail_msg("%s", err.text);
		assert_int_equal(chance_count, 3);
		for (k = 0; k < 3; k++)
			assert_true(chances[k] == cases[i].want[k]);
	}
}

/* What is left open, or in memory, is the sanitizers' to find. */
static void a_budget_that_is_too_small_is_refused(void **state)
{
	char path[256], image[256];
	char *const images[] = {image};
	const struct mx_pipeline_opts opts = {
		.path = path,
		.session = {.budget_bytes = 1, .wall = "off"},
		.repeat = 1,
		.top = 1,
	};
	struct scratch_dir *dir = *state;

	expect_run(dir, "- {name: big, each: rows}\n");
	(void)snprintf(path, sizeof(path), "%s/p.yaml", dir->path);
	(void)snprintf(image, sizeof(image), "%s/one.pgm", dir->path);
	assert_int_equal(mx_pipeline_run(&opts, images, 1, NULL), -EDQUOT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_needed_is_read),
		cmocka_unit_test(what_is_not_needed_is_not_read),
		cmocka_unit_test(an_opportunistic_job_is_cancelled_midway),
		cmocka_unit_test(a_job_that_fails_is_the_pipelines_error),
		cmocka_unit_test(what_is_held_has_the_chance_that_was_learned),
		cmocka_unit_test(a_budget_that_is_too_small_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, scratch_dir_teardown);
}
