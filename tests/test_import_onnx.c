/*
 * ONNX models through mx_import() as a whole, to what the device computes.
 */
#include "tests/onnx_fixture.h"
#include "tests/scratch_dir.h"

#include "loader/mxload.h"
#include "sched/memexec.h"

enum { COLUMNS = 2048, ROWS = 1100, NARROW = 3, HOT = 1234 };

/* Run @model on an input that is 1 at HOT, else 0: column HOT of its weights
 * comes out. */
static void run_hot(struct mx_model *model, float *wide, float *narrow)
{
	const struct mx_engine_opts opts = {.threads = 1, .given_inputs = 1};
	struct mx_network *net = mx_model_network(model);
	struct mx_engine *engine = NULL;
	struct mx_job *job = NULL;
	float input[COLUMNS] = {0};
	const float *inputs[] = {input};
	struct mx_err err = {""};
	uint32_t index;

	input[HOT] = 1;
	if (mx_network_bind(net, &err) || mx_engine_open(&engine, &opts, &err))
		fail_msg("%s", err.text);
	assert_int_equal(net->output_count, 2);
	if (mx_engine_add(engine, net, &index, &err) ||
	    mx_engine_submit(engine, index, inputs, &job, &err) ||
	    mx_job_wait(job, NULL, &err))
		fail_msg("%s", err.text);
	mx_job_output(job, 0, wide);
	mx_job_output(job, 1, narrow);
	mx_job_free(job);
	mx_engine_close(engine);
}

/*
 * More weights than are kept before their source's memory is given back, read
 * row by row; and such as are read across the rows, so that none may be given
 * back before the last.
 */
static void weights_are_right_though_their_source_is_dropped(void **state)
{
	struct scratch_dir *dir = *state;
	char source[128];
	struct mx_import_opts opts = {.source = source};
	struct mx_model *model = NULL;
	struct mx_err err = {""};
	struct pb pb = {0};
	float wide[ROWS], narrow[NARROW];
	size_t i;

	model_of("input x 1,2048\n"
		 "init w T1:1100,2048:*\n"
		 "init v T1:2048,3:*\n"
		 "Gemm x,w -> y transB=1\n"
		 "MatMul x,v -> z\n"
		 "output y\n"
		 "output z\n",
		 &pb);
	strcpy(source, scratch_dir_put(dir, "net.onnx", pb.data, pb.size));
	free(pb.data);
	opts.output = scratch_dir_path(dir, "net.mx");
	if (mx_import(&opts, &err) || mx_model_open(&model, opts.output, &err))
		fail_msg("%s", err.text);
	assert_string_equal(mx_model_network(model)->source, "onnx");
	run_hot(model, wide, narrow);
	mx_model_close(model);
	for (i = 0; i < ROWS; i++)
		assert_true(wide[i] == (float)(i * COLUMNS + HOT + 1));
	for (i = 0; i < NARROW; i++)
		assert_true(narrow[i] == (float)(HOT * NARROW + i + 1));
}

static void a_refused_model_leaves_nothing(void **state)
{
	struct scratch_dir *dir = *state;
	char source[128];
	struct mx_import_opts opts = {.source = source};
	struct mx_err err = {""};
	struct pb pb = {0};

	model_of("input x 1,4\nFoo x -> y\noutput y\n", &pb);
	strcpy(source, scratch_dir_put(dir, "net.onnx", pb.data, pb.size));
	free(pb.data);
	opts.output = scratch_dir_path(dir, "net.mx");
	assert_int_equal(mx_import(&opts, &err), -ENOTSUP);
	assert_non_null(strstr(err.text, "not supported: Foo"));
	assert_int_equal(access(opts.output, F_OK), -1);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, scratch_dir_setup,               \
					scratch_dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(weights_are_right_though_their_source_is_dropped),
		TEST(a_refused_model_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
