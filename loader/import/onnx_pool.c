#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/import/graph.h"
#include "loader/import/onnx_impl.h"
#include "loader/import/onnx_reduce.h"

enum { KIND_MAX = 0, KIND_AVERAGE = 1 };

struct pool {
	struct mx_onnx_window window;
	int64_t kind;
	int64_t rounding; /* 0 floor, 1 ceil */
	int64_t divisor; /* 0 elements in the picture, 1 also padding */
};

static int emit_pool(struct mx_onnx *onnx, struct mx_onnx_node *node,
		     const struct pool *pool)
{
	struct mx_attrs attrs = {0};
	uint32_t in, out;
	int rc;

	rc = mx_onnx_use(onnx, node, 0, &in);
	if (!rc)
		rc = mx_onnx_window_store(&pool->window, &attrs);
	if (!rc)
		rc = mx_attrs_set_int(&attrs, "kind", pool->kind);
	if (!rc)
		rc = mx_attrs_set_int(&attrs, "rounding", pool->rounding);
	if (!rc)
		rc = mx_attrs_set_int(&attrs, "divisor", pool->divisor);
	if (!rc)
		rc = mx_onnx_emit(onnx, node, NULL, "Pooling", &in, 1, &attrs,
				  &out);
	mx_attrs_fini(&attrs);
	return rc ? rc
		  : mx_onnx_result(onnx, node, 0, out,
				   mx_onnx_in(node, 0)->type);
}

/* The number of elements that output @o averages over, in one dimension. */
static double taps_of(const struct mx_onnx_window *w, uint32_t d, size_t size,
		      size_t o, int64_t divisor)
{
	int64_t end = (int64_t)size + w->pad_end[d], t;
	int64_t begin = (int64_t)o * w->stride[d] - w->pad_begin[d];
	double taps = 0;

	for (t = 0; t < w->kernel[d]; t++) {
		int64_t at = begin + t * w->dilation[d];

		taps += divisor ? at < end : at >= 0 && at < (int64_t)size;
	}
	return taps;
}

/* 1 / taps for each position of the output: [1, 1, spatial...]. */
static int tap_counts(struct mx_onnx *onnx, const struct pool *pool,
		      const struct mx_shape *x, const struct mx_shape *y,
		      struct mx_const *out)
{
	struct mx_shape shape = *y;
	size_t count, i;
	double *values;
	int rc;

	shape.dim[0] = 1;
	shape.dim[1] = 1;
	count = mx_shape_elems(&shape);
	values = malloc((count + 1) * sizeof(*values));
	if (!values)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		size_t rest = i;
		uint32_t d = pool->window.spatial;

		values[i] = 1;
		while (d-- > 0) {
			values[i] /=
				taps_of(&pool->window, d, x->dim[2 + d],
					rest % shape.dim[2 + d], pool->divisor);
			rest /= shape.dim[2 + d];
		}
	}
	rc = mx_onnx_const_make(onnx, &shape, values, NULL, out);
	free(values);
	return rc;
}

/*
 * Average pooling with holes, which the device's Pooling has not: a depthwise
 * convolution by ones, and a division by the counts. Ceil rounding becomes
 * padding that counts for nothing.
 */
static int dilated_average(struct mx_onnx *onnx, struct mx_onnx_node *node,
			   const struct pool *pool)
{
	const struct mx_shape x = mx_onnx_in(node, 0)->shape;
	struct mx_onnx_window window = pool->window;
	struct mx_const ones, counts;
	struct mx_shape shape = {.rank = 1};
	struct mx_node *made;
	uint32_t in, sum, factor, out, i;
	int rc;

	for (i = 0; i < window.spatial; i++) {
		int64_t last = (int64_t)x.dim[2 + i] + window.pad_begin[i] +
			       window.pad_end[i] -
			       window.dilation[i] * (window.kernel[i] - 1) - 1;
		int64_t rest = last > 0 ? last % window.stride[i] : 0;

		/* A window that begins behind the picture is not one. */
		if (pool->rounding && rest &&
		    (last / window.stride[i] + 1) * window.stride[i] <
			    (int64_t)x.dim[2 + i] + window.pad_begin[i])
			window.pad_end[i] += window.stride[i] - rest;
		shape.rank = 2 + i;
		shape.dim[1 + i] = (size_t)window.kernel[i];
	}
	shape.dim[0] = x.dim[1];
	mx_onnx_const_fill(&shape, MX_DTYPE_F32, 1, &ones);
	rc = mx_onnx_use(onnx, node, 0, &in);
	if (!rc)
		rc = mx_onnx_begin(onnx, node, "sum", "Convolution", &in, 1,
				   &made);
	if (!rc)
		rc = mx_onnx_window_store(&window, &made->layer.attrs);
	if (!rc)
		rc = mx_attrs_set_int(&made->layer.attrs, "groups",
				      (int64_t)x.dim[1]);
	if (!rc)
		rc = mx_attrs_set_int(&made->layer.attrs, "out_channels",
				      (int64_t)x.dim[1]);
	if (!rc)
		rc = mx_node_set_rows(made, &ones);
	if (!rc)
		rc = mx_onnx_end(onnx, node, "sum", &sum);
	if (!rc)
		rc = tap_counts(onnx, pool, &x, mx_onnx_graph_shape(onnx, sum),
				&counts);
	if (!rc)
		rc = mx_onnx_emit_constant(onnx, node, "counts", &counts,
					   &factor);
	if (!rc)
		rc = mx_onnx_emit_binary(onnx, node, NULL, "Mul", sum, factor,
					 &out);
	return rc ? rc : mx_onnx_result(onnx, node, 0, out, MX_DTYPE_F32);
}

int mx_onnx_pool(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const struct mx_shape *x = &mx_onnx_in(node, 0)->shape;
	struct pool pool = {.kind = KIND_MAX};
	uint32_t i;
	int rc, dilated = 0;

	if (strcmp(node->op, "AveragePool") == 0)
		pool.kind = KIND_AVERAGE;
	if (mx_onnx_wants(node, 1))
		return mx_onnx_refuse(onnx, node, "output Indices");
	rc = mx_onnx_window(onnx, node, x, NULL, &pool.window);
	if (!rc)
		rc = mx_onnx_window_auto_pad(onnx, node, x, &pool.window);
	if (rc)
		return rc;
	pool.rounding = mx_onnx_int(node, "ceil_mode", 0) != 0;
	pool.divisor = mx_onnx_int(node, "count_include_pad", 0) != 0;
	for (i = 0; i < pool.window.spatial; i++)
		dilated |= pool.window.dilation[i] > 1;
	if (pool.kind == KIND_AVERAGE && dilated)
		return dilated_average(onnx, node, &pool);
	return emit_pool(onnx, node, &pool);
}

/* Reduce over all spatial axes. */
static int emit_reduce(struct mx_onnx *onnx, struct mx_onnx_node *node,
		       int64_t kind, float p)
{
	const uint32_t rank = mx_onnx_in(node, 0)->shape.rank;
	struct mx_attrs attrs = {0};
	int64_t axes[MX_RANK_MAX];
	uint32_t in, out, i;
	int rc;

	for (i = 2; i < rank; i++)
		axes[i - 2] = i;
	rc = mx_onnx_use(onnx, node, 0, &in);
	if (!rc)
		rc = mx_attrs_set_int(&attrs, "kind", kind);
	if (!rc)
		rc = mx_attrs_set_ints(&attrs, "axes", axes, rank - 2);
	if (!rc)
		rc = mx_attrs_set_int(&attrs, "keep", 1);
	if (!rc)
		rc = mx_attrs_set_float(&attrs, "p", p);
	if (!rc)
		rc = mx_onnx_emit(onnx, node, NULL, "Reduce", &in, 1, &attrs,
				  &out);
	mx_attrs_fini(&attrs);
	return rc ? rc : mx_onnx_result(onnx, node, 0, out, MX_DTYPE_F32);
}

int mx_onnx_global_pool(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const struct mx_shape *x = &mx_onnx_in(node, 0)->shape;
	struct pool pool = {.kind = KIND_MAX};
	uint32_t i;

	if (x->rank < 3)
		return mx_onnx_bad(onnx, node, "its input has rank %u",
				   x->rank);
	if (strcmp(node->op, "GlobalAveragePool") == 0)
		pool.kind = KIND_AVERAGE;
	pool.window.spatial = x->rank - 2;
	if (pool.window.spatial > 3)
		return emit_reduce(onnx, node,
				   pool.kind == KIND_MAX ? MX_ONNX_REDUCE_MAX
							 : MX_ONNX_REDUCE_MEAN,
				   2);
	for (i = 0; i < pool.window.spatial; i++) {
		pool.window.kernel[i] = (int64_t)x->dim[2 + i];
		pool.window.stride[i] = 1;
		pool.window.dilation[i] = 1;
	}
	return emit_pool(onnx, node, &pool);
}

int mx_onnx_global_lp_pool(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	/* An integer since opset 2, a float before. */
	float p = mx_onnx_float(node, "p", (float)mx_onnx_int(node, "p", 2));

	if (mx_onnx_in(node, 0)->shape.rank < 3)
		return mx_onnx_bad(onnx, node, "its input has rank %u",
				   mx_onnx_in(node, 0)->shape.rank);
	if (!(p >= 1))
		return mx_onnx_bad(onnx, node, "p is %g", (double)p);
	return emit_reduce(onnx, node, 7, p);
}
