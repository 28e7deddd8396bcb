#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "loader/import/graph.h"
#include "loader/import/import.h"
#include "loader/import/onnx_impl.h"

const struct mx_shape *mx_onnx_graph_shape(const struct mx_onnx *onnx,
					   uint32_t value)
{
	return &onnx->graph->values[value].shape;
}

int mx_onnx_result(struct mx_onnx *onnx, struct mx_onnx_node *node, size_t k,
		   uint32_t value, enum mx_dtype type)
{
	struct mx_onnx_value *out;

	if (!mx_onnx_wants(node, k))
		return 0;
	out = node->out[k];
	out->kind = MX_ONNX_ACTIVATION;
	out->type = type;
	out->shape = *mx_onnx_graph_shape(onnx, value);
	out->graph = value;
	return 0;
}

int mx_onnx_result_const(struct mx_onnx *onnx, struct mx_onnx_node *node,
			 size_t k, const struct mx_const *constant,
			 enum mx_dtype type)
{
	struct mx_onnx_value *out;

	(void)onnx;
	if (!mx_onnx_wants(node, k))
		return 0;
	out = node->out[k];
	out->kind = MX_ONNX_CONST;
	out->type = type;
	out->shape = constant->shape;
	out->constant = *constant;
	out->graph = MX_NONE;
	return 0;
}

/* "NAME/suffix" on the heap. */
static char *step_name(const struct mx_onnx_node *node, const char *suffix)
{
	char *name;

	if (asprintf(&name, "%s%s%s", node->name, suffix ? "/" : "",
		     suffix ? suffix : "") < 0)
		return NULL;
	return name;
}

int mx_onnx_begin(struct mx_onnx *onnx, struct mx_onnx_node *node,
		  const char *suffix, const char *op, const uint32_t *in,
		  uint32_t in_count, struct mx_node **out)
{
	char *name = step_name(node, suffix);
	int rc;

	if (!name)
		return -ENOMEM;
	rc = mx_graph_node(onnx->graph, op, name, in, in_count, out, onnx->err);
	free(name);
	return rc;
}

int mx_onnx_end(struct mx_onnx *onnx, struct mx_onnx_node *node,
		const char *suffix, uint32_t *out)
{
	const char *name = NULL;

	if (!suffix && mx_onnx_wants(node, 0))
		name = node->proto->output[0];
	return mx_graph_finish(onnx->graph, &name, 1, out, onnx->err);
}

int mx_onnx_emit(struct mx_onnx *onnx, struct mx_onnx_node *node,
		 const char *suffix, const char *op, const uint32_t *in,
		 uint32_t in_count, struct mx_attrs *attrs, uint32_t *out)
{
	struct mx_node *made;
	int rc;

	rc = mx_onnx_begin(onnx, node, suffix, op, in, in_count, &made);
	if (rc)
		return rc;
	if (attrs) {
		made->layer.attrs = *attrs;
		memset(attrs, 0, sizeof(*attrs));
	}
	return mx_onnx_end(onnx, node, suffix, out);
}

int mx_onnx_emit_abc(struct mx_onnx *onnx, struct mx_onnx_node *node,
		     const char *suffix, const struct mx_onnx_abc *what,
		     uint32_t in, uint32_t *out)
{
	static const char *const names[] = {"a", "b", "c"};
	struct mx_attrs attrs = {0};
	unsigned i;
	int rc = 0;

	for (i = 0; i < what->count && !rc; i++)
		rc = mx_attrs_set_float(&attrs, names[i], what->abc[i]);
	if (!rc)
		rc = mx_onnx_emit(onnx, node, suffix, what->op, &in, 1, &attrs,
				  out);
	mx_attrs_fini(&attrs);
	return rc;
}

int mx_onnx_emit_binary(struct mx_onnx *onnx, struct mx_onnx_node *node,
			const char *suffix, const char *op, uint32_t a,
			uint32_t b, uint32_t *out)
{
	uint32_t in[2] = {a, b};

	return mx_onnx_emit(onnx, node, suffix, op, in, 2, NULL, out);
}

int mx_onnx_set_sizes(struct mx_attrs *attrs, const char *name,
		      const size_t *values, size_t count)
{
	int64_t ints[MX_RANK_MAX];
	size_t i;

	for (i = 0; i < count; i++)
		ints[i] = (int64_t)values[i];
	return mx_attrs_set_ints(attrs, name, ints, count);
}

int mx_onnx_emit_reshape(struct mx_onnx *onnx, struct mx_onnx_node *node,
			 const char *suffix, uint32_t in,
			 const struct mx_shape *shape, uint32_t *out)
{
	struct mx_attrs attrs = {0};
	int rc;

	rc = mx_onnx_set_sizes(&attrs, "shape", shape->dim, shape->rank);
	if (!rc)
		rc = mx_onnx_emit(onnx, node, suffix, "Reshape", &in, 1, &attrs,
				  out);
	mx_attrs_fini(&attrs);
	return rc;
}

int mx_onnx_emit_transpose(struct mx_onnx *onnx, struct mx_onnx_node *node,
			   const char *suffix, uint32_t in,
			   const uint32_t *perm, uint32_t rank, uint32_t *out)
{
	struct mx_attrs attrs = {0};
	int64_t ints[MX_RANK_MAX];
	uint32_t i;
	int rc;

	for (i = 0; i < rank; i++)
		ints[i] = perm[i];
	rc = mx_attrs_set_ints(&attrs, "perm", ints, rank);
	if (!rc)
		rc = mx_onnx_emit(onnx, node, suffix, "Transpose", &in, 1,
				  &attrs, out);
	mx_attrs_fini(&attrs);
	return rc;
}

int mx_onnx_emit_affine(struct mx_onnx *onnx, struct mx_onnx_node *node,
			const char *suffix, uint32_t in, uint32_t axis,
			const double *scale, const double *bias, uint32_t *out)
{
	size_t count = mx_onnx_graph_shape(onnx, in)->dim[axis], i;
	struct mx_node *made;
	double *ones = NULL;
	int rc;

	if (!scale) {
		ones = calloc(count, sizeof(*ones));
		if (!ones)
			return -ENOMEM;
		for (i = 0; i < count; i++)
			ones[i] = 1;
		scale = ones;
	}
	rc = mx_onnx_begin(onnx, node, suffix, "Affine", &in, 1, &made);
	if (!rc)
		rc = mx_attrs_set_int(&made->layer.attrs, "axis", axis);
	if (!rc)
		rc = mx_node_set_vector(made, 0, scale, count);
	if (!rc && bias)
		rc = mx_node_set_vector(made, 1, bias, count);
	if (!rc)
		rc = mx_onnx_end(onnx, node, suffix, out);
	free(ones);
	return rc;
}

int mx_onnx_emit_constant(struct mx_onnx *onnx, struct mx_onnx_node *node,
			  const char *suffix, const struct mx_const *constant,
			  uint32_t *out)
{
	char *name = step_name(node, suffix);
	int rc;

	if (!name)
		return -ENOMEM;
	rc = mx_graph_constant(onnx->graph, name, constant, out, onnx->err);
	free(name);
	return rc;
}
