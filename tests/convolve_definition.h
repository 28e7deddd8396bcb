/*
 * Convolution by its definition, in doubles, for the tests of the ways in which
 * it is computed.
 */
#ifndef MX_TESTS_CONVOLVE_DEFINITION_H
#define MX_TESTS_CONVOLVE_DEFINITION_H

#include "lib/convolve.h"
#include "tests/convolve_fixture.h"

/* Sum for one output in doubles, the definition. */
static double conv_sum_at(const struct conv_data *data, size_t n, size_t row,
			  const size_t at[CONV_DIMS])
{
	const struct conv_case *c = data->c;
	const size_t channels = c->in_channels / c->groups;
	const size_t group = row / (c->out_channels / c->groups);
	const float *w = data->w + row * data->row_elems;
	size_t k[CONV_DIMS] = {0};
	size_t from[CONV_DIMS];
	double sum = 0;
	size_t i, ch;
	int inside;

	do {
		inside = 1;
		for (i = 0; i < CONV_DIMS; i++) {
			const int64_t p = (int64_t)at[i] * data->stride[i] -
					  data->pad[i] +
					  (int64_t)k[i] * data->dilation[i];

			inside &= p >= 0 && p < (int64_t)data->in_dim[i];
			from[i] = (size_t)p;
		}
		for (ch = 0; ch < channels; ch++, w++)
			if (inside)
				sum += (double)*w *
				       (double)data->x[conv_index(
					       n, group * channels + ch,
					       c->in_channels, data->in_dim,
					       from)];
	} while (conv_next(k, data->kernel));
	return sum;
}

/* Run the case on every instruction set and in every order of its parts, and
 * compare it with the definition. Returns the way it went. */
static OP_UNUSED enum mx_convolve_way conv_expect(const struct conv_case *c)
{
	struct conv_data data;
	struct op_run run;
	size_t at[CONV_DIMS] = {0};
	size_t n, row;
	enum mx_convolve_way way;
	double *y;

	print_message("    %s\n", c->what);
	conv_begin(&run, "Convolution", c, &data);
	y = op_doubles(&run, mx_shape_elems(run.layer.out_shape));
	for (n = 0; n < c->batch; n++)
		for (row = 0; row < c->out_channels; row++)
			do
				y[conv_index(n, row, c->out_channels,
					     data.out_dim, at)] =
					conv_sum_at(&data, n, row, at);
			while (conv_next(at, data.out_dim));
	conv_finish(&data, y);
	op_expect(&run, 0, y, 3e-6);
	way = ((const struct mx_convolve *)run.layer.params)->way;
	op_end(&run);
	return way;
}

#endif
