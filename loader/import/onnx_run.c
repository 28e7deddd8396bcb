/* One node after the other, in the file's order. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/import/graph.h"
#include "loader/import/onnx_impl.h"

/* Remember the node's name for --outputs. */
static int note_name(struct mx_onnx *onnx, const struct mx_onnx_node *node)
{
	uint32_t *outputs, index, before = onnx->node_names.count;
	int rc;

	if (!mx_onnx_wants(node, 0))
		return 0;
	rc = mx_onnx_names_add(&onnx->node_names, node->name, &index);
	if (rc)
		return rc;
	if (onnx->node_names.room > onnx->node_output_room) {
		outputs = realloc(onnx->node_outputs,
				  onnx->node_names.room * sizeof(*outputs));
		if (!outputs)
			return -ENOMEM;
		onnx->node_outputs = outputs;
		onnx->node_output_room = onnx->node_names.room;
	}
	if (onnx->node_names.count > before)
		onnx->node_outputs[index] =
			(uint32_t)(node->out[0] - onnx->values);
	return 0;
}

/* Attributes that the operator's table line does not name are refused: they
 * may change what it computes. */
static int check_attrs(struct mx_onnx *onnx, const struct mx_onnx_node *node,
		       const struct mx_onnx_op *op)
{
	size_t i, length;

	for (i = 0; i < node->attr_count; i++) {
		const char *name = node->attrs[i].proto->name;
		const char *at = op->attrs;

		length = strlen(name);
		while (length && at && (at = strstr(at, name)) != NULL &&
		       ((at > op->attrs && at[-1] != ' ') ||
			(at[length] != ' ' && at[length] != '\0')))
			at++;
		if (!length || !at)
			return mx_onnx_refuse(onnx, node, "attribute %.100s",
					      name);
	}
	return 0;
}

enum inputs { INPUTS_MIXED, INPUTS_UNKNOWN, INPUTS_CONST };

static enum inputs inputs_of(const struct mx_onnx_node *node)
{
	enum inputs inputs = INPUTS_CONST;
	size_t i;

	for (i = 0; i < node->in_count; i++) {
		if (!node->in[i])
			continue;
		if (node->in[i]->kind == MX_ONNX_UNKNOWN)
			return INPUTS_UNKNOWN;
		if (node->in[i]->kind == MX_ONNX_ACTIVATION)
			inputs = INPUTS_MIXED;
	}
	return inputs;
}

static int run_node(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const char *domain = node->proto->domain;
	const struct mx_onnx_op *op;
	enum inputs inputs;
	size_t i;
	int rc;

	if (domain && *domain && strcmp(domain, "ai.onnx") != 0)
		return mx_onnx_refuse(onnx, node, "domain %.100s", domain);
	op = mx_onnx_op_find(node->op);
	if (!op)
		return mx_onnx_refuse(onnx, node, NULL);
	rc = check_attrs(onnx, node, op);
	if (rc)
		return rc;
	inputs = inputs_of(node);
	if (inputs == INPUTS_UNKNOWN)
		return MX_ONNX_SKIP;
	for (i = 0; i < op->in_min; i++)
		if (!mx_onnx_in(node, i))
			return mx_onnx_bad(onnx, node, "input %zu is missing",
					   i);
	if (node->in_count > op->in_max)
		return mx_onnx_bad(onnx, node, "has %zu inputs",
				   node->in_count);
	if (inputs == INPUTS_CONST && op->eval) {
		rc = op->eval(onnx, node);
		if (rc != -ENOSYS)
			return rc;
	}
	return op->emit(onnx, node);
}

int mx_onnx_run(struct mx_onnx *onnx, const struct mx_onnx_span *part,
		size_t index)
{
	struct mx_onnx_node node;
	size_t i;
	int rc;

	rc = mx_onnx_node_init(onnx, part, index, &node);
	if (rc)
		return rc;
	rc = note_name(onnx, &node);
	if (!rc)
		rc = run_node(onnx, &node);
	if (rc == MX_ONNX_SKIP)
		rc = 0;
	/* Whatever an unsupported node would have computed is unknown. */
	for (i = 0; !rc && i < node.out_count; i++)
		if (node.out[i] && node.out[i]->kind == MX_ONNX_UNDEFINED)
			node.out[i]->kind = MX_ONNX_UNKNOWN;
	mx_onnx_node_fini(&node);
	return rc;
}
