#include "lib/network.h"

#include <errno.h>

#include "lib/op.h"

#include "tests/tiny_network.h"

static void binding_derives_the_work_from_the_shapes(void **state)
{
	const struct tiny *tiny = *state;
	const struct mx_layer *fc1 = &tiny->net.layers[0];

	assert_string_equal(fc1->op->name, "Dense");
	assert_int_equal(fc1->out_shape[0].dim[1], TINY_MIDDLE);
	assert_int_equal(fc1->weights.rows, TINY_MIDDLE);
	assert_int_equal(fc1->weights.row_elems, TINY_IN);
	assert_true(fc1->block_count > 1);
	assert_int_equal(fc1->block_count,
			 mx_weight_block_count(&fc1->weights));
	assert_int_equal(fc1->macs, TINY_IN * TINY_MIDDLE);
	assert_int_equal(tiny->net.layers[1].block_count, 1);
	assert_int_equal(tiny->net.layers[1].weight_bytes, 0);
}

static void what_the_model_states_must_be_what_is_inferred(void **state)
{
	struct tiny *tiny = *state;
	struct mx_network *net = &tiny->net;
	struct mx_err err;

	net->layers[0].weights.rows--;
	assert_int_equal(mx_network_bind(net, &err), -EBADMSG);
	assert_string_equal(err.text,
			    "fc1: weights of 999 x 1024 + 1 by 256/1, Dense "
			    "needs 1000 x 1024 + 1 by 256/1");
	/* The failed bind has put right what it inferred. */
	assert_int_equal(mx_network_bind(net, &err), 0);
	net->layers[0].weight_bytes--;
	assert_int_equal(mx_network_bind(net, &err), -EBADMSG);
	assert_int_equal(mx_network_bind(net, &err), 0);
	net->tensors[3].shape.dim[1]++;
	assert_int_equal(mx_network_bind(net, &err), -EBADMSG);
	assert_string_equal(err.text, "fc2: output t has another shape");
	net->tensors[3].shape.dim[1]--;
	assert_int_equal(mx_network_bind(net, &err), 0);
}

static void bad_layers_are_named(void **state)
{
	struct tiny *tiny = *state;
	struct mx_network *net = &tiny->net;
	struct mx_layer *fc1 = &net->layers[0];
	struct mx_err err;

	fc1->op_name[0] = 'X';
	assert_int_equal(mx_network_bind(net, &err), -ENOTSUP);
	assert_string_equal(err.text, "fc1: no operator Xense");
	assert_null(fc1->op);
	fc1->op_name[0] = 'D';
	fc1->in_count = 0;
	assert_int_equal(mx_network_bind(net, &err), -EBADMSG);
	assert_string_equal(err.text, "fc1: Dense has 0 inputs");
	fc1->in_count = 1;
	assert_int_equal(mx_attrs_set_int(&fc1->attrs, "axis", 7), 0);
	assert_int_equal(mx_network_bind(net, &err), -EBADMSG);
	assert_string_equal(err.text,
			    "fc1 (Dense): axis 7 of an input of rank 2");
}

static void layouts_an_operator_cannot_take_are_refused(void **state)
{
	struct tiny *tiny = *state;
	struct mx_network *net = &tiny->net;
	struct mx_tensor *in = &net->tensors[0];
	struct mx_err err;

	in->shape = (struct mx_shape){4, {1, 2, 16, 32}};
	in->layout = MX_LAYOUT_CHANNELS_LAST;
	in->pitch = 2;
	assert_int_equal(mx_network_bind(net, &err), 0);
	in->pitch = 3;
	assert_int_equal(mx_network_bind(net, &err), -EBADMSG);
	assert_string_equal(err.text, "fc1: t is not dense");
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, tiny_setup, tiny_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(binding_derives_the_work_from_the_shapes),
		TEST(what_the_model_states_must_be_what_is_inferred),
		TEST(bad_layers_are_named),
		TEST(layouts_an_operator_cannot_take_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
