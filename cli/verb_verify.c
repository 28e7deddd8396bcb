/*
 * memexec verify: is a model directory whole, and does it compute what it
 * should?
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/file.h"
#include "cli/number.h"
#include "cli/open.h"
#include "cli/progress.h"
#include "cli/reference.h"
#include "cli/session.h"
#include "loader/mxload.h"

enum verify_key {
	KEY_QUICK = 0x100,
	KEY_INPUT,
	KEY_OUTPUT,
	KEY_RTOL,
	KEY_ATOL,
	KEY_EXACT,
};

struct verify_args {
	struct mx_cli *cli;
	int quick;
	struct mx_reference reference;
};

static const struct argp_option verify_options[] = {
	{"quick", KEY_QUICK, NULL, 0, "Read no weights", 0},
	{"input", KEY_INPUT, "FILE.npy|DIR", 0,
	 "Reference input, one for each in order; or an ONNX test_data_set_N "
	 "directory",
	 0},
	{"output", KEY_OUTPUT, "FILE.npy", 0,
	 "Output wanted for it, one for each in order", 0},
	{"rtol", KEY_RTOL, "VALUE", 0, "Relative tolerance (1e-3)", 0},
	{"atol", KEY_ATOL, "VALUE", 0, "Absolute tolerance (1e-4)", 0},
	{"exact", KEY_EXACT, NULL, 0,
	 "Sum as the definition says, without quicker ways that round more", 0},
	MX_CLI_OPTIONS,
};

static error_t parse_tolerance(struct verify_args *args, const char *option,
			       const char *arg, double *out)
{
	if (!mx_parse_float(arg, out) && *out >= 0)
		return 0;
	(void)mx_fail(&args->cli->err, EINVAL,
		      "verify: %s=%s: must be a number, 0 or more", option,
		      arg);
	return EINVAL;
}

static error_t add_path(struct verify_args *args, const char **paths,
			size_t *count, const char *path)
{
	if (*count == MX_REFERENCE_PATHS_MAX) {
		(void)mx_fail(&args->cli->err, EINVAL,
			      "verify: %s: too many files", path);
		return EINVAL;
	}
	paths[(*count)++] = path;
	return 0;
}

static error_t check_arguments(struct verify_args *args)
{
	const struct mx_reference *reference = &args->reference;

	if (!reference->input_count && !reference->output_count)
		return 0;
	if (args->cli->arg_count == 1 && reference->input_count &&
	    (reference->output_count ||
	     mx_file_is_directory(reference->inputs[0])))
		return 0;
	(void)mx_fail(&args->cli->err, EINVAL,
		      "verify: a numeric check takes one model directory, "
		      "--input and --output");
	return EINVAL;
}

static error_t parse_verify(int key, char *arg, struct argp_state *state)
{
	struct verify_args *args = state->input;
	struct mx_reference *reference = &args->reference;

	switch (key) {
	case KEY_QUICK:
		args->quick = 1;
		return 0;
	case KEY_INPUT:
		return add_path(args, reference->inputs,
				&reference->input_count, arg);
	case KEY_OUTPUT:
		return add_path(args, reference->outputs,
				&reference->output_count, arg);
	case KEY_RTOL:
		return parse_tolerance(args, "--rtol", arg, &reference->rtol);
	case KEY_ATOL:
		return parse_tolerance(args, "--atol", arg, &reference->atol);
	case KEY_EXACT:
		reference->flags |= MX_SESSION_EXACT;
		return 0;
	case ARGP_KEY_SUCCESS:
		return check_arguments(args);
	default:
		return mx_cli_option(args->cli, key, state);
	}
}

static const struct argp verify_argp = {
	.options = verify_options,
	.parser = parse_verify,
	.args_doc = "DIR...",
	.doc = "Check structure, bounds, sizes and hashes of model "
	       "directories, and, given reference tensors, what they compute.",
};

static int check_hashes(const struct verify_args *args, const char *directory,
			struct mx_model *model)
{
	struct mx_err *err = &args->cli->err;
	struct mx_progress progress;
	struct mx_verify_opts opts = {
		.log = &args->cli->log,
		.progress = mx_progress_update,
		.user = &progress,
	};
	uint32_t bad_count = 0;
	int rc;

	mx_progress_init(&progress, "verify", args->cli->verbosity < 0);
	rc = mx_model_verify(model, &opts, &bad_count, err);
	mx_progress_end(&progress);
	if (!rc && bad_count)
		rc = mx_fail(err, EBADMSG,
			     "%s: corrupt slices in weights.bin: %" PRIu32
			     " of %" PRIu32 ": import it again",
			     directory, bad_count,
			     mx_model_network(model)->slice_count);
	return rc;
}

static int verify_one(const struct verify_args *args, const char *directory)
{
	const struct mx_network *net;
	char text[MX_TEXT_BYTES];
	struct mx_model *model;
	int rc;

	rc = mx_open_bound(&model, directory, &args->cli->err);
	if (rc)
		return rc;
	net = mx_model_network(model);
	if (!args->quick)
		rc = check_hashes(args, directory, model);
	if (!rc)
		printf("%s: %" PRIu32 " layers, %" PRIu32 " slices, %s: %s\n",
		       directory, net->layer_count, net->slice_count,
		       mx_text_bytes(net->weights_file_bytes, text),
		       args->quick ? "structure good" : "good");
	mx_model_close(model);
	return rc;
}

static int verb_verify(struct mx_cli *cli, int argc, char **argv)
{
	struct verify_args args = {
		.cli = cli,
		.reference = {.rtol = 1e-3, .atol = 1e-4},
	};
	size_t i;
	int rc;

	rc = mx_cli_parse(cli, &verify_argp, argc, argv, &args);
	if (rc)
		return rc < 0 ? rc : 0;
	mx_cli_hold_signals();
	for (i = 0; !rc && i < args.cli->arg_count; i++)
		rc = verify_one(&args, args.cli->args[i]);
	if (!rc && args.reference.input_count)
		rc = mx_reference_check(&args.reference, args.cli->args[0],
					&cli->log, &cli->err);
	return rc;
}

const struct mx_verb mx_verb_verify = {
	.name = "verify",
	.summary = "check a model directory, and what it computes",
	.run = verb_verify,
};
