#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "loader/import/graph.h"
#include "loader/import/onnx_impl.h"

#define PARAMETERS_MAX 4

/* Inputs 1, 2, ... as doubles on the heap, @count each. */
static int parameters(struct mx_onnx *onnx, struct mx_onnx_node *node,
		      size_t parameter_count, size_t count, double **out)
{
	const struct mx_const *constant;
	size_t k;
	int rc = 0;

	for (k = 0; k < parameter_count && !rc; k++) {
		rc = mx_onnx_const(onnx, node, 1 + k, &constant);
		if (rc)
			break;
		if (mx_shape_elems(&constant->shape) != count)
			return mx_onnx_bad(
				onnx, node, "input %zu has %zu values, not %zu",
				1 + k, mx_shape_elems(&constant->shape), count);
		rc = mx_onnx_const_load(constant, &out[k]);
	}
	return rc;
}

static void parameters_free(double **parameters_)
{
	size_t k;

	for (k = 0; k < PARAMETERS_MAX; k++)
		free(parameters_[k]);
}

/* spatial = 0: each element of a sample has parameters of its own. */
static int per_element(struct mx_onnx *onnx, struct mx_onnx_node *node,
		       uint32_t in, const double *scale, const double *bias,
		       uint32_t *out)
{
	const struct mx_shape *x = &mx_onnx_in(node, 0)->shape;
	struct mx_const constant;
	struct mx_shape shape;
	uint32_t factor, product, summand;
	int rc;

	shape = mx_shape_of(x->rank - 1, x->dim + 1);
	rc = mx_onnx_const_make(onnx, &shape, scale, NULL, &constant);
	if (!rc)
		rc = mx_onnx_emit_constant(onnx, node, "scale", &constant,
					   &factor);
	if (!rc)
		rc = mx_onnx_emit_binary(onnx, node, "mul", "Mul", in, factor,
					 &product);
	if (!rc)
		rc = mx_onnx_const_make(onnx, &shape, bias, NULL, &constant);
	if (!rc)
		rc = mx_onnx_emit_constant(onnx, node, "bias", &constant,
					   &summand);
	if (!rc)
		rc = mx_onnx_emit_binary(onnx, node, NULL, "Add", product,
					 summand, out);
	return rc;
}

int mx_onnx_batch_norm(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const struct mx_shape *x = &mx_onnx_in(node, 0)->shape;
	const double epsilon = (double)mx_onnx_float(node, "epsilon", 1e-5f);
	double *p[PARAMETERS_MAX] = {NULL};
	uint32_t in, out;
	size_t count, i;
	int rc, spatial = mx_onnx_int(node, "spatial", 1) != 0;

	if (mx_onnx_int(node, "training_mode", 0))
		return mx_onnx_refuse(onnx, node, "training_mode=1");
	for (i = 1; i < node->out_count; i++)
		if (mx_onnx_wants(node, i))
			return mx_onnx_refuse(onnx, node, "output %zu", i);
	if (x->rank < 2)
		return mx_onnx_bad(onnx, node, "its input has rank %u",
				   x->rank);
	/* Each channel is one number in rank 2: nothing is spatial there. */
	spatial |= x->rank == 2;
	count = spatial ? x->dim[1] : mx_shape_span(x, 1, x->rank);
	rc = parameters(onnx, node, PARAMETERS_MAX, count, p);
	if (!rc)
		rc = mx_onnx_use(onnx, node, 0, &in);
	for (i = 0; i < count && !rc; i++) {
		p[0][i] /= sqrt(p[3][i] + epsilon);
		p[1][i] -= p[2][i] * p[0][i];
	}
	if (!rc)
		rc = spatial ? mx_onnx_emit_affine(onnx, node, NULL, in, 1,
						   p[0], p[1], &out)
			     : per_element(onnx, node, in, p[0], p[1], &out);
	if (!rc)
		rc = mx_onnx_result(onnx, node, 0, out, MX_DTYPE_F32);
	parameters_free(p);
	return rc;
}

/* MeanVariance over @axes. */
static int emit_mean_variance(struct mx_onnx *onnx, struct mx_onnx_node *node,
			      const char *suffix, const int64_t *axes,
			      size_t axis_count, float eps, int eps_inside,
			      uint32_t *out)
{
	struct mx_attrs attrs = {0};
	uint32_t in;
	int rc;

	rc = mx_onnx_use(onnx, node, 0, &in);
	if (!rc)
		rc = mx_attrs_set_ints(&attrs, "axes", axes, axis_count);
	if (!rc)
		rc = mx_attrs_set_int(&attrs, "variance", 1);
	if (!rc)
		rc = mx_attrs_set_int(&attrs, "eps_inside", eps_inside);
	if (!rc)
		rc = mx_attrs_set_float(&attrs, "eps", eps);
	if (!rc)
		rc = mx_onnx_emit(onnx, node, suffix, "MeanVariance", &in, 1,
				  &attrs, out);
	mx_attrs_fini(&attrs);
	return rc;
}

int mx_onnx_instance_norm(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const struct mx_shape *x = &mx_onnx_in(node, 0)->shape;
	double *p[PARAMETERS_MAX] = {NULL};
	int64_t axes[MX_RANK_MAX];
	uint32_t normal, out, i;
	int rc;

	if (x->rank < 3)
		return mx_onnx_bad(onnx, node, "its input has rank %u",
				   x->rank);
	for (i = 2; i < x->rank; i++)
		axes[i - 2] = i;
	rc = parameters(onnx, node, 2, x->dim[1], p);
	if (!rc)
		rc = emit_mean_variance(onnx, node, "normal", axes, x->rank - 2,
					mx_onnx_float(node, "epsilon", 1e-5f),
					1, &normal);
	if (!rc)
		rc = mx_onnx_emit_affine(onnx, node, NULL, normal, 1, p[0],
					 p[1], &out);
	if (!rc)
		rc = mx_onnx_result(onnx, node, 0, out, MX_DTYPE_F32);
	parameters_free(p);
	return rc;
}

int mx_onnx_mvn(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const uint32_t rank = mx_onnx_in(node, 0)->shape.rank;
	int64_t axes[MX_ONNX_LIST_MAX];
	size_t count, i;
	uint32_t out, axis;
	int rc;

	rc = mx_onnx_ints(onnx, node, "axes", axes, &count);
	if (rc)
		return rc;
	if (count == 0) {
		axes[0] = 0;
		axes[1] = 2;
		axes[2] = 3;
		count = 3;
	}
	for (i = 0; i < count; i++) {
		rc = mx_onnx_axis(onnx, node, axes[i], rank, &axis);
		if (rc)
			return rc;
		axes[i] = axis;
	}
	rc = emit_mean_variance(onnx, node, NULL, axes, count, 1e-9f, 0, &out);
	return rc ? rc : mx_onnx_result(onnx, node, 0, out, MX_DTYPE_F32);
}

int mx_onnx_lrn(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	int64_t size = mx_onnx_int(node, "size", 0);
	struct mx_attrs attrs = {0};
	uint32_t in, out;
	int rc;

	if (size < 1)
		return mx_onnx_bad(onnx, node, "size is %lld", (long long)size);
	rc = mx_onnx_use(onnx, node, 0, &in);
	if (!rc)
		rc = mx_attrs_set_int(&attrs, "kind", 0);
	if (!rc)
		rc = mx_attrs_set_int(&attrs, "size", size);
	if (!rc)
		rc = mx_attrs_set_float(&attrs, "alpha",
					mx_onnx_float(node, "alpha", 1e-4f));
	if (!rc)
		rc = mx_attrs_set_float(&attrs, "beta",
					mx_onnx_float(node, "beta", 0.75f));
	if (!rc)
		rc = mx_attrs_set_float(&attrs, "k",
					mx_onnx_float(node, "bias", 1));
	if (!rc)
		rc = mx_onnx_emit(onnx, node, NULL, "Lrn", &in, 1, &attrs,
				  &out);
	mx_attrs_fini(&attrs);
	return rc ? rc : mx_onnx_result(onnx, node, 0, out, MX_DTYPE_F32);
}

int mx_onnx_lp_norm(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	int64_t p = mx_onnx_int(node, "p", 2);
	struct mx_attrs attrs = {0};
	uint32_t in, out, axis;
	int rc;

	if (p != 1 && p != 2)
		return mx_onnx_refuse(onnx, node, "p=%lld", (long long)p);
	rc = mx_onnx_axis(onnx, node, mx_onnx_int(node, "axis", -1),
			  mx_onnx_in(node, 0)->shape.rank, &axis);
	if (!rc)
		rc = mx_onnx_use(onnx, node, 0, &in);
	if (!rc)
		rc = mx_attrs_set_int(&attrs, "axis", axis);
	if (!rc)
		rc = mx_attrs_set_int(&attrs, "p", p);
	if (!rc)
		rc = mx_onnx_emit(onnx, node, NULL, "LpNormalize", &in, 1,
				  &attrs, &out);
	mx_attrs_fini(&attrs);
	return rc ? rc : mx_onnx_result(onnx, node, 0, out, MX_DTYPE_F32);
}
