#include "loader/import/caffe_net.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"

#define DIM_MAX INT32_MAX

static const struct {
	const char *v1;
	const char *number; /* of V1LayerParameter.LayerType */
	const char *v2;
} v1_types[] = {
	{"ABSVAL", "35", "AbsVal"},
	{"ACCURACY", "1", "Accuracy"},
	{"ARGMAX", "30", "ArgMax"},
	{"BNLL", "2", "BNLL"},
	{"CONCAT", "3", "Concat"},
	{"CONTRASTIVE_LOSS", "37", "ContrastiveLoss"},
	{"CONVOLUTION", "4", "Convolution"},
	{"DATA", "5", "Data"},
	{"DECONVOLUTION", "39", "Deconvolution"},
	{"DROPOUT", "6", "Dropout"},
	{"DUMMY_DATA", "32", "DummyData"},
	{"ELTWISE", "25", "Eltwise"},
	{"EUCLIDEAN_LOSS", "7", "EuclideanLoss"},
	{"EXP", "38", "Exp"},
	{"FLATTEN", "8", "Flatten"},
	{"HDF5_DATA", "9", "HDF5Data"},
	{"HDF5_OUTPUT", "10", "HDF5Output"},
	{"HINGE_LOSS", "28", "HingeLoss"},
	{"IM2COL", "11", "Im2col"},
	{"IMAGE_DATA", "12", "ImageData"},
	{"INFOGAIN_LOSS", "13", "InfogainLoss"},
	{"INNER_PRODUCT", "14", "InnerProduct"},
	{"LRN", "15", "LRN"},
	{"MEMORY_DATA", "29", "MemoryData"},
	{"MULTINOMIAL_LOGISTIC_LOSS", "16", "MultinomialLogisticLoss"},
	{"MVN", "34", "MVN"},
	{"POOLING", "17", "Pooling"},
	{"POWER", "26", "Power"},
	{"RELU", "18", "ReLU"},
	{"SIGMOID", "19", "Sigmoid"},
	{"SIGMOID_CROSS_ENTROPY_LOSS", "27", "SigmoidCrossEntropyLoss"},
	{"SILENCE", "36", "Silence"},
	{"SLICE", "33", "Slice"},
	{"SOFTMAX", "20", "Softmax"},
	{"SOFTMAX_LOSS", "21", "SoftmaxWithLoss"},
	{"SPLIT", "22", "Split"},
	{"TANH", "23", "TanH"},
	{"THRESHOLD", "31", "Threshold"},
	{"WINDOW_DATA", "24", "WindowData"},
};

const char *mx_caffe_v1_type(const char *text)
{
	size_t i;

	for (i = 0; i < sizeof(v1_types) / sizeof(v1_types[0]); i++)
		if (strcmp(v1_types[i].v1, text) == 0 ||
		    strcmp(v1_types[i].number, text) == 0)
			return v1_types[i].v2;
	return NULL;
}

/* --- phase, level, stage ------------------------------------------------ */

/* What a TEST net is, from the net's own `state` but for the phase. */
struct state {
	const struct mx_prototxt_field *message; /* NULL: level 0, no stages */
	int64_t level;
};

static int has_stage(const struct mx_prototxt *tree, const struct state *state,
		     const char *stage)
{
	const struct mx_prototxt_field *f;

	if (!state->message)
		return 0;
	f = mx_prototxt_find(tree, state->message, "stage");
	for (; f; f = mx_prototxt_again(tree, f))
		if (f->kind == MX_PROTOTXT_STRING &&
		    strcmp(f->text, stage) == 0)
			return 1;
	return 0;
}

/* 1 if @field is the TEST phase, 0 if TRAIN, -EBADMSG else. */
static int is_test(const struct mx_prototxt *tree,
		   const struct mx_prototxt_field *field, struct mx_err *err)
{
	if (field->text) {
		if (!strcmp(field->text, "TEST") || !strcmp(field->text, "1"))
			return 1;
		if (!strcmp(field->text, "TRAIN") || !strcmp(field->text, "0"))
			return 0;
	}
	return mx_prototxt_fail(tree, field, err,
				"phase: expected TRAIN or TEST");
}

/* 1 if all conditions of the NetStateRule @rule hold, 0 if not, or -errno. */
static int rule_holds(const struct mx_prototxt *tree, const struct state *state,
		      const struct mx_prototxt_field *rule, struct mx_err *err)
{
	const struct mx_prototxt_field *f;
	const char *stage;
	int holds = 1, rc;
	int64_t level;

	for (f = mx_prototxt_first(tree, rule); f;
	     f = mx_prototxt_next(tree, f)) {
		if (!strcmp(f->name, "phase")) {
			rc = is_test(tree, f, err);
			if (rc < 0)
				return rc;
			holds &= rc;
		} else if (!strcmp(f->name, "min_level") ||
			   !strcmp(f->name, "max_level")) {
			rc = mx_prototxt_int(tree, f, INT32_MIN, INT32_MAX,
					     &level, err);
			if (rc < 0)
				return rc;
			holds &= f->name[1] == 'i' ? state->level >= level
						   : state->level <= level;
		} else if (!strcmp(f->name, "stage") ||
			   !strcmp(f->name, "not_stage")) {
			rc = mx_prototxt_string(tree, f, &stage, err);
			if (rc < 0)
				return rc;
			holds &= has_stage(tree, state, stage) ==
				 (f->name[0] == 's');
		} else {
			return mx_prototxt_fail(tree, f, err,
						"%s: no condition of a rule",
						f->name);
		}
	}
	return holds;
}

/* 1 if the layer is in a TEST net, 0 if not, or -errno. */
static int is_included(const struct mx_prototxt *tree,
		       const struct state *state,
		       const struct mx_prototxt_field *layer,
		       struct mx_err *err)
{
	const struct mx_prototxt_field *f;
	int included = 1, rc;

	f = mx_prototxt_find(tree, layer, "include");
	if (f) {
		for (included = 0; f; f = mx_prototxt_again(tree, f)) {
			rc = rule_holds(tree, state, f, err);
			if (rc < 0)
				return rc;
			included |= rc;
		}
	}
	f = mx_prototxt_find(tree, layer, "exclude");
	for (; f; f = mx_prototxt_again(tree, f)) {
		rc = rule_holds(tree, state, f, err);
		if (rc < 0)
			return rc;
		included &= !rc;
	}
	return included;
}

/* --- layers ------------------------------------------------------------- */

static int read_type(const struct mx_prototxt *tree,
		     const struct mx_prototxt_field *message, int is_v1,
		     const char **type, struct mx_err *err)
{
	const struct mx_prototxt_field *f;

	f = mx_prototxt_find(tree, message, "type");
	if (!f)
		return mx_prototxt_fail(tree, message, err,
					"the layer has no type");
	if (!is_v1)
		return mx_prototxt_string(tree, f, type, err);
	if (f->kind == MX_PROTOTXT_MESSAGE)
		return mx_prototxt_fail(tree, f, err, "type: expected a word");
	*type = mx_caffe_v1_type(f->text);
	/* An unknown one is reported with the other unsupported ones. */
	if (!*type)
		*type = f->text;
	return 0;
}

/* The strings of @message called @name to *@at, which moves on. */
static int read_strings(const struct mx_prototxt *tree,
			const struct mx_prototxt_field *message,
			const char *name,
			const struct mx_prototxt_field ***list, uint32_t *count,
			const struct mx_prototxt_field ***at,
			struct mx_err *err)
{
	const struct mx_prototxt_field *f;
	const char *text;
	int rc;

	*list = *at;
	f = mx_prototxt_find(tree, message, name);
	for (; f; f = mx_prototxt_again(tree, f)) {
		rc = mx_prototxt_string(tree, f, &text, err);
		if (rc < 0)
			return rc;
		*(*at)++ = f;
		(*count)++;
	}
	return 0;
}

static int read_layer(struct mx_caffe_net *net, const struct state *state,
		      const struct mx_prototxt_field *message,
		      const struct mx_prototxt_field ***at, struct mx_err *err)
{
	const struct mx_prototxt *tree = net->tree;
	struct mx_caffe_layer *layer = &net->layers[net->layer_count];
	const struct mx_prototxt_field *f;
	int rc;

	if (message->kind != MX_PROTOTXT_MESSAGE)
		return mx_prototxt_fail(tree, message, err,
					"%s: expected a message",
					message->name);
	rc = is_included(tree, state, message, err);
	if (rc <= 0)
		return rc;
	*layer = (struct mx_caffe_layer){.field = message, .name = ""};
	f = mx_prototxt_find(tree, message, "name");
	if (f) {
		rc = mx_prototxt_string(tree, f, &layer->name, err);
		if (rc < 0)
			return rc;
	}
	rc = read_type(tree, message, message->name[5] == 's', &layer->type,
		       err);
	if (rc < 0)
		return rc;
	rc = read_strings(tree, message, "bottom", &layer->bottoms,
			  &layer->bottom_count, at, err);
	if (rc < 0)
		return rc;
	rc = read_strings(tree, message, "top", &layer->tops, &layer->top_count,
			  at, err);
	if (rc < 0)
		return rc;
	net->layer_count++;
	return 0;
}

static int is_layer(const struct mx_prototxt_field *field)
{
	return !strcmp(field->name, "layer") || !strcmp(field->name, "layers");
}

static int read_layers(struct mx_caffe_net *net, struct mx_err *err)
{
	const struct mx_prototxt *tree = net->tree;
	const struct mx_prototxt_field *f;
	const struct mx_prototxt_field **at = net->pool;
	struct state state = {0};
	int rc;

	state.message = mx_prototxt_find(tree, tree->fields, "state");
	f = state.message ? mx_prototxt_find(tree, state.message, "level")
			  : NULL;
	if (f) {
		rc = mx_prototxt_int(tree, f, INT32_MIN, INT32_MAX,
				     &state.level, err);
		if (rc < 0)
			return rc;
	}
	for (f = mx_prototxt_first(tree, tree->fields); f;
	     f = mx_prototxt_next(tree, f)) {
		if (!is_layer(f))
			continue;
		rc = read_layer(net, &state, f, &at, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* --- inputs ------------------------------------------------------------- */

static int append_dim(const struct mx_prototxt *tree,
		      const struct mx_prototxt_field *field,
		      struct mx_shape *shape, struct mx_err *err)
{
	int64_t dim;
	int rc;

	if (shape->rank == MX_RANK_MAX)
		return mx_prototxt_fail(tree, field, err,
					"more than %d dimensions", MX_RANK_MAX);
	rc = mx_prototxt_int(tree, field, 1, DIM_MAX, &dim, err);
	if (rc < 0)
		return rc;
	shape->dim[shape->rank++] = (size_t)dim;
	if (mx_shape_count(shape, &(size_t){0}) < 0)
		return mx_prototxt_fail(tree, field, err,
					"the shape is too big");
	return 0;
}

int mx_caffe_shape_read(const struct mx_prototxt *tree,
			const struct mx_prototxt_field *message,
			struct mx_shape *shape, struct mx_err *err)
{
	const struct mx_prototxt_field *f;
	int rc;

	*shape = (struct mx_shape){0};
	if (message->kind != MX_PROTOTXT_MESSAGE)
		return mx_prototxt_fail(tree, message, err,
					"%s: expected { dim: ... }",
					message->name);
	f = mx_prototxt_find(tree, message, "dim");
	for (; f; f = mx_prototxt_again(tree, f)) {
		rc = append_dim(tree, f, shape, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* input_dim: four for each input, in order. */
static int read_input_dims(struct mx_caffe_net *net, struct mx_err *err)
{
	const struct mx_prototxt *tree = net->tree;
	const struct mx_prototxt_field *f;
	uint32_t i = 0;
	int rc;

	f = mx_prototxt_find(tree, tree->fields, "input_dim");
	if (f && net->input_count == 1) {
		/* One input may have any rank. */
		net->inputs[0].has_shape = 1;
		for (; f; f = mx_prototxt_again(tree, f)) {
			rc = append_dim(tree, f, &net->inputs[0].shape, err);
			if (rc < 0)
				return rc;
		}
		return 0;
	}
	for (; f; f = mx_prototxt_again(tree, f), i++) {
		if (i / 4 >= net->input_count)
			return mx_prototxt_fail(
				tree, f, err,
				"more than 4 input_dim for each input");
		rc = append_dim(tree, f, &net->inputs[i / 4].shape, err);
		if (rc < 0)
			return rc;
		net->inputs[i / 4].has_shape = i % 4 == 3;
	}
	if (i % 4)
		return mx_prototxt_fail(tree, net->inputs[i / 4].field, err,
					"%s has %u input_dim, not 4",
					net->inputs[i / 4].field->text, i % 4);
	return 0;
}

static int read_inputs(struct mx_caffe_net *net, struct mx_err *err)
{
	const struct mx_prototxt *tree = net->tree;
	const struct mx_prototxt_field *f;
	const char *text;
	uint32_t i = 0;
	int rc;

	f = mx_prototxt_find(tree, tree->fields, "input");
	for (; f; f = mx_prototxt_again(tree, f)) {
		rc = mx_prototxt_string(tree, f, &text, err);
		if (rc < 0)
			return rc;
		net->inputs[net->input_count++].field = f;
	}
	f = mx_prototxt_find(tree, tree->fields, "input_shape");
	for (; f; f = mx_prototxt_again(tree, f), i++) {
		if (i == net->input_count)
			return mx_prototxt_fail(tree, f, err,
						"more input_shape than inputs");
		rc = mx_caffe_shape_read(tree, f, &net->inputs[i].shape, err);
		if (rc < 0)
			return rc;
		net->inputs[i].has_shape = 1;
	}
	return i ? 0 : read_input_dims(net, err);
}

int mx_caffe_net_read(struct mx_caffe_net *net, struct mx_prototxt *tree,
		      struct mx_err *err)
{
	const struct mx_prototxt_field *f;
	uint32_t layers = 1, inputs = 1;
	int rc;

	*net = (struct mx_caffe_net){.tree = tree, .name = ""};
	for (f = mx_prototxt_first(tree, tree->fields); f;
	     f = mx_prototxt_next(tree, f)) {
		layers += (uint32_t)is_layer(f);
		inputs += (uint32_t)(strcmp(f->name, "input") == 0);
	}
	net->layers = calloc(layers, sizeof(*net->layers));
	net->inputs = calloc(inputs, sizeof(*net->inputs));
	net->pool = calloc(tree->count, sizeof(struct mx_prototxt_field *));
	if (!net->layers || !net->inputs || !net->pool)
		return mx_fail_errno(err, "read %s", tree->path);
	f = mx_prototxt_find(tree, tree->fields, "name");
	if (f) {
		rc = mx_prototxt_string(tree, f, &net->name, err);
		if (rc < 0)
			return rc;
	}
	rc = read_inputs(net, err);
	if (rc < 0)
		return rc;
	return read_layers(net, err);
}

void mx_caffe_net_fini(struct mx_caffe_net *net)
{
	free(net->layers);
	free(net->inputs);
	free(net->pool);
	*net = (struct mx_caffe_net){0};
}
