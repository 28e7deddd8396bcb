/* wrap: calloc realloc */
#include "cli/timeline.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/faults.h"
#include "tests/picture_fixture.h"

FAULT(void *, calloc, (size_t count, size_t size), (count, size), ENOMEM, NULL)
FAULT(void *, realloc, (void *old, size_t size), (old, size), ENOMEM, NULL)

static void neighbours_of_a_layer_are_one_span(void **state)
{
	static const struct mx_span want[] = {
		{MX_SPAN_INIT, 0, 0, 0, 0, 0},
		{MX_SPAN_LOAD, 0, 0, 0, 300, 3 * PICTURE_PAGE},
		{MX_SPAN_EXEC, 0, 0, 300, 410, 0},
		{MX_SPAN_EXEC, 0, 1, 410, 450, 0},
		{MX_SPAN_INIT, 1, 0, 450, 450, 0},
		{MX_SPAN_LOAD, 1, 0, 450, 750, 3 * PICTURE_PAGE},
		{MX_SPAN_EXEC, 1, 0, 750, 820, 0},
	};
	const struct picture_fixture *fx = *state;
	const struct mx_span *is;
	size_t i;

	assert_int_equal(fx->timeline.span_count,
			 sizeof(want) / sizeof(want[0]));
	for (i = 0; i < fx->timeline.span_count; i++) {
		is = &fx->timeline.spans[i];
		assert_int_equal(is->kind, want[i].kind);
		assert_int_equal(is->net, want[i].net);
		assert_int_equal(is->layer, want[i].layer);
		assert_int_equal(is->begin_ns, want[i].begin_ns);
		assert_int_equal(is->end_ns, want[i].end_ns);
		assert_int_equal(is->size_bytes, want[i].size_bytes);
	}
	assert_int_equal(fx->timeline.end_ns, 820);
}

/* What is in use at @at_ns. */
static uint64_t bytes_at(const struct mx_timeline *timeline, uint64_t at_ns)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < timeline->point_count; i++)
		if (timeline->points[i].at_ns <= at_ns)
			bytes = timeline->points[i].bytes;
	return bytes;
}

static void memory_is_weights_and_activations(void **state)
{
	const struct picture_fixture *fx = *state;
	const struct mx_timeline *timeline = &fx->timeline;

	assert_int_equal(bytes_at(timeline, 299), 5 * PICTURE_PAGE);
	/* Layer 1 needs a page of activations, and no weights. */
	assert_int_equal(bytes_at(timeline, 411), PICTURE_PAGE);
	assert_int_equal(bytes_at(timeline, 740), 4 * PICTURE_PAGE);
	assert_int_equal(bytes_at(timeline, 820), 0);
	assert_int_equal(timeline->peak_bytes, 5 * PICTURE_PAGE);
}

static void every_allocation_may_fail(void **state)
{
	struct picture_fixture fx;
	long nth;
	int rc;

	(void)state;
	picture_fixture_fill(&fx);
	for (nth = 0;; nth++) {
		faults_arm(nth);
		rc = mx_timeline_init(&fx.timeline, &fx.board, "linear", NULL);
		if (!faults_disarm())
			break;
		assert_int_equal(rc, -ENOMEM);
	}
	assert_int_equal(rc, 0);
	assert_true(nth > 7);
	mx_timeline_fini(&fx.timeline);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			neighbours_of_a_layer_are_one_span, picture_setup,
			picture_teardown),
		cmocka_unit_test_setup_teardown(
			memory_is_weights_and_activations, picture_setup,
			picture_teardown),
		cmocka_unit_test(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
