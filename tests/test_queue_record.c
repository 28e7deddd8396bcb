/* wrap: calloc */
#include "cli/queue_record.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/err.h"
#include "tests/faults.h"
#include "tests/model_fixture.h"

FAULT(void *, calloc, (size_t count, size_t size), (count, size), ENOMEM, NULL)

static const struct mx_network *bound(struct fixture *fx,
				      struct mx_model **model)
{
	fixture_write(fx);
	if (mx_model_open(model, fx->path, &fx->err))
		fail_msg("%s", fx->err.text);
	return mx_model_network(*model);
}

static void event(struct mx_record *record, enum mx_event_kind kind,
		  uint32_t number, uint64_t now_ns)
{
	struct mx_board_job job = {.net = 0};
	const struct mx_board_event e = {
		.kind = kind,
		.now_ns = now_ns,
		.job = &job,
		.unit = {.net = 0, .unit = number},
		.step = number,
		.layer = number,
	};

	mx_record_event(record, &e);
}

static void loads_are_their_layers(void **state)
{
	struct fixture *fx = *state;
	struct mx_model *model;
	const struct mx_network *net = bound(fx, &model);
	struct mx_record record;
	uint32_t unit, last;

	assert_int_equal(mx_record_init(&record, &net, 1, 1, NULL), 0);
	assert_true(record.nets[0].unit_count >= 2);
	for (unit = 0; unit < record.nets[0].unit_count; unit++) {
		assert_in_range(record.nets[0].layer_of_unit[unit], 0,
				net->layer_count - 1);
		assert_true(net->layers[record.nets[0].layer_of_unit[unit]]
				    .slice_count > 0);
	}
	last = record.nets[0].unit_count - 1;
	/* Overlapping. */
	event(&record, MX_EVENT_LOAD, 0, 100);
	event(&record, MX_EVENT_LOAD, last, 110);
	event(&record, MX_EVENT_LOADED, 0, 150);
	event(&record, MX_EVENT_LOADED, last, 170);
	event(&record, MX_EVENT_LOAD, 0, 200);
	event(&record, MX_EVENT_LOADED, 0, 207);
	assert_int_equal(record.nets[0].layers[0].load_count, 2);
	assert_int_equal(record.nets[0].layers[0].load_ns, 57);
	last = record.nets[0].layer_of_unit[last];
	assert_int_equal(record.nets[0].layers[last].load_count, 1);
	assert_int_equal(record.nets[0].layers[last].load_ns, 60);
	event(&record, MX_EVENT_LAYER_DONE, 3, 300);
	assert_int_equal(record.nets[0].layers[3].exec_count, 1);
	mx_record_fini(&record);
	mx_model_close(model);
}

static void chunk(struct mx_record *record, uint32_t worker, uint64_t begin_ns,
		  uint64_t end_ns)
{
	const struct mx_chunk_event e = {
		.layer = 1,
		.worker = worker,
		.begin_ns = begin_ns,
		.end_ns = end_ns,
	};

	mx_record_chunk(record, &e);
}

static void chunks_close_together_are_one_interval(void **state)
{
	struct fixture *fx = *state;
	struct mx_model *model;
	const struct mx_network *net = bound(fx, &model);
	const struct mx_record_worker *worker;
	struct mx_record record;

	assert_int_equal(mx_record_init(&record, &net, 1, 2, NULL), 0);
	chunk(&record, 1, 1000, 2000);
	chunk(&record, 1, 2500, 3000);
	chunk(&record, 1, 103001, 104000);
	chunk(&record, 0, 500, 600);
	/* A worker that nobody has heard of. */
	chunk(&record, 2, 0, 50);
	assert_int_equal(record.nets[0].layers[1].exec_ns,
			 1000 + 500 + 999 + 100 + 50);
	worker = &record.workers[1];
	assert_int_equal(worker->busy_count, 2);
	assert_int_equal(worker->busy[0].begin_ns, 1000);
	assert_int_equal(worker->busy[0].end_ns, 3000);
	assert_int_equal(worker->busy[1].begin_ns, 103001);
	assert_int_equal(worker->busy[1].end_ns, 104000);
	assert_int_equal(record.workers[0].busy_count, 1);
	mx_record_fini(&record);
	mx_model_close(model);
}

static void intervals_are_bounded(void **state)
{
	const uint64_t far = 1000000;
	struct fixture *fx = *state;
	struct mx_model *model;
	const struct mx_network *net = bound(fx, &model);
	const struct mx_record_worker *worker;
	struct mx_record record;
	uint64_t i;

	assert_int_equal(mx_record_init(&record, &net, 1, 1, NULL), 0);
	worker = &record.workers[0];
	for (i = 0; i < 10 * MX_RECORD_BUSY_MAX; i++) {
		/* Gaps from 0.2 to 3 ms. */
		chunk(&record, 0, i * 4 * far,
		      i * 4 * far + (i % 15 + 5) * far / 5);
		assert_in_range(worker->busy_count, 1, MX_RECORD_BUSY_MAX);
	}
	assert_int_equal(worker->busy[0].begin_ns, 0);
	assert_int_equal(worker->busy[worker->busy_count - 1].end_ns,
			 (i - 1) * 4 * far + ((i - 1) % 15 + 5) * far / 5);
	for (i = 1; i < worker->busy_count; i++)
		assert_true(worker->busy[i].begin_ns >
			    worker->busy[i - 1].end_ns);
	mx_record_fini(&record);
	mx_model_close(model);
}

static void a_simulation_has_its_own_units_and_times(void **state)
{
	struct mx_board_unit units[] = {{.size_bytes = 1}, {.size_bytes = 1}};
	struct mx_board_step steps[] = {
		{.ns = 10, .layer = 0, .unit = 0},
		{.ns = 20, .layer = 1, .unit = MX_STEP_NONE},
		{.ns = 30, .layer = 4, .unit = 1},
		{.ns = 40, .layer = 4, .unit = 1},
	};
	const struct mx_board_net simulated = {
		.units = units,
		.unit_count = 2,
		.steps = steps,
		.step_count = 4,
	};
	struct fixture *fx = *state;
	struct mx_model *model;
	const struct mx_network *net = bound(fx, &model);
	struct mx_record record;

	assert_int_equal(mx_record_init(&record, &net, 1, 1, NULL), 0);
	assert_int_equal(mx_record_set_units(&record, 0, &simulated, NULL), 0);
	record.simulated = &simulated;
	assert_int_equal(record.nets[0].unit_count, 2);
	assert_int_equal(record.nets[0].layer_of_unit[0], 0);
	assert_int_equal(record.nets[0].layer_of_unit[1], 4);
	event(&record, MX_EVENT_STEP_DONE, 3, 1000);
	event(&record, MX_EVENT_STEP_DONE, 3, 2000000);
	assert_int_equal(record.nets[0].layers[4].exec_ns, 80);
	assert_int_equal(record.workers[0].busy_count, 2);
	assert_int_equal(record.workers[0].busy[0].begin_ns, 960);
	assert_int_equal(record.workers[0].busy[1].end_ns, 2000000);
	mx_record_fini(&record);
	mx_model_close(model);
}

static void no_memory_leaves_nothing(void **state)
{
	struct fixture *fx = *state;
	struct mx_model *model;
	const struct mx_network *net = bound(fx, &model);
	struct mx_record record;
	long nth;
	int rc;

	for (nth = 0, rc = 1; rc; nth++) {
		faults_arm(nth);
		rc = mx_record_init(&record, &net, 1, 2, NULL);
		assert_int_equal(rc, faults_disarm() ? -ENOMEM : 0);
	}
	assert_true(nth > 6);
	mx_record_fini(&record);
	mx_model_close(model);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(loads_are_their_layers),
		TEST(chunks_close_together_are_one_interval),
		TEST(intervals_are_bounded),
		TEST(a_simulation_has_its_own_units_and_times),
		TEST(no_memory_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
