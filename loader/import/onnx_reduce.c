#include "loader/import/onnx_reduce.h"

#include <string.h>

#include "loader/import/graph.h"
#include "loader/import/onnx_impl.h"

static const struct {
	const char *op;
	enum mx_onnx_reduce_kind kind;
} kinds[] = {
	{"ReduceSum", MX_ONNX_REDUCE_SUM},
	{"ReduceMean", MX_ONNX_REDUCE_MEAN},
	{"ReduceMax", MX_ONNX_REDUCE_MAX},
	{"ReduceMin", MX_ONNX_REDUCE_MIN},
	{"ReduceL1", MX_ONNX_REDUCE_L1},
	{"ReduceSumSquare", MX_ONNX_REDUCE_SQUARES},
	{"ReduceL2", MX_ONNX_REDUCE_L2},
	{"ReduceProd", MX_ONNX_REDUCE_PROD},
};

int mx_onnx_reduction(struct mx_onnx *onnx, const struct mx_onnx_node *node,
		      struct mx_onnx_reduction *out)
{
	const struct mx_shape x = mx_onnx_in(node, 0)->shape;
	int64_t axes[MX_ONNX_LIST_MAX];
	size_t count, i;
	uint32_t axis, d;
	int rc;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].op, node->op) == 0)
			out->kind = kinds[i].kind;
	rc = mx_onnx_list(onnx, node, "axes", 1, axes, &count);
	if (rc)
		return rc;
	out->keep = mx_onnx_int(node, "keepdims", 1) != 0;
	out->noop =
		count == 0 && mx_onnx_int(node, "noop_with_empty_axes", 0) != 0;
	for (i = 0; i < count; i++) {
		rc = mx_onnx_axis(onnx, node, axes[i], x.rank, &axis);
		if (rc)
			return rc;
		out->reduced[axis] = 1;
	}
	if (count == 0)
		memset(out->reduced, 1, sizeof(out->reduced));
	for (d = 0; d < x.rank; d++) {
		if (!out->reduced[d])
			out->shape.dim[out->shape.rank++] = x.dim[d];
		else if (out->keep)
			out->shape.dim[out->shape.rank++] = 1;
	}
	return 0;
}

int mx_onnx_reduce(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	struct mx_onnx_reduction red;
	struct mx_attrs attrs = {0};
	int64_t axes[MX_RANK_MAX];
	uint32_t in, out, d;
	size_t count = 0;
	int rc;

	rc = mx_onnx_reduction(onnx, node, &red);
	if (!rc)
		rc = mx_onnx_use(onnx, node, 0, &in);
	if (rc)
		return rc;
	for (d = 0; d < mx_onnx_in(node, 0)->shape.rank; d++)
		if (red.reduced[d])
			axes[count++] = d;
	if (red.noop || count == 0) {
		rc = mx_onnx_emit(onnx, node, NULL, "Identity", &in, 1, NULL,
				  &out);
		goto end;
	}
	rc = mx_attrs_set_int(&attrs, "kind", red.kind);
	if (!rc)
		rc = mx_attrs_set_ints(&attrs, "axes", axes, count);
	if (!rc)
		rc = mx_attrs_set_int(&attrs, "keep", red.keep);
	if (!rc)
		rc = mx_onnx_emit(onnx, node, NULL, "Reduce", &in, 1, &attrs,
				  &out);
	mx_attrs_fini(&attrs);
end:
	return rc ? rc
		  : mx_onnx_result(onnx, node, 0, out,
				   mx_onnx_in(node, 0)->type);
}
