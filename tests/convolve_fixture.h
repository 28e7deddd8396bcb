/*
 * Cases for Convolution and Deconvolution: the layer's numbers in a row, the
 * layer itself by op_fixture.h, and what a naive reference needs.
 */
#ifndef MX_TESTS_CONVOLVE_FIXTURE_H
#define MX_TESTS_CONVOLVE_FIXTURE_H

#include "tests/op_fixture.h"

#include "lib/activation.h"

#define CONV_DIMS 3

/* Dimensions and settings have `rank` values; 0 in stride or dilation is 1. */
struct conv_case {
	const char *what;
	size_t rank;
	size_t batch, in_channels, out_channels, groups;
	size_t dim[CONV_DIMS];
	int64_t kernel[CONV_DIMS];
	int64_t stride[CONV_DIMS];
	int64_t dilation[CONV_DIMS];
	int64_t pad_begin[CONV_DIMS];
	int64_t pad_end[CONV_DIMS];
	int64_t output_pad[CONV_DIMS];
	enum mx_activation_kind act;
	float act_ab[2];
	size_t in_gap, out_gap;
};

/* The case with every setting in three dimensions, and its data. */
struct conv_data {
	const struct conv_case *c;
	size_t in_dim[CONV_DIMS], out_dim[CONV_DIMS], kernel[CONV_DIMS];
	int64_t stride[CONV_DIMS], dilation[CONV_DIMS], pad[CONV_DIMS];
	size_t row_elems;
	const float *x; /* [batch][channels][d][h][w] */
	const float *w; /* [out_channels][d][h][w][in group channels] */
	const float *bias;
	const float *slope;
};

static OP_UNUSED void conv_set(struct op_run *run, const char *name,
			       const int64_t *values, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (values[i]) {
			assert_int_equal(mx_attrs_set_ints(&run->layer.attrs,
							   name, values, count),
					 0);
			return;
		}
}

/* Bind the case's layer, give it random input and weights. */
static OP_UNUSED void conv_begin(struct op_run *run, const char *op,
				 const struct conv_case *c,
				 struct conv_data *data)
{
	size_t shape[2 + CONV_DIMS] = {c->batch, c->in_channels};
	size_t elems = c->batch * c->in_channels;
	const float *vectors[2];
	float scale;
	size_t i;

	memset(data, 0, sizeof(*data));
	data->c = c;
	data->row_elems = c->in_channels / c->groups;
	for (i = 0; i < CONV_DIMS; i++) {
		const size_t lead = CONV_DIMS - c->rank;
		const int has = i >= lead;

		data->in_dim[i] = has ? c->dim[i - lead] : 1;
		data->kernel[i] = has ? (size_t)c->kernel[i - lead] : 1;
		data->stride[i] =
			has && c->stride[i - lead] ? c->stride[i - lead] : 1;
		data->dilation[i] = has && c->dilation[i - lead]
					    ? c->dilation[i - lead]
					    : 1;
		data->pad[i] = has ? c->pad_begin[i - lead] : 0;
		data->row_elems *= data->kernel[i];
		elems *= data->in_dim[i];
		if (has)
			shape[2 + i - lead] = data->in_dim[i];
	}
	op_begin(run, op);
	conv_set(run, "kernel", c->kernel, c->rank);
	conv_set(run, "stride", c->stride, c->rank);
	conv_set(run, "dilation", c->dilation, c->rank);
	conv_set(run, "pad_begin", c->pad_begin, c->rank);
	conv_set(run, "pad_end", c->pad_end, c->rank);
	conv_set(run, "output_pad", c->output_pad, c->rank);
	OP_INTS(run, "groups", (int64_t)c->groups);
	OP_INTS(run, "out_channels", (int64_t)c->out_channels);
	OP_INTS(run, MX_ATTR_ACTIVATION, c->act);
	OP_FLOATS(run, MX_ATTR_ACTIVATION_AB, c->act_ab[0], c->act_ab[1]);
	data->x = op_random(run, elems, 1, -1, 1);
	op_input(run, data->x, (uint32_t)(2 + c->rank), shape);
	op_input_layout(run, 0, MX_LAYOUT_CHANNELS_LAST, c->in_gap);
	op_bind(run);
	op_output_layout(run, 0, MX_LAYOUT_CHANNELS_LAST, c->out_gap);
	for (i = 0; i < CONV_DIMS; i++) {
		const size_t lead = CONV_DIMS - c->rank;

		data->out_dim[i] =
			i < lead ? 1
				 : run->layer.out_shape[0].dim[2 + i - lead];
	}
	/* Outputs are about 1 whatever the window, as in a network. */
	scale = 1 / sqrtf((float)data->row_elems);
	data->w = op_random(run, c->out_channels * data->row_elems, 2, -scale,
			    scale);
	data->bias = op_random(run, c->out_channels, 3, -1, 1);
	data->slope = op_random(run, c->out_channels, 4, -1, 1);
	vectors[0] = data->bias;
	vectors[1] = data->slope;
	op_weights(run, data->w, vectors);
}

static OP_UNUSED double conv_activate(const struct conv_data *data, size_t row,
				      double x)
{
	const double a = (double)data->c->act_ab[0];
	const double b = (double)data->c->act_ab[1];

	switch (data->c->act) {
	case MX_ACTIVATION_RELU:
		return x > 0 ? x : a * x;
	case MX_ACTIVATION_CLIP:
		return fmin(fmax(x, a), b);
	case MX_ACTIVATION_SIGMOID:
		return 1 / (1 + exp(-x));
	case MX_ACTIVATION_PRELU:
		return x > 0 ? x : (double)data->slope[row] * x;
	default:
		assert_int_equal(data->c->act, MX_ACTIVATION_NONE);
		return x;
	}
}

/* The index of element (n, c, at) in a row-major [batch][channels][dim]. */
static OP_UNUSED size_t conv_index(size_t n, size_t c, size_t channels,
				   const size_t dim[CONV_DIMS],
				   const size_t at[CONV_DIMS])
{
	return (((n * channels + c) * dim[0] + at[0]) * dim[1] + at[1]) *
		       dim[2] +
	       at[2];
}

/* Step @at through @dim, the last fastest. Returns 0 past the end. */
static OP_UNUSED int conv_next(size_t at[CONV_DIMS],
			       const size_t dim[CONV_DIMS])
{
	size_t i;

	for (i = CONV_DIMS; i-- > 0;) {
		if (++at[i] < dim[i])
			return 1;
		at[i] = 0;
	}
	return 0;
}

static OP_UNUSED void conv_finish(const struct conv_data *data, double *y)
{
	const size_t pixels =
		data->out_dim[0] * data->out_dim[1] * data->out_dim[2];
	size_t n, row, i;

	for (n = 0; n < data->c->batch; n++)
		for (row = 0; row < data->c->out_channels; row++)
			for (i = 0; i < pixels; i++, y++)
				*y = conv_activate(
					data, row,
					*y + (double)data->bias[row]);
}

#endif
