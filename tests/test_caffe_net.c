#include "loader/import/caffe_net.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/err.h"
#include "tests/check.h"

struct net {
	struct mx_prototxt *tree;
	struct mx_caffe_net net;
	struct mx_err err;
};

static int read_net(struct net *n, const char *text)
{
	memset(n, 0, sizeof(*n));
	assert_int_equal(
		mx_prototxt_parse(&n->tree, "net", text, strlen(text), &n->err),
		0);
	return mx_caffe_net_read(&n->net, n->tree, &n->err);
}

static void end_net(struct net *n)
{
	mx_caffe_net_fini(&n->net);
	mx_prototxt_free(n->tree);
}

/* "name:Type(bottoms)->tops;" of each layer. */
static void expect_layers(const char *text, const char *want)
{
	char got[1024] = "";
	struct net n;
	uint32_t i, k;

	if (read_net(&n, text))
		fail_msg("%s", n.err.text);
	for (i = 0; i < n.net.layer_count; i++) {
		const struct mx_caffe_layer *l = &n.net.layers[i];
		size_t at = strlen(got);

		at += (size_t)sprintf(got + at, "%s:%s(", l->name, l->type);
		for (k = 0; k < l->bottom_count; k++)
			at += (size_t)sprintf(got + at, "%s,",
					      l->bottoms[k]->text);
		at += (size_t)sprintf(got + at, ")");
		for (k = 0; k < l->top_count; k++)
			at += (size_t)sprintf(got + at, "%s,",
					      l->tops[k]->text);
		(void)sprintf(got + at, ";");
	}
	assert_string_equal(got, want);
	end_net(&n);
}

static void expect_error(const char *text, const char *message)
{
	struct net n;

	assert_int_equal(read_net(&n, text), -EBADMSG);
	assert_string_equal(n.err.text, message);
	end_net(&n);
}

static void v1_layers_are_v2_layers_by_another_name(void **state)
{
	(void)state;
	expect_layers("layers { name: 'a' type: INNER_PRODUCT bottom: 'x' "
		      "top: 'y' } layers { type: 18 top: 'z' }",
		      "a:InnerProduct(x,)y,;:ReLU()z,;");
	expect_layers("layer { name: 'd' type: 'Input' top: 'x' } "
		      "layers { name: 'e' type: FROBNICATE }",
		      "d:Input()x,;e:FROBNICATE();");
	assert_string_equal(mx_caffe_v1_type("SOFTMAX_LOSS"),
			    "SoftmaxWithLoss");
	assert_string_equal(mx_caffe_v1_type("24"), "WindowData");
	assert_null(mx_caffe_v1_type("Softmax"));
}

static void rules_decide_what_a_test_net_has(void **state)
{
	static const struct {
		const char *rules;
		int included;
	} cases[] = {
		{"", 1},
		{"include { phase: TEST }", 1},
		{"include { phase: TRAIN }", 0},
		{"include { phase: 1 }", 1},
		{"include { phase: 0 }", 0},
		{"exclude { phase: TEST }", 0},
		{"exclude { phase: TRAIN }", 1},
		{"include { phase: TRAIN } include { phase: TEST }", 1},
		{"exclude { phase: TRAIN } exclude { phase: TEST }", 0},
		{"include { min_level: 2 }", 1},
		{"include { min_level: 3 }", 0},
		{"include { max_level: 2 }", 1},
		{"include { max_level: 1 }", 0},
		{"include { stage: 'deploy' }", 1},
		{"include { stage: 'other' }", 0},
		{"include { stage: 'deploy' stage: 'other' }", 0},
		{"include { not_stage: 'deploy' }", 0},
		{"include { not_stage: 'other' }", 1},
		{"include { phase: TEST stage: 'other' }", 0},
		{"include { }", 1},
		{"exclude { }", 0},
	};
	char text[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(text, sizeof(text),
			       "state { level: 2 stage: 'deploy' } "
			       "layer { type: 'T' %s }",
			       cases[i].rules);
		expect_layers(text, cases[i].included ? ":T();" : "");
	}
	/* Without a state: level 0 and no stages. */
	expect_layers("layer { type: 'T' include { stage: 'deploy' } }", "");
	expect_layers("layer { type: 'T' include { min_level: 0 } }", ":T();");
}

static void inputs_have_shapes_in_either_form(void **state)
{
	struct net n;

	(void)state;
	assert_int_equal(read_net(&n, "input: 'a' input: 'b' "
				      "input_dim: [1,2,3,4, 5,6,7,8]"),
			 0);
	assert_int_equal(n.net.input_count, 2);
	assert_string_equal(n.net.inputs[1].field->text, "b");
	assert_int_equal(n.net.inputs[1].shape.rank, 4);
	assert_int_equal(n.net.inputs[1].shape.dim[3], 8);
	end_net(&n);

	assert_int_equal(read_net(&n, "input: 'a' input: 'b' "
				      "input_shape { dim: 3 dim: 4 }"),
			 0);
	assert_int_equal(n.net.inputs[0].shape.rank, 2);
	assert_int_equal(n.net.inputs[0].has_shape, 1);
	assert_int_equal(n.net.inputs[1].has_shape, 0);
	end_net(&n);

	assert_int_equal(read_net(&n, "name: 'n' input: 'a' input_dim: [5,6]"),
			 0);
	assert_int_equal(n.net.inputs[0].shape.rank, 2);
	assert_string_equal(n.net.name, "n");
	end_net(&n);
}

static void errors_say_where(void **state)
{
	(void)state;
	expect_error("layer { name: 'a' }", "net:1:7: the layer has no type");
	expect_error("layer { type: TYPE }",
		     "net:1:15: type: expected a string");
	expect_error("layers { type { } }", "net:1:15: type: expected a word");
	expect_error("layer: 3", "net:1:8: layer: expected a message");
	expect_error("layer { name: 3 type: 'T' }",
		     "net:1:15: name: expected a string");
	expect_error("layer { type: 'T' bottom: 3 }",
		     "net:1:27: bottom: expected a string");
	expect_error("layer { type: 'T' top { } }",
		     "net:1:23: top: expected a string");
	expect_error("layer { type: 'T' include { phase: DREAM } }",
		     "net:1:36: phase: expected TRAIN or TEST");
	expect_error("layer { type: 'T' exclude { min_level: 'x' } }",
		     "net:1:40: min_level: expected an integer");
	expect_error("layer { type: 'T' include { color: 1 } }",
		     "net:1:36: color: no condition of a rule");
	expect_error("layer { type: 'T' include { stage: 1 } }",
		     "net:1:36: stage: expected a string");
	expect_error("state { level: x }",
		     "net:1:16: level: expected an integer");
	expect_error("name: 3", "net:1:7: name: expected a string");
	expect_error("input: 3", "net:1:8: input: expected a string");
	expect_error("input: 'a' input_dim: 0",
		     "net:1:23: input_dim: 0 is not in 1 to 2147483647");
	expect_error("input: 'a' input_dim: [1,2,3,4,5,6,7,8,9]",
		     "net:1:40: more than 8 dimensions");
	expect_error("input_dim: 1",
		     "net:1:12: more than 4 input_dim for each input");
	expect_error("input: 'a' input: 'b' input_dim: [1,2,3,4,5]",
		     "net:1:19: b has 1 input_dim, not 4");
	expect_error("input: 'a' input_dim: [99999,99999,99999]",
		     "net:1:36: the shape is too big");
	expect_error("input: 'a' input_shape { } input_shape { }",
		     "net:1:40: more input_shape than inputs");
	expect_error("input: 'a' input_shape: 3",
		     "net:1:25: input_shape: expected { dim: ... }");
	expect_error("input: 'a' input_shape { dim: -1 }",
		     "net:1:31: dim: -1 is not in 1 to 2147483647");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(v1_layers_are_v2_layers_by_another_name),
		cmocka_unit_test(rules_decide_what_a_test_net_has),
		cmocka_unit_test(inputs_have_shapes_in_either_form),
		cmocka_unit_test(errors_say_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
