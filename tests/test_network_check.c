/* wrap: calloc */
#include "tests/model_fixture.h"

#include <errno.h>
#include <math.h>

#include "loader/write_impl.h"

static unsigned fail_after; /* the calloc that fails; 0: none */

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	if (fail_after && --fail_after == 0) {
		errno = ENOMEM;
		return NULL;
	}
	return __real_calloc(count, size);
}

/* The network with slices cut and offsets as the writer would give them. */
static int setup(void **state)
{
	struct mx_network *net = calloc(1, sizeof(*net));
	uint64_t cursor = 0;
	uint32_t i;
	uint32_t k;

	fixture_network(net);
	assert_int_equal(mx_slices_plan(net, MX_SLICE_BYTES_MIN, NULL), 0);
	for (i = 0; i < net->layer_count; i++) {
		struct mx_layer *layer = &net->layers[i];

		layer->weight_offset_bytes = cursor;
		for (k = 0; k < layer->slice_count; k++) {
			net->slices[layer->first_slice + k].offset_bytes =
				cursor;
			cursor +=
				net->slices[layer->first_slice + k].size_bytes;
		}
	}
	net->weights_file_bytes = cursor;
	*state = net;
	return 0;
}

static int teardown(void **state)
{
	mx_network_fini(*state);
	free(*state);
	return 0;
}

static void a_valid_network_passes(void **state)
{
	assert_int_equal(mx_network_check(*state, NULL), 0);
}

static void no_memory_is_told(void **state)
{
	struct mx_err err;

	fail_after = 1;
	assert_int_equal(mx_network_check(*state, &err), -ENOMEM);
	assert_string_equal(err.text, "check small: Cannot allocate memory");
	fail_after = 0;
}

static void t_rank(struct mx_network *n)
{
	n->tensors[T_FLAT].shape.rank = 9;
}

static void t_elems(struct mx_network *n)
{
	n->tensors[T_FLAT].shape.dim[0] = MX_ELEMS_MAX;
}

static void t_layout(struct mx_network *n)
{
	n->tensors[T_FLAT].layout = (enum mx_layout)7;
}

static void t_flat_channels_last(struct mx_network *n)
{
	n->tensors[T_FLAT].layout = MX_LAYOUT_CHANNELS_LAST;
	n->tensors[T_FLAT].pitch = 1024;
}

static void t_pitch_small(struct mx_network *n)
{
	n->tensors[T_CAT].pitch = 63;
}

static void t_pitch_row_major(struct mx_network *n)
{
	n->tensors[T_FLAT].pitch = 4;
}

static void t_root_range(struct mx_network *n)
{
	n->tensors[T_PROB].root = T_COUNT;
}

static void t_root_chain(struct mx_network *n)
{
	n->tensors[T_PROB].root = T_C1;
}

static void t_root_offset(struct mx_network *n)
{
	n->tensors[T_SUM].offset_elems = 1;
}

static void t_outside_root(struct mx_network *n)
{
	n->tensors[T_C2].offset_elems = 49;
}

static void t_offset_huge(struct mx_network *n)
{
	n->tensors[T_C2].offset_elems = SIZE_MAX;
}

static void t_name(struct mx_network *n)
{
	free(n->tensors[T_C2].name);
	n->tensors[T_C2].name = NULL;
}

static void i_range(struct mx_network *n)
{
	n->inputs[0].tensor = T_COUNT;
}

static void i_twice(struct mx_network *n)
{
	n->inputs = realloc(n->inputs, 2 * sizeof(*n->inputs));
	n->inputs[1] = n->inputs[0];
	n->input_count = 2;
}

static void i_channels(struct mx_network *n)
{
	n->inputs[0].preprocess.channels = (enum mx_channel_order)3;
}

static void i_resize(struct mx_network *n)
{
	n->inputs[0].preprocess.resize = (enum mx_resize)3;
}

static void i_crop(struct mx_network *n)
{
	n->inputs[0].preprocess.crop_size = 0;
}

static void i_crop_needless(struct mx_network *n)
{
	n->inputs[0].preprocess.resize = MX_RESIZE_STRETCH;
}

static void i_scale(struct mx_network *n)
{
	n->inputs[0].preprocess.scale = NAN;
}

static void i_std(struct mx_network *n)
{
	n->inputs[0].preprocess.std[3] = 0.0f;
}

static void i_mean(struct mx_network *n)
{
	n->inputs[0].preprocess.mean[0] = INFINITY;
}

static void l_name(struct mx_network *n)
{
	free(n->layers[L_CAT].name);
	n->layers[L_CAT].name = NULL;
}

static void l_op(struct mx_network *n)
{
	free(n->layers[L_CAT].op_name);
	n->layers[L_CAT].op_name = NULL;
}

static void l_no_output(struct mx_network *n)
{
	n->layers[L_PROB].out_count = 0;
}

static void l_in_range(struct mx_network *n)
{
	n->layers[L_CAT].in[1] = T_COUNT;
}

static void l_out_range(struct mx_network *n)
{
	n->layers[L_CAT].out[0] = MX_NONE;
}

static void l_cycle(struct mx_network *n)
{
	n->layers[L_C1].in[0] = T_PROB;
}

static void l_self(struct mx_network *n)
{
	n->layers[L_PROB].in[0] = T_PROB;
}

static void l_two_producers(struct mx_network *n)
{
	n->layers[L_C2].out[0] = T_C1;
}

static void l_overwrites_input(struct mx_network *n)
{
	n->layers[L_C1].out[0] = T_DATA;
}

static void w_spec(struct mx_network *n)
{
	n->layers[L_C1].weights.block_rows = 0;
}

static void w_none_with_slices(struct mx_network *n)
{
	memset(&n->layers[L_C1].weights, 0, sizeof(n->layers[0].weights));
	n->layers[L_C1].weight_bytes = 0;
}

static void w_bytes(struct mx_network *n)
{
	n->layers[L_FA].weight_bytes--;
}

static void w_offset_odd(struct mx_network *n)
{
	n->layers[L_FA].weight_offset_bytes += 4;
}

static void w_offset_overflow(struct mx_network *n)
{
	n->layers[L_FA].weight_offset_bytes = UINT64_MAX - 63;
}

static void w_past_file(struct mx_network *n)
{
	n->weights_file_bytes--;
}

static void s_count(struct mx_network *n)
{
	n->layers[L_FB].slice_count = UINT32_MAX;
}

static void s_one_less(struct mx_network *n)
{
	n->layers[L_FB].slice_count--;
}

static void s_first(struct mx_network *n)
{
	n->layers[L_FB].first_slice = 0;
}

static void s_left_over(struct mx_network *n)
{
	n->slice_count++;
	n->slices = realloc(n->slices, n->slice_count * sizeof(*n->slices));
	memset(&n->slices[n->slice_count - 1], 0, sizeof(*n->slices));
}

static void s_layer(struct mx_network *n)
{
	n->slices[2].layer = L_FB;
}

static void s_first_block(struct mx_network *n)
{
	n->slices[3].first_block = 2;
}

static void s_no_block(struct mx_network *n)
{
	n->slices[3].block_count = 0;
}

static void s_blocks_past_end(struct mx_network *n)
{
	n->slices[6].block_count = 2;
}

static void s_blocks_huge(struct mx_network *n)
{
	n->slices[2].block_count = UINT32_MAX;
}

static void s_offset(struct mx_network *n)
{
	n->slices[3].offset_bytes += 64;
}

static void s_size(struct mx_network *n)
{
	n->slices[6].size_bytes += 1;
}

static void o_range(struct mx_network *n)
{
	n->outputs[1] = T_COUNT;
}

static void o_unwritten(struct mx_network *n)
{
	mx_layer_fini(&n->layers[L_PROB]);
	n->layer_count = L_PROB;
}

static void n_name(struct mx_network *n)
{
	free(n->name);
	n->name = NULL;
}

static const struct {
	void (*breaks)(struct mx_network *net);
	const char *message;
} breakages[] = {
	{n_name, "the network has no name"},
	{t_name, "tensor 2 has no name"},
	{t_rank, "tensor flat: rank 9 is above 8"},
	{t_elems, "tensor flat: its shape, layout and pitch do not fit "
		  "together"},
	{t_layout, "tensor flat: its shape, layout and pitch do not fit "
		   "together"},
	{t_flat_channels_last, "tensor flat: its shape, layout and pitch do "
			       "not fit together"},
	{t_pitch_small, "tensor cat: its shape, layout and pitch do not fit "
			"together"},
	{t_pitch_row_major, "tensor flat: its shape, layout and pitch do not "
			    "fit together"},
	{t_root_range, "tensor prob: root 9 of 9 tensors"},
	{t_root_chain, "tensor prob: its root 1 has no memory of its own"},
	{t_root_offset, "tensor sum: its root 7 has no memory of its own"},
	{t_outside_root, "tensor c2: 976 elements from 49 on are outside its "
			 "root's 1024"},
	{t_offset_huge, "tensor c2: 976 elements from 18446744073709551615 on "
			"are outside its root's 1024"},
	{i_range, "input 0: tensor 9 of 9"},
	{i_twice, "tensor data is an input twice"},
	{i_channels, "input data: unknown channel order or resize rule"},
	{i_resize, "input data: unknown channel order or resize rule"},
	{i_crop, "input data: crop size 0 does not fit the resize rule"},
	{i_crop_needless, "input data: crop size 256 does not fit the resize "
			  "rule"},
	{i_scale, "input data: scale is not finite"},
	{i_std, "input data: mean or std of channel 3 cannot be used"},
	{i_mean, "input data: mean or std of channel 0 cannot be used"},
	{l_name, "layer 2 has no name or no operator"},
	{l_op, "layer 2 has no name or no operator"},
	{l_no_output, "layer prob has no output"},
	{l_in_range, "layer cat: input 1 is tensor 9 of 9"},
	{l_out_range, "layer cat: output 0 is tensor 4294967295 of 9"},
	{l_cycle, "layer c1 reads tensor prob, which nothing has computed"},
	{l_self, "layer prob reads tensor prob, which nothing has computed"},
	{l_two_producers, "layer c2 computes tensor c1 once more"},
	{l_overwrites_input, "layer c1 computes tensor data once more"},
	{w_spec, "layer c1: weights of 48 rows x 27 + 1 in blocks of 0, panels "
		 "of 1"},
	{w_none_with_slices, "slice 0: blocks 0 + 3 of layer 0 are not the "
			     "next ones of layer c1"},
	{w_bytes, "layer fa: 1249279 bytes of weights at 7168 do not fit its "
		  "shape or the file's 2505728 bytes"},
	{w_offset_odd, "layer fa: 1249280 bytes of weights at 7172 do not fit "
		       "its shape or the file's 2505728 bytes"},
	{w_offset_overflow, "layer fa: 1249280 bytes of weights at "
			    "18446744073709551552 do not fit its shape or the "
			    "file's 2505728 bytes"},
	{w_past_file, "layer fb: 1249280 bytes of weights at 1256448 do not "
		      "fit its shape or the file's 2505727 bytes"},
	{s_count, "layer fb: slices 7 + 4294967295 are not the next ones of "
		  "12"},
	{s_one_less, "layer fb: slices hold 4 of 5 blocks"},
	{s_first, "layer fb: slices 0 + 5 are not the next ones of 12"},
	{s_left_over, "1 of 13 slices belong to no layer"},
	{s_layer, "slice 2: blocks 0 + 1 of layer 5 are not the next ones of "
		  "layer fa"},
	{s_first_block, "slice 3: blocks 2 + 1 of layer 4 are not the next "
			"ones of layer fa"},
	{s_no_block, "slice 3: blocks 1 + 0 of layer 4 are not the next ones "
		     "of layer fa"},
	{s_blocks_past_end, "slice 6: blocks 4 + 2 of layer 4 are not the next "
			    "ones of layer fa"},
	{s_blocks_huge, "slice 2: blocks 0 + 4294967295 of layer 4 are not the "
			"next ones of layer fa"},
	{s_offset, "slice 3 of layer fa: 266240 bytes at 273472 are not its "
		   "blocks"},
	{s_size, "slice 6 of layer fa: 184321 bytes at 1072128 are not its "
		 "blocks"},
	{o_range, "output 1: nothing computes tensor 9"},
	{o_unwritten, "output 0: nothing computes tensor 8"},
};

static void every_breakage_is_named(void **state)
{
	struct mx_err err;
	void *net;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(breakages) / sizeof(breakages[0]); i++) {
		setup(&net);
		breakages[i].breaks(net);
		assert_int_equal(mx_network_check(net, &err), -EBADMSG);
		assert_string_equal(err.text, breakages[i].message);
		teardown(&net);
	}
}

/* A chain of 10^5 layers: a quadratic check would take minutes. */
static void many_layers_are_checked_in_linear_time(void **state)
{
	enum { COUNT = 100000 };
	struct mx_network net = {.weights_fd = -1};
	uint32_t i;

	(void)state;
	net.name = strdup("chain");
	net.tensor_count = COUNT + 1;
	net.tensors = calloc(COUNT + 1, sizeof(*net.tensors));
	for (i = 0; i <= COUNT; i++)
		fixture_tensor(&net, i, "t", (struct mx_shape){1, {4}});
	net.layer_count = COUNT;
	net.layers = calloc(COUNT, sizeof(*net.layers));
	for (i = 0; i < COUNT; i++)
		fixture_layer(&net.layers[i],
			      &(struct fixture_layer_spec){
				      "l", "Relu", {i}, 1, i + 1, {0}});
	net.input_count = 1;
	net.inputs = calloc(1, sizeof(*net.inputs));
	net.inputs[0].preprocess = (struct mx_preprocess){
		.std = {1, 1, 1, 1},
		.scale = 1,
	};
	assert_int_equal(mx_network_check(&net, NULL), 0);
	mx_network_fini(&net);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_valid_network_passes, setup,
						teardown),
		cmocka_unit_test_setup_teardown(no_memory_is_told, setup,
						teardown),
		cmocka_unit_test(every_breakage_is_named),
		cmocka_unit_test(many_layers_are_checked_in_linear_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
