#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/size.h"
#include "loader/import/caffe_impl.h"
#include "loader/import/caffe_model.h"

/*
 * What random weights take the mean square of an input to be: between a
 * picture's (about 70^2) and a scaled picture's (below 1), so that a
 * classifier's last layer neither saturates nor is flat with either.
 */
#define INPUT_MOMENT 256.0

/* The mean square of what a layer with random weights computes. */
#define ROW_MOMENT 2.0

double mx_caffe_moment(const struct mx_caffe *caffe, uint32_t value)
{
	uint32_t i;

	for (i = 0; i < caffe->graph->input_count; i++)
		if (caffe->graph->inputs[i] == value)
			return INPUT_MOMENT;
	return value < caffe->moment_room && caffe->moment[value] > 0
		       ? caffe->moment[value]
		       : 1;
}

int mx_caffe_moment_set(struct mx_caffe *caffe, uint32_t first, double moment)
{
	const uint32_t end = caffe->graph->value_count;
	uint32_t v;

	if (end > caffe->moment_room) {
		const uint32_t room = end * 2;
		double *more = realloc(caffe->moment, room * sizeof(*more));

		if (!more)
			return mx_fail_errno(caffe->err, "random weights");
		for (v = caffe->moment_room; v < room; v++)
			more[v] = 0;
		caffe->moment = more;
		caffe->moment_room = room;
	}
	for (v = first; v < end; v++)
		caffe->moment[v] = moment;
	return 0;
}

double mx_caffe_rectified(const struct mx_caffe_step *step)
{
	const struct mx_graph *graph = step->caffe->graph;
	const struct mx_node *last;

	if (graph->node_count == 0)
		return step->moment / 2;
	last = &graph->nodes[graph->node_count - 1];
	/* A residual sum is mostly positive already: counting on half of it
	 * to go would let a deep residual network grow without bound. */
	if (last->layer.out[0] == step->in[0] &&
	    strcmp(last->layer.op_name, "Eltwise") == 0)
		return step->moment;
	return step->moment / 2;
}

double mx_caffe_he(struct mx_caffe_step *step, size_t fan_in)
{
	const double moment = mx_caffe_moment(step->caffe, step->in[0]);

	step->moment = ROW_MOMENT;
	/* A uniform value in +-s has the mean square s^2 / 3. */
	return sqrt(3 * ROW_MOMENT / (moment * (double)(fan_in ? fan_in : 1)));
}

/* The name of param @index ("" if it has none): layers that share a name
 * share their weights. */
static const char *shared_name(const struct mx_caffe_step *step, uint32_t index)
{
	const struct mx_prototxt *tree = step->caffe->net.tree;
	const struct mx_prototxt_field *f;
	uint32_t i = 0;

	f = mx_prototxt_find(tree, step->layer->field, "param");
	for (; f; f = mx_prototxt_again(tree, f), i++) {
		/* V1: a string each. */
		if (i == index && f->text)
			return f->text;
		if (i == index) {
			f = mx_prototxt_find(tree, f, "name");
			return f && f->text ? f->text : "";
		}
	}
	return "";
}

static void random_blob(const struct mx_caffe_step *step, uint32_t index,
			uint64_t count, const struct mx_caffe_random *random,
			struct mx_blob *blob)
{
	const char *name = shared_name(step, index);
	uint64_t seed = step->caffe->opts->seed;

	if (*name)
		seed = mx_names_hash(name, ~seed);
	else
		seed = mx_names_hash(step->layer->name, seed) + index;
	*blob = (struct mx_blob){
		.kind = random->scale > 0 ? MX_BLOB_RANDOM : MX_BLOB_FILL,
		.type = MX_DTYPE_F32,
		.count = count,
		.seed = seed,
		.scale = random->scale,
		.shift = random->shift,
		.fill = random->shift,
	};
}

/* Equal but for dimensions of 1 in front: legacy blobs have four. */
static int same_shape(const struct mx_shape *a, const struct mx_shape *b)
{
	uint32_t i = 0, k = 0;

	while (i < a->rank && a->dim[i] == 1)
		i++;
	while (k < b->rank && b->dim[k] == 1)
		k++;
	for (; i < a->rank && k < b->rank; i++, k++)
		if (a->dim[i] != b->dim[k])
			return 0;
	return i == a->rank && k == b->rank;
}

void mx_caffe_weights(struct mx_caffe_step *step, uint32_t index,
		      const struct mx_shape *want,
		      const struct mx_caffe_random *random,
		      struct mx_const *out)
{
	const struct mx_caffe *caffe = step->caffe;
	struct mx_blob blob;
	struct mx_shape have;
	size_t count;

	if (step->rc)
		return;
	if (mx_shape_count(want, &count) < 0) {
		mx_caffe_bad(step, "its weights are too many");
		return;
	}
	if (index >= step->blobs_used)
		step->blobs_used = index + 1;
	if (!caffe->model) {
		random_blob(step, index, count, random, &blob);
	} else {
		step->rc = mx_caffe_model_blob(caffe->model, step->layer->name,
					       index, caffe->graph, &blob,
					       &have, caffe->err);
		if (step->rc)
			return;
		if (!same_shape(&have, want)) {
			char a[MX_SHAPE_TEXT_BYTES], b[MX_SHAPE_TEXT_BYTES];

			mx_caffe_bad(step, "weights %u are %s, expected %s",
				     index, mx_shape_text(&have, a),
				     mx_shape_text(want, b));
			return;
		}
	}
	step->rc = mx_const_init(out, &blob, want, caffe->err);
}

double *mx_caffe_doubles(struct mx_caffe_step *step, size_t count)
{
	double *out = NULL;
	size_t bytes;

	if (step->rc)
		return NULL;
	if (mx_size_mul(count, sizeof(*out), &bytes) == 0)
		out = malloc(bytes);
	if (!out)
		step->rc = mx_fail(step->caffe->err, ENOMEM,
				   "layer %s: no memory for %zu values",
				   step->layer->name, count);
	return out;
}

double *mx_caffe_vector(struct mx_caffe_step *step, uint32_t index,
			size_t count, const struct mx_caffe_random *random)
{
	const struct mx_shape want = {.rank = 1, .dim = {count}};
	struct mx_const values;
	double *out;

	mx_caffe_weights(step, index, &want, random, &values);
	if (step->rc)
		return NULL;
	out = mx_caffe_doubles(step, count);
	if (out)
		mx_const_read_f64(&values, 0, count, out);
	return out;
}
