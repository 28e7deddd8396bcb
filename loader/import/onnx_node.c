#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "loader/import/graph.h"
#include "loader/import/import.h"
#include "loader/import/onnx_impl.h"

enum { NODE_ATTRIBUTE = 5 };
enum { ATTR_TENSOR = 5, ATTR_GRAPH = 6, ATTR_TENSORS = 10, ATTR_GRAPHS = 11 };

static int attr_init(const struct mx_onnx_span *span, struct mx_onnx_attr *attr)
{
	struct mx_onnx_walk walk = {*span};
	struct mx_onnx_field field;
	ProtobufCMessage *message;
	int rc;

	while ((rc = mx_onnx_walk_next(&walk, &field)) > 0) {
		if (field.number == ATTR_TENSOR) {
			if (field.type != MX_ONNX_WIRE_BYTES)
				return -EBADMSG;
			attr->tensor = field.content;
		}
		if (field.number == ATTR_GRAPH || field.number == ATTR_GRAPHS)
			attr->has_graph = 1;
	}
	if (rc < 0)
		return rc;
	rc = mx_onnx_unpack(span,
			    1u << ATTR_TENSOR | 1u << ATTR_GRAPH |
				    1u << ATTR_TENSORS | 1u << ATTR_GRAPHS,
			    &mx_onnx__attribute_proto__descriptor, &message);
	if (rc)
		return rc;
	attr->proto = (MxOnnx__AttributeProto *)message;
	return attr->proto->name ? 0 : -EBADMSG;
}

static int attrs_init(const struct mx_onnx_span *span,
		      struct mx_onnx_node *node)
{
	struct mx_onnx_walk walk = {*span};
	struct mx_onnx_field field;
	size_t count = 0;
	int rc;

	while ((rc = mx_onnx_walk_next(&walk, &field)) > 0)
		count += field.number == NODE_ATTRIBUTE;
	if (rc < 0)
		return rc;
	node->attrs = calloc(count + 1, sizeof(*node->attrs));
	if (!node->attrs)
		return -ENOMEM;
	walk.rest = *span;
	while (mx_onnx_walk_next(&walk, &field) > 0) {
		if (field.number != NODE_ATTRIBUTE)
			continue;
		if (field.type != MX_ONNX_WIRE_BYTES)
			return -EBADMSG;
		rc = attr_init(&field.content,
			       &node->attrs[node->attr_count++]);
		if (rc)
			return rc;
	}
	return 0;
}

/* "add_3"; without a name, the operator and the first output. */
static int name_init(struct mx_onnx_node *node, size_t index)
{
	const MxOnnx__NodeProto *proto = node->proto;
	const char *first = proto->n_output ? proto->output[0] : "";
	int length;

	node->op = proto->op_type ? proto->op_type : "";
	if (proto->name && *proto->name)
		length = asprintf(&node->name, "%s", proto->name);
	else if (*first)
		length = asprintf(&node->name, "%s:%s", node->op, first);
	else
		length = asprintf(&node->name, "%s:%zu", node->op, index);
	if (length < 0)
		node->name = NULL;
	return node->name ? 0 : -ENOMEM;
}

/* Values may move while they are made, so that pointers come last. */
static int values_init(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const MxOnnx__NodeProto *proto = node->proto;
	struct mx_onnx_value *value;
	size_t i;
	int rc;

	node->in_count = proto->n_input;
	node->out_count = proto->n_output;
	node->in = calloc(proto->n_input + 1, sizeof(node->in[0]));
	node->out = calloc(proto->n_output + 1, sizeof(node->out[0]));
	if (!node->in || !node->out)
		return -ENOMEM;
	for (i = 0; i < proto->n_output; i++) {
		if (!*proto->output[i])
			continue;
		rc = mx_onnx_value(onnx, proto->output[i], &value);
		if (rc)
			return rc;
		if (value->kind != MX_ONNX_UNDEFINED)
			return mx_onnx_bad(onnx, node,
					   "%s has been written before",
					   proto->output[i]);
	}
	for (i = 0; i < proto->n_input; i++) {
		uint32_t index;

		if (!*proto->input[i])
			continue;
		index = mx_onnx_names_find(&onnx->names, proto->input[i]);
		if (index == MX_NONE ||
		    onnx->values[index].kind == MX_ONNX_UNDEFINED)
			return mx_onnx_bad(onnx, node,
					   "input %s is written by no node "
					   "before it (there is none, or they "
					   "are unsorted, or in a cycle)",
					   proto->input[i]);
		node->in[i] = &onnx->values[index];
	}
	for (i = 0; i < proto->n_output; i++)
		if (*proto->output[i])
			node->out[i] = &onnx->values[mx_onnx_names_find(
				&onnx->names, proto->output[i])];
	return 0;
}

int mx_onnx_node_init(struct mx_onnx *onnx, const struct mx_onnx_span *span,
		      size_t index, struct mx_onnx_node *node)
{
	ProtobufCMessage *message;
	int rc;

	memset(node, 0, sizeof(*node));
	rc = mx_onnx_unpack(span, 1u << NODE_ATTRIBUTE,
			    &mx_onnx__node_proto__descriptor, &message);
	if (rc == -EBADMSG)
		return mx_fail(onnx->err, EBADMSG, "%s: node %zu is corrupt",
			       onnx->opts->source, index);
	if (rc)
		return rc;
	node->proto = (MxOnnx__NodeProto *)message;
	rc = name_init(node, index);
	if (rc)
		goto fail;
	rc = attrs_init(span, node);
	if (rc == -EBADMSG)
		rc = mx_onnx_bad(onnx, node, "attribute %zu is corrupt",
				 node->attr_count);
	if (rc)
		goto fail;
	rc = values_init(onnx, node);
	if (rc)
		goto fail;
	return 0;

fail:
	mx_onnx_node_fini(node);
	return rc;
}

void mx_onnx_node_fini(struct mx_onnx_node *node)
{
	size_t i;

	for (i = 0; i < node->attr_count; i++)
		if (node->attrs[i].proto)
			protobuf_c_message_free_unpacked(
				&node->attrs[i].proto->base, NULL);
	free(node->attrs);
	free(node->in);
	free(node->out);
	free(node->name);
	if (node->proto)
		protobuf_c_message_free_unpacked(&node->proto->base, NULL);
	memset(node, 0, sizeof(*node));
}

const struct mx_onnx_attr *mx_onnx_attr(const struct mx_onnx_node *node,
					const char *name)
{
	size_t i;

	for (i = 0; i < node->attr_count; i++)
		if (strcmp(node->attrs[i].proto->name, name) == 0)
			return &node->attrs[i];
	return NULL;
}

int64_t mx_onnx_int(const struct mx_onnx_node *node, const char *name,
		    int64_t fallback)
{
	const struct mx_onnx_attr *attr = mx_onnx_attr(node, name);

	return attr && attr->proto->has_i ? attr->proto->i : fallback;
}

float mx_onnx_float(const struct mx_onnx_node *node, const char *name,
		    float fallback)
{
	const struct mx_onnx_attr *attr = mx_onnx_attr(node, name);

	return attr && attr->proto->has_f ? attr->proto->f : fallback;
}

const char *mx_onnx_string(const struct mx_onnx_node *node, const char *name,
			   const char *fallback)
{
	const struct mx_onnx_attr *attr = mx_onnx_attr(node, name);

	return attr && attr->proto->s ? attr->proto->s : fallback;
}

int mx_onnx_ints(struct mx_onnx *onnx, const struct mx_onnx_node *node,
		 const char *name, int64_t *out, size_t *count)
{
	const struct mx_onnx_attr *attr = mx_onnx_attr(node, name);
	size_t i;

	*count = 0;
	if (!attr)
		return 0;
	if (attr->proto->n_ints > MX_ONNX_LIST_MAX)
		return mx_onnx_bad(onnx, node, "%s has %zu values", name,
				   attr->proto->n_ints);
	for (i = 0; i < attr->proto->n_ints; i++)
		out[i] = attr->proto->ints[i];
	*count = attr->proto->n_ints;
	return 0;
}

struct mx_onnx_value *mx_onnx_in(const struct mx_onnx_node *node, size_t k)
{
	return k < node->in_count ? node->in[k] : NULL;
}

int mx_onnx_wants(const struct mx_onnx_node *node, size_t k)
{
	return k < node->out_count && node->out[k];
}

int mx_onnx_use(struct mx_onnx *onnx, struct mx_onnx_node *node, size_t k,
		uint32_t *out)
{
	struct mx_onnx_value *value = mx_onnx_in(node, k);
	int rc;

	if (!value)
		return mx_onnx_bad(onnx, node, "input %zu is missing", k);
	if (value->graph == MX_NONE) {
		rc = mx_graph_constant(onnx->graph, node->proto->input[k],
				       &value->constant, &value->graph,
				       onnx->err);
		if (rc)
			return rc;
	}
	*out = value->graph;
	return 0;
}

int mx_onnx_const(struct mx_onnx *onnx, const struct mx_onnx_node *node,
		  size_t k, const struct mx_const **out)
{
	const struct mx_onnx_value *value = mx_onnx_in(node, k);

	if (!value)
		return mx_onnx_bad(onnx, node, "input %zu is missing", k);
	if (value->kind != MX_ONNX_CONST)
		return mx_onnx_refuse(onnx, node, "input %zu is computed", k);
	*out = &value->constant;
	return 0;
}

int mx_onnx_in_ints(struct mx_onnx *onnx, const struct mx_onnx_node *node,
		    size_t k, int64_t *out, size_t *count)
{
	const struct mx_const *constant;
	size_t elems;
	int rc;

	*count = 0;
	if (!mx_onnx_in(node, k))
		return 0;
	rc = mx_onnx_const(onnx, node, k, &constant);
	if (rc)
		return rc;
	elems = mx_shape_elems(&constant->shape);
	if (elems > MX_ONNX_LIST_MAX)
		return mx_onnx_bad(onnx, node, "input %zu has %zu values", k,
				   elems);
	mx_const_read_i64(constant, 0, elems, out);
	*count = elems;
	return 0;
}

int mx_onnx_list(struct mx_onnx *onnx, const struct mx_onnx_node *node,
		 const char *name, size_t k, int64_t *out, size_t *count)
{
	if (mx_onnx_attr(node, name))
		return mx_onnx_ints(onnx, node, name, out, count);
	return mx_onnx_in_ints(onnx, node, k, out, count);
}

int mx_onnx_axis(struct mx_onnx *onnx, const struct mx_onnx_node *node,
		 int64_t axis, uint32_t rank, uint32_t *out)
{
	if (mx_shape_axis(rank, axis, out))
		return mx_onnx_bad(onnx, node,
				   "axis %lld is outside of rank %u",
				   (long long)axis, rank);
	return 0;
}
