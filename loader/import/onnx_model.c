/*
 * A model: ModelProto and GraphProto are walked where they lie; their parts go
 * to onnx_tensor.c, onnx_node.c and the operators in the order initializers,
 * inputs, nodes, outputs, whatever their order in the file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "loader/import/graph.h"
#include "loader/import/import.h"
#include "loader/import/onnx_impl.h"

enum {
	MODEL_GRAPH = 7,
	MODEL_METADATA = 14,
	MODEL_TRAINING = 20,
	MODEL_FUNCTIONS = 25
};
enum {
	GRAPH_NODE = 1,
	GRAPH_NAME = 2,
	GRAPH_INITIALIZER = 5,
	GRAPH_INPUT = 11,
	GRAPH_OUTPUT = 12,
	GRAPH_SPARSE = 15
};

/* Below this version of the format a model need not name its opset. */
#define IR_WITH_OPSET 3

struct model {
	struct mx_onnx_span graph;
	struct mx_onnx_span name;
	MxOnnx__ModelProto *proto;
};

static int corrupt(struct mx_onnx *onnx, const char *what)
{
	return mx_fail(onnx->err, EBADMSG, "%s: %s", onnx->opts->source, what);
}

static int read_opset(struct mx_onnx *onnx, const MxOnnx__ModelProto *proto)
{
	size_t i;

	onnx->opset = proto->ir_version < IR_WITH_OPSET ? 1 : 0;
	for (i = 0; i < proto->n_opset_import; i++) {
		const char *domain = proto->opset_import[i]->domain;

		if (domain && *domain && strcmp(domain, "ai.onnx") != 0)
			continue;
		onnx->opset = proto->opset_import[i]->version;
	}
	if (onnx->opset <= 0)
		return corrupt(onnx, "states no version of ONNX's operators");
	if (onnx->opset > MX_ONNX_OPSET_MAX)
		return mx_fail(
			onnx->err, ENOTSUP,
			"%s: operator set %lld is not supported, at most "
			"%d is",
			onnx->opts->source, (long long)onnx->opset,
			MX_ONNX_OPSET_MAX);
	return 0;
}

static int model_init(struct mx_onnx *onnx, const struct mx_onnx_span *file,
		      struct model *model)
{
	struct mx_onnx_walk walk = {*file};
	struct mx_onnx_field field;
	ProtobufCMessage *message;
	int rc;

	while ((rc = mx_onnx_walk_next(&walk, &field)) > 0) {
		if (field.number != MODEL_GRAPH)
			continue;
		if (field.type != MX_ONNX_WIRE_BYTES || model->graph.data)
			return corrupt(onnx, "has no or several graphs");
		model->graph = field.content;
	}
	if (rc < 0)
		return corrupt(onnx, "is cut short or no ONNX model");
	rc = mx_onnx_unpack(file,
			    1u << MODEL_GRAPH | 1u << MODEL_METADATA |
				    1u << MODEL_TRAINING |
				    1u << MODEL_FUNCTIONS,
			    &mx_onnx__model_proto__descriptor, &message);
	if (rc)
		return rc == -EBADMSG ? corrupt(onnx, "is no ONNX model") : rc;
	model->proto = (MxOnnx__ModelProto *)message;
	if (!model->graph.data)
		return corrupt(onnx, "has no graph");
	return read_opset(onnx, model->proto);
}

/* Call @fn for each field @number of the graph, which is a message. */
typedef int part_fn(struct mx_onnx *onnx, const struct mx_onnx_span *part,
		    size_t index);

static int each(struct mx_onnx *onnx, const struct mx_onnx_span *graph,
		uint32_t number, part_fn *fn)
{
	struct mx_onnx_walk walk = {*graph};
	struct mx_onnx_field field;
	size_t index = 0;
	int rc;

	while ((rc = mx_onnx_walk_next(&walk, &field)) > 0) {
		if (field.number != number)
			continue;
		if (field.type != MX_ONNX_WIRE_BYTES)
			return corrupt(onnx, "its graph is corrupt");
		rc = fn(onnx, &field.content, index++);
		if (rc)
			return rc;
	}
	return rc ? corrupt(onnx, "its graph is cut short") : 0;
}

static int add_initializer(struct mx_onnx *onnx,
			   const struct mx_onnx_span *part, size_t index)
{
	struct mx_onnx_value *value;
	struct mx_const constant;
	enum mx_dtype type;
	char *name = NULL;
	int rc;

	(void)index;
	rc = mx_onnx_tensor(onnx, part, "", &constant, &type, &name);
	if (rc)
		goto end;
	rc = mx_onnx_value(onnx, name, &value);
	if (rc)
		goto end;
	if (!*name || value->kind != MX_ONNX_UNDEFINED) {
		rc = mx_fail(onnx->err, EBADMSG,
			     "%s: two initializers are called '%s'",
			     onnx->opts->source, name);
		goto end;
	}
	value->kind = MX_ONNX_CONST;
	value->type = type;
	value->shape = constant.shape;
	value->constant = constant;
end:
	free(name);
	return rc;
}

static int refuse_sparse(struct mx_onnx *onnx, const struct mx_onnx_span *part,
			 size_t index)
{
	int rc;

	(void)part;
	(void)index;
	rc = mx_unsupported_add(onnx->unsupported, "sparse initializers",
				onnx->opts->source);
	return rc;
}

/* What the user says of input @name, the @index-th. */
static const struct mx_shape *option_shape(const struct mx_import_opts *opts,
					   const char *name, int is_first)
{
	size_t i;

	for (i = 0; i < opts->shape_count; i++) {
		const char *wanted = opts->shapes[i].name;

		if (wanted ? strcmp(wanted, name) == 0 : is_first)
			return &opts->shapes[i].shape;
	}
	return NULL;
}

/* The shape that the model declares, with the batch and what the model leaves
 * open fixed. */
static int declared_shape(struct mx_onnx *onnx, const char *name,
			  const MxOnnx__TensorShapeProto *proto,
			  struct mx_shape *shape)
{
	size_t i;

	if (!proto)
		return mx_fail(onnx->err, EINVAL,
			       "%s: input %s has no shape: use --input-shape",
			       onnx->opts->source, name);
	if (proto->n_dim > MX_RANK_MAX)
		return mx_fail(onnx->err, EBADMSG,
			       "%s: input %s has %zu dimensions, at most %d "
			       "are possible",
			       onnx->opts->source, name, proto->n_dim,
			       MX_RANK_MAX);
	shape->rank = (uint32_t)proto->n_dim;
	for (i = 0; i < proto->n_dim; i++) {
		int64_t dim = proto->dim[i]->dim_value;

		/* Of one dimension alone nobody can say that it counts a
		 * batch. */
		if (i == 0 && (dim <= 0 || proto->n_dim > 1) &&
		    !(dim > 0 && onnx->opts->keep_batch)) {
			if (dim > 1)
				onnx->batch_from = (size_t)dim;
			dim = 1;
		}
		if (dim <= 0)
			return mx_fail(onnx->err, EINVAL,
				       "%s: dimension %zu of input %s is open: "
				       "use --input-shape",
				       onnx->opts->source, i, name);
		shape->dim[i] = (size_t)dim;
	}
	return 0;
}

static int input_shape(struct mx_onnx *onnx, const char *name,
		       const MxOnnx__TensorShapeProto *proto,
		       struct mx_shape *shape)
{
	const struct mx_shape *given =
		option_shape(onnx->opts, name, onnx->graph->input_count == 0);
	size_t count;
	int rc;

	memset(shape, 0, sizeof(*shape));
	if (given) {
		if (proto && proto->n_dim != given->rank)
			return mx_fail(onnx->err, EINVAL,
				       "%s: input %s has %zu dimensions, "
				       "--input-shape gives %u",
				       onnx->opts->source, name, proto->n_dim,
				       given->rank);
		if (proto && proto->n_dim && proto->dim[0]->dim_value > 1 &&
		    (size_t)proto->dim[0]->dim_value != given->dim[0])
			onnx->batch_from = (size_t)proto->dim[0]->dim_value;
		*shape = *given;
	} else {
		rc = declared_shape(onnx, name, proto, shape);
		if (rc)
			return rc;
	}
	if (mx_shape_count(shape, &count) || count == 0)
		return mx_fail(onnx->err, EBADMSG,
			       "%s: the shape of input %s makes no sense",
			       onnx->opts->source, name);
	if (shape->rank)
		onnx->batch_to = shape->dim[0];
	return 0;
}

static int add_input(struct mx_onnx *onnx, const struct mx_onnx_span *part,
		     size_t index)
{
	const MxOnnx__TensorTypeProto *tensor = NULL;
	MxOnnx__ValueInfoProto *proto;
	struct mx_onnx_value *value;
	ProtobufCMessage *message;
	struct mx_shape shape;
	uint32_t graph;
	int rc;

	(void)index;
	rc = mx_onnx_unpack(part, 0, &mx_onnx__value_info_proto__descriptor,
			    &message);
	if (rc)
		return rc == -EBADMSG ? corrupt(onnx, "an input is corrupt")
				      : rc;
	proto = (MxOnnx__ValueInfoProto *)message;
	if (!proto->name || !*proto->name) {
		rc = corrupt(onnx, "an input has no name");
		goto end;
	}
	rc = mx_onnx_value(onnx, proto->name, &value);
	/* An initializer that is also an input is a constant with a default,
	 * and nobody gives another. */
	if (rc || value->kind == MX_ONNX_CONST)
		goto end;
	if (value->kind != MX_ONNX_UNDEFINED) {
		rc = mx_fail(onnx->err, EBADMSG, "%s: two inputs are called %s",
			     onnx->opts->source, proto->name);
		goto end;
	}
	if (proto->type)
		tensor = proto->type->tensor_type;
	if (!tensor || mx_onnx_dtype(tensor->elem_type, &value->type)) {
		rc = mx_unsupported_add(onnx->unsupported,
					"an input that is no tensor of numbers",
					proto->name);
		value->kind = MX_ONNX_UNKNOWN;
		goto end;
	}
	rc = input_shape(onnx, proto->name, tensor->shape, &shape);
	if (!rc)
		rc = mx_graph_input(onnx->graph, proto->name, &shape, &graph,
				    onnx->err);
	if (rc)
		goto end;
	value->kind = MX_ONNX_ACTIVATION;
	value->shape = shape;
	value->graph = graph;
end:
	protobuf_c_message_free_unpacked(message, NULL);
	return rc;
}

/* Shapes were given for inputs that the model has not. */
static int check_options(struct mx_onnx *onnx)
{
	const struct mx_import_opts *opts = onnx->opts;
	uint32_t index;
	size_t i;

	for (i = 0; i < opts->shape_count; i++) {
		if (!opts->shapes[i].name)
			continue;
		index = mx_onnx_names_find(&onnx->names, opts->shapes[i].name);
		if (index == MX_NONE ||
		    onnx->values[index].kind == MX_ONNX_CONST)
			return mx_fail(onnx->err, EINVAL, "%s: has no input %s",
				       opts->source, opts->shapes[i].name);
	}
	return 0;
}

/* --- outputs ---------------------------------------------------------- */

/* A value that is an output already, or an input, gets a copy of its own. */
static int is_taken(const struct mx_graph *graph, uint32_t value)
{
	uint32_t i;

	for (i = 0; i < graph->input_count; i++)
		if (graph->inputs[i] == value)
			return 1;
	for (i = 0; i < graph->output_count; i++)
		if (graph->outputs[i] == value)
			return 1;
	return 0;
}

static int emit_output(struct mx_onnx *onnx, const char *name,
		       struct mx_onnx_value *value)
{
	uint32_t graph = value->graph;
	int rc = 0;

	/* Nothing to emit: the report will say what is missing. */
	if (value->kind == MX_ONNX_UNKNOWN)
		return 0;
	if (value->kind == MX_ONNX_CONST && graph == MX_NONE) {
		rc = mx_graph_constant(onnx->graph, name, &value->constant,
				       &graph, onnx->err);
		value->graph = graph;
	}
	if (!rc && is_taken(onnx->graph, graph))
		rc = mx_graph_simple(onnx->graph, "Identity", name, &graph, 1,
				     NULL, name, &graph, onnx->err);
	return rc ? rc : mx_graph_output(onnx->graph, graph, onnx->err);
}

static int output_by_name(struct mx_onnx *onnx, const char *name, int status)
{
	uint32_t index = mx_onnx_names_find(&onnx->names, name);

	if (index == MX_NONE || onnx->values[index].kind == MX_ONNX_UNDEFINED) {
		index = mx_onnx_names_find(&onnx->node_names, name);
		if (index != MX_NONE)
			index = onnx->node_outputs[index];
	}
	if (index == MX_NONE)
		return mx_fail(onnx->err, status, "%s: has no output %s",
			       onnx->opts->source, name);
	return emit_output(onnx, name, &onnx->values[index]);
}

static int add_output(struct mx_onnx *onnx, const struct mx_onnx_span *part,
		      size_t index)
{
	MxOnnx__ValueInfoProto *proto;
	ProtobufCMessage *message;
	int rc;

	(void)index;
	rc = mx_onnx_unpack(part, 0, &mx_onnx__value_info_proto__descriptor,
			    &message);
	if (rc)
		return rc == -EBADMSG ? corrupt(onnx, "an output is corrupt")
				      : rc;
	proto = (MxOnnx__ValueInfoProto *)message;
	rc = proto->name ? output_by_name(onnx, proto->name, EBADMSG)
			 : corrupt(onnx, "an output has no name");
	protobuf_c_message_free_unpacked(message, NULL);
	return rc;
}

static int add_outputs(struct mx_onnx *onnx, const struct mx_onnx_span *graph)
{
	size_t i;
	int rc;

	if (!onnx->opts->output_count)
		return each(onnx, graph, GRAPH_OUTPUT, add_output);
	for (i = 0; i < onnx->opts->output_count; i++) {
		rc = output_by_name(onnx, onnx->opts->outputs[i], EINVAL);
		if (rc)
			return rc;
	}
	return 0;
}

/* --- all of it -------------------------------------------------------- */

static int graph_name(const struct mx_onnx_span *graph, char **out)
{
	struct mx_onnx_walk walk = {*graph};
	struct mx_onnx_field field;
	struct mx_onnx_span name = {(const unsigned char *)"onnx", 4};

	while (mx_onnx_walk_next(&walk, &field) > 0)
		if (field.number == GRAPH_NAME &&
		    field.type == MX_ONNX_WIRE_BYTES && field.content.size)
			name = field.content;
	*out = strndup((const char *)name.data, name.size);
	return *out ? 0 : -ENOMEM;
}

static int build(struct mx_onnx *onnx, const struct mx_onnx_span *graph)
{
	char *name;
	int rc;

	rc = graph_name(graph, &name);
	if (rc)
		return rc;
	rc = mx_graph_new(&onnx->graph, name, "onnx", onnx->err);
	free(name);
	if (!rc)
		rc = each(onnx, graph, GRAPH_INITIALIZER, add_initializer);
	if (!rc)
		rc = each(onnx, graph, GRAPH_SPARSE, refuse_sparse);
	if (!rc)
		rc = each(onnx, graph, GRAPH_INPUT, add_input);
	if (!rc)
		rc = check_options(onnx);
	if (!rc)
		rc = each(onnx, graph, GRAPH_NODE, mx_onnx_run);
	if (!rc)
		rc = add_outputs(onnx, graph);
	if (!rc)
		rc = mx_unsupported_report(onnx->unsupported,
					   onnx->opts->source, onnx->opts->log,
					   onnx->err);
	if (!rc && !onnx->graph->output_count)
		rc = corrupt(onnx, "has no outputs");
	return rc;
}

int mx_onnx_graph(const struct mx_import_opts *opts, struct mx_graph **out,
		  struct mx_import_source **source, struct mx_err *err)
{
	struct mx_onnx onnx = {.opts = opts, .source = source, .err = err};
	struct model model = {.proto = NULL};
	struct mx_onnx_span file = {NULL, 0};
	size_t i;
	int rc;

	if (opts->random_weights)
		return mx_fail(err, EINVAL,
			       "%s: random weights are for prototxt files, an "
			       "ONNX model has its own",
			       opts->source);
	rc = mx_unsupported_new(&onnx.unsupported);
	if (rc)
		return rc;
	rc = mx_import_source_map(source, opts->source, &file.data, &file.size,
				  err);
	if (!rc)
		rc = model_init(&onnx, &file, &model);
	if (!rc)
		rc = build(&onnx, &model.graph);
	if (rc == -ENOMEM)
		mx_fail(err, ENOMEM, "%s: no memory", opts->source);
	if (rc)
		mx_graph_free(onnx.graph);
	else
		*out = onnx.graph;

	if (model.proto)
		protobuf_c_message_free_unpacked(&model.proto->base, NULL);
	for (i = 0; i < onnx.external_count; i++)
		free(onnx.externals[i].location);
	free(onnx.externals);
	mx_onnx_names_fini(&onnx.names);
	mx_onnx_names_fini(&onnx.node_names);
	free(onnx.values);
	free(onnx.node_outputs);
	mx_unsupported_free(onnx.unsupported);
	return rc;
}
