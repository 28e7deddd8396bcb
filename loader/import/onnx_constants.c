/* Constant and ConstantOfShape. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/size.h"
#include "loader/import/graph.h"
#include "loader/import/onnx_impl.h"

/* A list of numbers; one alone is a scalar. */
static int from_list(struct mx_onnx *onnx, struct mx_onnx_node *node,
		     const struct mx_onnx_attr *attr)
{
	const MxOnnx__AttributeProto *proto = attr->proto;
	struct mx_shape shape = {.rank = 1};
	double *floats = NULL;
	struct mx_const out;
	size_t i;
	int rc;

	if (strcmp(proto->name, "value_ints") == 0) {
		shape.dim[0] = proto->n_ints;
		rc = mx_onnx_const_make(onnx, &shape, NULL, proto->ints, &out);
		return rc ? rc
			  : mx_onnx_result_const(onnx, node, 0, &out,
						 MX_DTYPE_I64);
	}
	if (strcmp(proto->name, "value_int") == 0) {
		shape.rank = 0;
		rc = mx_onnx_const_make(onnx, &shape, NULL, &proto->i, &out);
		return rc ? rc
			  : mx_onnx_result_const(onnx, node, 0, &out,
						 MX_DTYPE_I64);
	}
	shape.rank = strcmp(proto->name, "value_floats") == 0;
	shape.dim[0] = proto->n_floats;
	floats = malloc((proto->n_floats + 1) * sizeof(*floats));
	if (!floats)
		return -ENOMEM;
	floats[0] = (double)proto->f;
	for (i = 0; shape.rank && i < proto->n_floats; i++)
		floats[i] = (double)proto->floats[i];
	rc = mx_onnx_const_make(onnx, &shape, floats, NULL, &out);
	free(floats);
	return rc ? rc
		  : mx_onnx_result_const(onnx, node, 0, &out, MX_DTYPE_F32);
}

int mx_onnx_constant(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const struct mx_onnx_attr *attr;
	enum mx_dtype type;
	struct mx_const out;
	int rc;

	if (node->attr_count != 1)
		return mx_onnx_bad(onnx, node, "has %zu values",
				   node->attr_count);
	attr = &node->attrs[0];
	if (strcmp(attr->proto->name, "value") != 0)
		return from_list(onnx, node, attr);
	if (!attr->tensor.data)
		return mx_onnx_bad(onnx, node, "has no tensor");
	rc = mx_onnx_tensor(onnx, &attr->tensor, node->name, &out, &type, NULL);
	if (rc == -ENOTSUP)
		return mx_onnx_refuse(onnx, node, "the data type");
	return rc ? rc : mx_onnx_result_const(onnx, node, 0, &out, type);
}

int mx_onnx_constant_of_shape(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const struct mx_onnx_attr *attr = mx_onnx_attr(node, "value");
	int64_t list[MX_ONNX_LIST_MAX];
	enum mx_dtype type = MX_DTYPE_F32;
	struct mx_const value, out;
	struct mx_shape shape = {0};
	size_t count, i;
	double fill = 0;
	int rc;

	rc = mx_onnx_in_ints(onnx, node, 0, list, &count);
	if (rc)
		return rc;
	if (count > MX_RANK_MAX)
		return mx_onnx_refuse(onnx, node, "rank %zu", count);
	shape.rank = (uint32_t)count;
	for (i = 0; i < count; i++) {
		if (list[i] < 0)
			return mx_onnx_bad(onnx, node,
					   "dimension %zu is negative", i);
		shape.dim[i] = (size_t)list[i];
	}
	if (mx_shape_count(&shape, &count))
		return mx_onnx_bad(onnx, node, "its shape is too large");
	if (attr) {
		if (!attr->tensor.data)
			return mx_onnx_bad(onnx, node, "has no tensor");
		rc = mx_onnx_tensor(onnx, &attr->tensor, node->name, &value,
				    &type, NULL);
		if (rc == -ENOTSUP)
			return mx_onnx_refuse(onnx, node, "the data type");
		if (rc)
			return rc;
		if (mx_shape_elems(&value.shape) != 1)
			return mx_onnx_bad(onnx, node,
					   "its value is no scalar");
		mx_const_read_f64(&value, 0, 1, &fill);
	}
	mx_onnx_const_fill(&shape, type, fill, &out);
	return mx_onnx_result_const(onnx, node, 0, &out, type);
}
