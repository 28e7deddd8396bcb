/* wrap: calloc */
#include "cli/dot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/faults.h"
#include "tests/picture_fixture.h"

FAULT(void *, calloc, (size_t count, size_t size), (count, size), ENOMEM, NULL)

static const char want[] =
	"digraph plan {\n"
	"\trankdir=LR;\n"
	"\tlabel=\"linear\";\n"
	"\tnode [shape=box fillcolor=lightgrey];\n"
	"\tsubgraph cluster_0 {\n"
	"\t\tlabel=\"a<b\";\n"
	"\t\tn0I [shape=oval label=\"INIT\"];\n"
	"\t\tn0L0 [label=\"LOAD co\\\"nv\\n12.0 KiB\"];\n"
	"\t\tn0I -> n0L0;\n"
	"\t\tn0E0 [style=filled label=\"EXEC co\\\"nv\"];\n"
	"\t\tn0L0 -> n0E0;\n"
	"\t\tn0I -> n0E0;\n"
	"\t\tn0E1 [style=filled label=\"EXEC pool&\"];\n"
	"\t\tn0E0 -> n0E1;\n"
	"\t}\n"
	"\tsubgraph cluster_1 {\n"
	"\t\tlabel=\"second\";\n"
	"\t\tn1I [shape=oval label=\"INIT\"];\n"
	"\t\tn1L0 [label=\"LOAD fc\\n12.0 KiB\"];\n"
	"\t\tn1I -> n1L0;\n"
	"\t\tn1E0 [style=filled label=\"EXEC fc\"];\n"
	"\t\tn1L0 -> n1E0;\n"
	"\t\tn1I -> n1E0;\n"
	"\t}\n"
	"\tn0L0 -> n1L0 [style=dashed color=blue constraint=false];\n"
	"\tn0E1 -> n1E0 [style=dashed color=red constraint=false];\n"
	"}\n";

/* Heap, the caller's. */
static char *written(const struct mx_picture *picture)
{
	size_t size;
	char *text;
	FILE *out;

	out = open_memstream(&text, &size);
	assert_non_null(out);
	assert_int_equal(mx_dot_write(picture, out, NULL), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void edges_are_what_networks_ask_for_and_what_the_policy_did(
	void **state)
{
	const struct picture_fixture *fx = *state;
	char *text = written(&fx->picture);

	assert_string_equal(text, want);
	free(text);
}

static void a_layer_read_twice_is_one_node(void **state)
{
	struct picture_fixture *fx = *state;
	const size_t count = fx->timeline.span_count;
	struct mx_span again = fx->timeline.spans[1];
	char *text;

	/* Its bytes are summed; the order is that of the first time. */
	again.begin_ns = again.end_ns = 900;
	fx->timeline.spans[0] = again;
	text = written(&fx->picture);
	assert_non_null(strstr(text, "LOAD co\\\"nv\\n24.0 KiB"));
	assert_null(strstr(text, "n1L0 -> n0L0"));
	assert_non_null(strstr(text, "n0L0 -> n1L0"));
	assert_int_equal(fx->timeline.span_count, count);
	free(text);
}

static void every_allocation_may_fail(void **state)
{
	const struct picture_fixture *fx = *state;
	char text[4096];
	FILE *out;
	long nth;

	for (nth = 0; nth < 2; nth++) {
		out = fmemopen(text, sizeof(text), "w");
		assert_non_null(out);
		faults_arm(nth);
		assert_int_equal(mx_dot_write(&fx->picture, out, NULL),
				 -ENOMEM);
		assert_int_equal(faults_disarm(), ENOMEM);
		(void)fclose(out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			edges_are_what_networks_ask_for_and_what_the_policy_did,
			picture_setup, picture_teardown),
		cmocka_unit_test_setup_teardown(a_layer_read_twice_is_one_node,
						picture_setup,
						picture_teardown),
		cmocka_unit_test_setup_teardown(every_allocation_may_fail,
						picture_setup,
						picture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
