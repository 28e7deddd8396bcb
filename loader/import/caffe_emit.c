#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/err.h"
#include "loader/import/caffe_impl.h"

const struct mx_shape *mx_caffe_shape(const struct mx_caffe_step *step,
				      uint32_t value)
{
	return &step->caffe->graph->values[value].shape;
}

/* What failed was memory, the only thing attributes can lack. */
static void note(struct mx_caffe_step *step, int rc)
{
	if (rc < 0 && !step->rc)
		step->rc = mx_fail(step->caffe->err, -rc, "layer %s: no memory",
				   step->layer->name);
}

void mx_caffe_set_int(struct mx_caffe_step *step, const char *name,
		      int64_t value)
{
	note(step, mx_attrs_set_int(&step->attrs, name, value));
}

void mx_caffe_set_ints(struct mx_caffe_step *step, const char *name,
		       const int64_t *values, size_t count)
{
	note(step, mx_attrs_set_ints(&step->attrs, name, values, count));
}

void mx_caffe_set_float(struct mx_caffe_step *step, const char *name,
			double value)
{
	note(step, mx_attrs_set_float(&step->attrs, name, (float)value));
}

void mx_caffe_set_floats(struct mx_caffe_step *step, const char *name,
			 const double *values, size_t count)
{
	float floats[64];
	size_t i;

	if (count > sizeof(floats) / sizeof(floats[0])) {
		mx_caffe_refuse(step, "%zu values of %s", count, name);
		return;
	}
	for (i = 0; i < count; i++)
		floats[i] = (float)values[i];
	note(step, mx_attrs_set_floats(&step->attrs, name, floats, count));
}

void mx_caffe_set_dims(struct mx_caffe_step *step, const char *name,
		       const struct mx_shape *shape)
{
	int64_t dims[MX_RANK_MAX];
	uint32_t i;

	for (i = 0; i < shape->rank; i++)
		dims[i] = (int64_t)shape->dim[i];
	mx_caffe_set_ints(step, name, dims, shape->rank);
}

/* The node's name: the layer's for the one that makes its top. */
static const char *node_name(const struct mx_caffe_step *step, const char *op,
			     uint32_t top, char *text, size_t size)
{
	if (top == 0)
		return step->layer->name;
	if (top == MX_CAFFE_INSIDE)
		(void)snprintf(text, size, "%s/%s%u", step->layer->name, op,
			       step->caffe->graph->node_count);
	else
		(void)snprintf(text, size, "%s/%u", step->layer->name, top);
	return text;
}

static int fill_node(struct mx_caffe_step *step, struct mx_node *node,
		     const struct mx_caffe_weights *weights)
{
	uint32_t k;
	int rc = 0;

	node->layer.attrs = step->attrs;
	step->attrs = (struct mx_attrs){0};
	if (!weights)
		return 0;
	if (weights->rows)
		rc = mx_node_set_rows(node, weights->rows);
	for (k = 0; k < MX_VECTORS_MAX && rc == 0; k++)
		if (weights->vector[k])
			rc = mx_node_set_vector(node, k, weights->vector[k],
						weights->count);
	return rc;
}

uint32_t mx_caffe_emit(struct mx_caffe_step *step, const char *op,
		       const uint32_t *in, uint32_t in_count,
		       const struct mx_caffe_weights *weights, uint32_t top)
{
	struct mx_graph *graph = step->caffe->graph;
	struct mx_err *err = step->caffe->err;
	const char *out_name = NULL;
	struct mx_node *node;
	uint32_t out = MX_NONE;
	char text[256];

	if (step->rc) {
		mx_attrs_fini(&step->attrs);
		return MX_NONE;
	}
	if (top != MX_CAFFE_INSIDE)
		out_name = step->layer->tops[top]->text;
	step->rc = mx_graph_node(graph, op,
				 node_name(step, op, top, text, sizeof(text)),
				 in, in_count, &node, err);
	if (step->rc)
		return MX_NONE;
	note(step, fill_node(step, node, weights));
	if (step->rc)
		return MX_NONE;
	step->rc = mx_graph_finish(graph, &out_name, 1, &out, err);
	if (step->rc)
		return MX_NONE;
	if (top != MX_CAFFE_INSIDE)
		step->out[top] = out;
	return out;
}

uint32_t mx_caffe_constant(struct mx_caffe_step *step,
			   const struct mx_const *constant, uint32_t top)
{
	const struct mx_caffe_weights weights = {.rows = constant};

	if (step->rc)
		return MX_NONE;
	mx_caffe_set_dims(step, "shape", &constant->shape);
	return mx_caffe_emit(step, "Constant", NULL, 0, &weights, top);
}

uint32_t mx_caffe_reshape(struct mx_caffe_step *step, uint32_t value,
			  const struct mx_shape *shape, uint32_t top)
{
	if (step->rc)
		return MX_NONE;
	mx_caffe_set_dims(step, "shape", shape);
	return mx_caffe_emit(step, "Reshape", &value, 1, NULL, top);
}

uint32_t mx_caffe_align(struct mx_caffe_step *step, uint32_t value,
			const struct mx_shape *like, uint32_t axis)
{
	struct mx_shape shape;

	if (step->rc)
		return MX_NONE;
	shape = *mx_caffe_shape(step, value);
	if (axis + shape.rank == like->rank)
		return value;
	while (axis + shape.rank < like->rank)
		shape.dim[shape.rank++] = 1;
	return mx_caffe_reshape(step, value, &shape, MX_CAFFE_INSIDE);
}
