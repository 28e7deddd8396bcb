/*
 * memexec import: a Caffe or ONNX network, or a reference network directory,
 * becomes a model directory.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/description.h"
#include "cli/file.h"
#include "cli/number.h"
#include "cli/progress.h"
#include "loader/import/import.h"
#include "loader/write.h"

#define SHAPES_MAX 16
#define OUTPUTS_MAX 256
#define SIDE_MAX 65536u
#define HEAD_BYTES 256

enum import_key {
	KEY_SHAPE = 0x100,
	KEY_OUTPUTS,
	KEY_KEEP_BATCH,
	KEY_MEAN,
	KEY_SCALE,
	KEY_STD,
	KEY_CHANNELS,
	KEY_RESIZE,
	KEY_LABELS,
	KEY_RANDOM,
	KEY_SLICE,
	KEY_FORCE,
};

struct import_args {
	struct mx_cli *cli;
	struct mx_import_opts opts;
	struct mx_preprocess preprocess;
	struct mx_import_shape shapes[SHAPES_MAX];
	const char *outputs[OUTPUTS_MAX];
	const char *mean;
	int has_channels;
	const char *labels_path;
	char **labels;
	size_t label_count;
	char *target; /* made from the source's name */
	struct mx_description description;
};

static const struct argp_option import_options[] = {
	{"output", 'o', "DIR", 0, "The model directory to make (NAME.mx)", 0},
	{"input-shape", KEY_SHAPE, "[NAME:]N,C,H,W", 0,
	 "Shape of an input; repeatable", 0},
	{"outputs", KEY_OUTPUTS, "A,B", 0,
	 "Blobs or layers that are the outputs, in this order", 0},
	{"keep-batch", KEY_KEEP_BATCH, NULL, 0, "Keep the batch (else N = 1)",
	 0},
	{"mean", KEY_MEAN, "VALUES|FILE", 0,
	 "Mean of each channel, or a binaryproto", 0},
	{"scale", KEY_SCALE, "VALUE", 0, "Pixels less the mean times this", 0},
	{"std", KEY_STD, "VALUES", 0, "... and divided by this", 0},
	{"channels", KEY_CHANNELS, "bgr|rgb|gray", 0,
	 "Order of channels (Caffe: bgr, ONNX: rgb)", 0},
	{"resize", KEY_RESIZE, "stretch|crop:N|letterbox", 0,
	 "How pictures get the input's size (stretch)", 0},
	{"labels", KEY_LABELS, "FILE", 0, "A label a line", 0},
	{"random-weights", KEY_RANDOM, "SEED", OPTION_ARG_OPTIONAL,
	 "Deterministic weights, for experiments (1)", 0},
	{"slice", KEY_SLICE, "SIZE", 0, "Size of a slice (1M; 256K to 4M)", 0},
	{"force", KEY_FORCE, NULL, 0, "Replace a model directory", 0},
	MX_CLI_OPTIONS,
};

static error_t refuse(struct import_args *args, const char *option,
		      const char *arg, const char *want)
{
	(void)mx_fail(&args->cli->err, EINVAL, "import: --%s=%s: must be %s",
		      option, arg, want);
	return EINVAL;
}

/* [NAME:]N,C,H,W; a name may have colons itself. */
static error_t parse_shape(struct import_args *args, char *arg)
{
	struct mx_import_shape *item;
	uint64_t value;
	char *text = arg, *colon, *dim;
	char shape[MX_SHAPE_TEXT_BYTES];
	size_t elems;

	if (args->opts.shape_count == SHAPES_MAX)
		return refuse(args, "input-shape", arg, "given less often");
	item = &args->shapes[args->opts.shape_count];
	colon = strrchr(arg, ':');
	if (colon) {
		*colon = '\0';
		item->name = arg;
		text = colon + 1;
	}
	item->shape.rank = 0;
	while ((dim = strsep(&text, ","))) {
		if (item->shape.rank == MX_RANK_MAX ||
		    mx_parse_count(dim, MX_ELEMS_MAX, &value) || !value) {
			(void)mx_fail(&args->cli->err, EINVAL,
				      "import: --input-shape: '%s': must be "
				      "[NAME:]N,C,H,W",
				      dim);
			return EINVAL;
		}
		item->shape.dim[item->shape.rank++] = (size_t)value;
	}
	if (mx_shape_count(&item->shape, &elems))
		return refuse(args, "input-shape",
			      mx_shape_text(&item->shape, shape), "smaller");
	args->opts.shape_count++;
	return 0;
}

static error_t parse_outputs(struct import_args *args, char *arg)
{
	char *name;

	while ((name = strsep(&arg, ","))) {
		if (!*name || args->opts.output_count == OUTPUTS_MAX)
			return refuse(args, "outputs", name, "names");
		args->outputs[args->opts.output_count++] = name;
	}
	return 0;
}

/* One value stands for every channel. */
static void spread(float values[4], size_t count)
{
	size_t i;

	for (i = count; i < 4; i++)
		values[i] = count == 1 ? values[0] : values[i];
}

/* Numbers, or else a file. */
static int take_mean(struct import_args *args, struct mx_err *err)
{
	float *mean = args->preprocess.mean;
	size_t count;
	int rc = 0;

	if (!args->mean)
		return 0;
	if (mx_parse_floats(args->mean, mean, 4, &count))
		rc = mx_caffe_mean(args->mean, mean, &count, err);
	if (!rc)
		spread(mean, count);
	return rc;
}

static error_t parse_std(struct import_args *args, const char *arg)
{
	float *std = args->preprocess.std;
	size_t count, i;

	if (mx_parse_floats(arg, std, 4, &count))
		return refuse(args, "std", arg, "a number for each channel");
	for (i = 0; i < count; i++)
		if (!(std[i] > 0))
			return refuse(args, "std", arg, "above 0");
	spread(std, count);
	return 0;
}

static error_t parse_scale(struct import_args *args, const char *arg)
{
	double value;

	if (mx_parse_float(arg, &value))
		return refuse(args, "scale", arg, "a number");
	args->preprocess.scale = (float)value;
	return 0;
}

static error_t parse_channels(struct import_args *args, const char *arg)
{
	static const char *const names[] = {"bgr", "rgb", "gray"};
	size_t i;

	for (i = 0; i < 3; i++) {
		if (strcmp(arg, names[i]))
			continue;
		args->preprocess.channels = (enum mx_channel_order)i;
		args->has_channels = 1;
		return 0;
	}
	return refuse(args, "channels", arg, "bgr, rgb or gray");
}

static error_t parse_resize(struct import_args *args, const char *arg)
{
	uint64_t side;

	if (!strcmp(arg, "stretch")) {
		args->preprocess.resize = MX_RESIZE_STRETCH;
	} else if (!strcmp(arg, "letterbox")) {
		args->preprocess.resize = MX_RESIZE_LETTERBOX;
	} else if (!strncmp(arg, "crop:", 5) &&
		   !mx_parse_count(arg + 5, SIDE_MAX, &side) && side) {
		args->preprocess.resize = MX_RESIZE_CROP;
		args->preprocess.crop_size = (uint32_t)side;
	} else {
		return refuse(args, "resize", arg,
			      "stretch, crop:N or letterbox");
	}
	return 0;
}

static error_t parse_slice(struct import_args *args, const char *arg)
{
	if (mx_parse_size(arg, &args->opts.slice_bytes) ||
	    args->opts.slice_bytes < MX_SLICE_BYTES_MIN ||
	    args->opts.slice_bytes > MX_SLICE_BYTES_MAX)
		return refuse(args, "slice", arg, "256K to 4M");
	return 0;
}

static error_t parse_random(struct import_args *args, const char *arg)
{
	args->opts.random_weights = 1;
	if (arg && mx_parse_count(arg, UINT64_MAX, &args->opts.seed))
		return refuse(args, "random-weights", arg, "a number");
	return 0;
}

static error_t parse_argument(struct import_args *args, const char *arg,
			      unsigned number)
{
	if (number == 0)
		args->opts.source = arg;
	else if (number == 1)
		args->opts.weights = arg;
	else
		(void)mx_fail(&args->cli->err, EINVAL,
			      "import: %s: more than SRC and WEIGHTS", arg);
	return number < 2 ? 0 : EINVAL;
}

static error_t parse_import(int key, char *arg, struct argp_state *state)
{
	struct import_args *args = state->input;

	switch (key) {
	case 'o':
		args->opts.output = arg;
		return 0;
	case KEY_SHAPE:
		return parse_shape(args, arg);
	case KEY_OUTPUTS:
		return parse_outputs(args, arg);
	case KEY_KEEP_BATCH:
		args->opts.keep_batch = 1;
		return 0;
	case KEY_MEAN:
		args->mean = arg;
		return 0;
	case KEY_SCALE:
		return parse_scale(args, arg);
	case KEY_STD:
		return parse_std(args, arg);
	case KEY_CHANNELS:
		return parse_channels(args, arg);
	case KEY_RESIZE:
		return parse_resize(args, arg);
	case KEY_LABELS:
		args->labels_path = arg;
		return 0;
	case KEY_RANDOM:
		return parse_random(args, arg);
	case KEY_SLICE:
		return parse_slice(args, arg);
	case KEY_FORCE:
		args->opts.force = 1;
		return 0;
	case ARGP_KEY_ARG:
		return parse_argument(args, arg, state->arg_num);
	case ARGP_KEY_NO_ARGS:
		(void)mx_fail(&args->cli->err, EINVAL,
			      "import: no source given");
		return EINVAL;
	default:
		return mx_cli_option(args->cli, key, state);
	}
}

static const struct argp import_argp = {
	.options = import_options,
	.parser = parse_import,
	.args_doc = "SRC [WEIGHTS]",
	.doc = "Make a model directory from deploy.prototxt and "
	       "net.caffemodel, from an ONNX file, or from a directory with "
	       "a description.yaml.",
};

/* A reference network directory: its files, mean and labels, where the
 * command line does not say otherwise. */
static int use_description(struct import_args *args, struct mx_err *err)
{
	struct mx_description *description = &args->description;
	const char *directory = args->opts.source;
	int rc;

	rc = mx_description_read(description, directory, err);
	if (rc)
		return rc;
	if (args->opts.weights)
		return mx_fail(err, EINVAL,
			       "import: %s: the directory names its weights "
			       "itself",
			       args->opts.weights);
	args->opts.source = description->network_path;
	args->opts.weights = description->weights_path;
	if (!args->opts.random_weights &&
	    (!description->weights_path ||
	     !mx_file_exists(description->weights_path)))
		return mx_fail(err, ENOENT,
			       "%s: its weights %s are not there: "
			       "--random-weights makes some",
			       directory,
			       description->weights_path
				       ? description->weights_path
				       : "(model-file)");
	if (!args->mean) {
		memcpy(args->preprocess.mean, description->mean,
		       sizeof(description->mean));
		spread(args->preprocess.mean, description->mean_count);
	}
	if (!args->has_channels)
		args->preprocess.channels = MX_CHANNELS_BGR;
	args->has_channels = 1;
	if (description->uses_scales)
		mx_log(&args->cli->log, MX_LOG_INFO,
		       "%s: use-scales: imported at the prototxt's size alone",
		       directory);
	if (args->opts.output)
		return 0;
	args->target = mx_file_stem(
		description->name ? description->name : directory, "");
	return args->target ? 0 : mx_fail(err, ENOMEM, "import: no memory");
}

static int name_target(struct import_args *args, struct mx_err *err)
{
	char *stem;

	if (args->opts.output)
		return 0;
	stem = args->target ? args->target
			    : mx_file_stem(args->opts.source, NULL);
	args->target = NULL;
	if (!stem || asprintf(&args->target, "%s.mx", stem) < 0) {
		args->target = NULL;
		free(stem);
		return mx_fail(err, ENOMEM, "import: no memory");
	}
	free(stem);
	args->opts.output = args->target;
	return 0;
}

/* Caffe's networks are text and want blue first, ONNX's are binary and want
 * red first; those who trained them otherwise say --channels. */
static enum mx_channel_order usual_order(const char *source)
{
	unsigned char head[HEAD_BYTES];
	FILE *file = fopen(source, "rbe");
	size_t count, i;

	if (!file)
		return MX_CHANNELS_BGR;
	count = fread(head, 1, sizeof(head), file);
	(void)fclose(file);
	for (i = 0; i < count; i++)
		if (head[i] < '\t' || (head[i] > '\r' && head[i] < ' '))
			return MX_CHANNELS_RGB;
	return MX_CHANNELS_BGR;
}

static int prepare(struct import_args *args, struct mx_err *err)
{
	int rc = 0;

	if (mx_file_is_directory(args->opts.source)) {
		if (!mx_description_is(args->opts.source))
			return mx_fail(err, EINVAL,
				       "%s: a directory without "
				       "description.yaml",
				       args->opts.source);
		rc = use_description(args, err);
	}
	if (!rc)
		rc = take_mean(args, err);
	if (!rc && !args->has_channels)
		args->preprocess.channels = usual_order(args->opts.source);
	if (!rc && args->opts.random_weights)
		args->opts.weights = NULL;
	if (!rc && args->labels_path)
		rc = mx_file_lines(args->labels_path, &args->labels,
				   &args->label_count, err);
	if (!rc)
		rc = name_target(args, err);
	return rc;
}

static int import(struct import_args *args, struct mx_err *err)
{
	struct mx_import_opts *opts = &args->opts;
	struct mx_progress progress;
	int rc;

	mx_progress_init(&progress, "import", args->cli->verbosity < 0);
	opts->shapes = args->shapes;
	opts->outputs = args->outputs;
	opts->preprocess = &args->preprocess;
	opts->labels = args->labels;
	opts->label_count = args->label_count;
	if (!opts->labels && args->description.labels) {
		opts->labels = args->description.labels;
		opts->label_count = args->description.label_count;
	}
	opts->log = &args->cli->log;
	opts->progress = mx_progress_update;
	opts->progress_user = &progress;
	mx_cli_hold_signals();
	rc = mx_import(opts, err);
	mx_progress_end(&progress);
	return rc;
}

static int verb_import(struct mx_cli *cli, int argc, char **argv)
{
	struct import_args args = {
		.cli = cli,
		.opts = {.seed = 1},
		.preprocess = {.scale = 1, .std = {1, 1, 1, 1}},
	};
	int rc;

	rc = mx_cli_parse(cli, &import_argp, argc, argv, &args);
	if (!rc) {
		rc = prepare(&args, &cli->err);
		if (!rc)
			rc = import(&args, &cli->err);
	}
	mx_description_fini(&args.description);
	mx_file_lines_free(args.labels, args.label_count);
	free(args.target);
	return rc < 0 ? rc : 0;
}

const struct mx_verb mx_verb_import = {
	.name = "import",
	.summary = "make a model directory from a Caffe or ONNX network",
	.run = verb_import,
};
