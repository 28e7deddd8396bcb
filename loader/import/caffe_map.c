/*
 * Layers that map each element alone, and those that combine blobs of one
 * shape.
 */
#include <math.h>
#include <stdlib.h>

#include "loader/import/caffe_impl.h"

#define BOTTOMS_MAX 64

/* No parameters: kind->op. */
static void plain(struct mx_caffe_step *s)
{
	mx_caffe_emit(s, s->kind->op, s->in, 1, NULL, 0);
}

static void relu(struct mx_caffe_step *s)
{
	const double slope = mx_caffe_float(s, "negative_slope", 0);

	s->moment = mx_caffe_rectified(s);
	if (slope != 0)
		mx_caffe_set_float(s, "a", slope);
	mx_caffe_emit(s, "Relu", s->in, 1, NULL, 0);
}

static void relu6(struct mx_caffe_step *s)
{
	mx_caffe_set_float(s, "a", 0);
	mx_caffe_set_float(s, "b", mx_caffe_float(s, "threshold", 6));
	s->moment = mx_caffe_rectified(s);
	mx_caffe_emit(s, "Clip", s->in, 1, NULL, 0);
}

static void elu(struct mx_caffe_step *s)
{
	mx_caffe_set_float(s, "a", mx_caffe_float(s, "alpha", 1));
	mx_caffe_emit(s, "Elu", s->in, 1, NULL, 0);
}

static void power(struct mx_caffe_step *s)
{
	mx_caffe_set_float(s, "a", mx_caffe_float(s, "power", 1));
	mx_caffe_set_float(s, "b", mx_caffe_float(s, "scale", 1));
	mx_caffe_set_float(s, "c", mx_caffe_float(s, "shift", 0));
	mx_caffe_emit(s, "Power", s->in, 1, NULL, 0);
}

/* The natural logarithm of parameter `base`, whose -1 stands for e. */
static double log_base(struct mx_caffe_step *s)
{
	const double base = mx_caffe_float(s, "base", -1);

	if (base == -1)
		return 1;
	if (!(base > 0))
		mx_caffe_bad(s, "base %g is not positive", base);
	return log(base);
}

/* base^(shift + scale x) */
static void exponential(struct mx_caffe_step *s)
{
	const double base = log_base(s);

	mx_caffe_set_float(s, "a", base * mx_caffe_float(s, "scale", 1));
	mx_caffe_set_float(s, "b", base * mx_caffe_float(s, "shift", 0));
	mx_caffe_emit(s, "Exp", s->in, 1, NULL, 0);
}

/* log_base(shift + scale x) */
static void logarithm(struct mx_caffe_step *s)
{
	const double base = log_base(s);

	if (base == 0)
		mx_caffe_bad(s, "base is 1");
	mx_caffe_set_float(s, "a", mx_caffe_float(s, "scale", 1));
	mx_caffe_set_float(s, "b", mx_caffe_float(s, "shift", 0));
	mx_caffe_set_float(s, "c", 1 / base);
	mx_caffe_emit(s, "Log", s->in, 1, NULL, 0);
}

/* x > t ? 1 : 0 is the sign of what is left of x - t above zero. */
static void threshold(struct mx_caffe_step *s)
{
	uint32_t v;

	mx_caffe_set_float(s, "a", 1);
	mx_caffe_set_float(s, "b", 1);
	mx_caffe_set_float(s, "c", -mx_caffe_float(s, "threshold", 0));
	v = mx_caffe_emit(s, "Power", s->in, 1, NULL, MX_CAFFE_INSIDE);
	v = mx_caffe_emit(s, "Relu", &v, 1, NULL, MX_CAFFE_INSIDE);
	mx_caffe_emit(s, "Sign", &v, 1, NULL, 0);
}

static void prelu(struct mx_caffe_step *s)
{
	static const struct mx_caffe_random quarter = {.shift = 0.25,
						       .scale = 0.05};
	const struct mx_shape x = *mx_caffe_shape(s, s->in[0]);
	const int shared = mx_caffe_bool(s, "channel_shared", 0);
	struct mx_caffe_weights weights = {0};
	double *slope, *all = NULL;
	size_t i;

	if (!s->rc && x.rank < 2)
		mx_caffe_refuse(s, "a bottom of %u dimensions", x.rank);
	if (s->rc)
		return;
	weights.count = x.dim[1];
	slope = mx_caffe_vector(s, 0, shared ? 1 : x.dim[1], &quarter);
	if (slope && shared) {
		all = mx_caffe_doubles(s, x.dim[1]);
		for (i = 0; all && i < x.dim[1]; i++)
			all[i] = slope[0];
	}
	weights.vector[0] = shared ? all : slope;
	mx_caffe_set_int(s, "axis", 1);
	s->moment = mx_caffe_rectified(s);
	mx_caffe_emit(s, "PRelu", s->in, 1, &weights, 0);
	free(slope);
	free(all);
}

static void eltwise(struct mx_caffe_step *s)
{
	static const char *const kinds[] = {"PROD", "SUM", "MAX", NULL};
	const int kind = mx_caffe_enum(s, "operation", kinds, 1);
	const uint32_t count = s->layer->bottom_count;
	double coeff[BOTTOMS_MAX];
	size_t coeffs;
	uint32_t i;

	coeffs = mx_caffe_floats(s, "coeff", coeff, BOTTOMS_MAX);
	if (coeffs > 0 && coeffs != count)
		mx_caffe_bad(s, "%zu coefficients for %u bottoms", coeffs,
			     count);
	if (coeffs > 0 && kind != 1)
		mx_caffe_bad(s, "coefficients are for sums");
	if (s->rc)
		return;
	mx_caffe_set_int(s, "kind", kind);
	if (coeffs > 0)
		mx_caffe_set_floats(s, "coeff", coeff, coeffs);
	if (kind == 1) {
		s->moment = 0;
		for (i = 0; i < count; i++)
			s->moment += mx_caffe_moment(s->caffe, s->in[i]) *
				     (coeffs ? coeff[i] * coeff[i] : 1);
	}
	mx_caffe_emit(s, "Eltwise", s->in, count, NULL, 0);
}

/* The same value under other names. */
static void same(struct mx_caffe_step *s)
{
	uint32_t i;

	for (i = 0; i < s->layer->top_count; i++)
		s->out[i] = s->in[0];
}

static void nothing(struct mx_caffe_step *s)
{
	(void)s;
}

#define ANY MX_CAFFE_ANY

const struct mx_caffe_kind mx_caffe_map_kinds[] = {
	{"ReLU", "relu_param", NULL, 0, 1, 1, 1, 1, relu},
	{"ReLU6", "relu6_param", NULL, 0, 1, 1, 1, 1, relu6},
	{"PReLU", "prelu_param", NULL, 0, 1, 1, 1, 1, prelu},
	{"ELU", "elu_param", NULL, 0, 1, 1, 1, 1, elu},
	{"Sigmoid", NULL, "Sigmoid", 0, 1, 1, 1, 1, plain},
	{"TanH", NULL, "Tanh", 0, 1, 1, 1, 1, plain},
	{"AbsVal", NULL, "Abs", 0, 1, 1, 1, 1, plain},
	{"BNLL", NULL, "Softplus", 0, 1, 1, 1, 1, plain},
	{"Power", "power_param", NULL, 0, 1, 1, 1, 1, power},
	{"Exp", "exp_param", NULL, 0, 1, 1, 1, 1, exponential},
	{"Log", "log_param", NULL, 0, 1, 1, 1, 1, logarithm},
	{"Threshold", "threshold_param", NULL, 0, 1, 1, 1, 1, threshold},
	{"Eltwise", "eltwise_param", NULL, 0, 2, BOTTOMS_MAX, 1, 1, eltwise},
	{"Dropout", NULL, NULL, 0, 1, 1, 1, 1, same},
	{"Split", NULL, NULL, 0, 1, 1, 1, ANY, same},
	{"Silence", NULL, NULL, 0, 1, ANY, 0, 0, nothing},
	{0},
};
