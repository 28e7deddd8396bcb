/*
 * memexec: a table of verbs, the options that stand before one, and the one
 * place where an error is printed.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/version.h"
#include "pager/sigbus.h"

static const struct mx_verb *const verbs[] = {
	&mx_verb_import, &mx_verb_inspect, &mx_verb_verify, &mx_verb_profile,
	&mx_verb_plan,	 &mx_verb_run,	   &mx_verb_queue,  &mx_verb_bench,
};

#define VERB_COUNT (sizeof(verbs) / sizeof(verbs[0]))

struct top_args {
	struct mx_cli *cli;
	int version;
	int help;
	int verb_index; /* in argv; 0: none */
};

static const struct argp_option top_options[] = {
	{"version", 'V', NULL, 0, NULL, 0}, {"help", 'h', NULL, 0, NULL, 0},
	{"quiet", 'q', NULL, 0, NULL, 0},   {"verbose", 'v', NULL, 0, NULL, 0},
	{NULL, 0, NULL, 0, NULL, 0},
};

static error_t parse_top(int key, char *arg, struct argp_state *state)
{
	struct top_args *args = state->input;

	switch (key) {
	case 'V':
		args->version = 1;
		return 0;
	case 'h':
		args->help = 1;
		return 0;
	case ARGP_KEY_ARG:
		(void)arg;
		args->verb_index = state->next - 1;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		return 0; /* --version, say; else run() asks for a verb */
	case ARGP_KEY_ERROR:
		(void)mx_fail(&args->cli->err, EINVAL,
			      "%s is no option: see memexec --help",
			      state->argv[state->next - 1]);
		return 0;
	default:
		return mx_cli_option(args->cli, key, state);
	}
}

static void print_help(void)
{
	size_t i;

	printf("Usage: memexec [--help|--version] [-q|-v] VERB [OPTIONS] "
	       "ARGS\n\n"
	       "Runs several deep neural networks within a memory budget.\n\n");
	for (i = 0; i < VERB_COUNT; i++)
		printf("  %-8s %s\n", verbs[i]->name, verbs[i]->summary);
	printf("\nmemexec VERB --help has a verb's options. "
	       "Exit status: 0 done, 1 negative answer,\n"
	       "2 usage, 3 model invalid or unsupported, 4 budget too small, "
	       "5 I/O error,\n6 required feature missing, 8 timeout, 128+N "
	       "ended by signal N.\n");
}

static int run_verb(struct mx_cli *cli, int argc, char **argv)
{
	size_t i;

	for (i = 0; i < VERB_COUNT; i++)
		if (!strcmp(verbs[i]->name, argv[0]))
			return verbs[i]->run(cli, argc, argv);
	return mx_fail(&cli->err, EINVAL, "%s is no verb: see memexec --help",
		       argv[0]);
}

static int run(struct mx_cli *cli, int argc, char **argv)
{
	static const struct argp argp = {
		.options = top_options,
		.parser = parse_top,
	};
	struct top_args args = {.cli = cli};
	error_t rc;

	rc = argp_parse(&argp, argc, argv,
			ARGP_NO_ERRS | ARGP_NO_EXIT | ARGP_NO_HELP |
				ARGP_IN_ORDER,
			NULL, &args);
	if (rc)
		return -EINVAL;
	if (args.help) {
		print_help();
		return 0;
	}
	if (args.version)
		return mx_version_print(cli->verbosity > 0, &cli->err);
	if (!args.verb_index)
		return mx_fail(&cli->err, EINVAL,
			       "no verb given: see memexec --help");
	return run_verb(cli, argc - args.verb_index, argv + args.verb_index);
}

/* A standard stream that is closed must not become the next file that is
 * opened. What is written to this output fails, and is told at the end. */
static void occupy_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		(void)close(fd);
}

int main(int argc, char **argv)
{
	struct mx_cli cli = {.verbosity = 0};
	int rc;

	occupy_streams();
	mx_cli_init_log(&cli);
	/* A weights file that is cut while it is mapped is to be an error with
	 * an exit status. Should the signal not be had, it stays a signal. */
	(void)mx_sigbus_install(NULL);
	rc = run(&cli, argc, argv);
	if ((fflush(stdout) || ferror(stdout)) && rc >= 0)
		rc = mx_fail(&cli.err, EIO, "standard output: cannot write");
	if (rc < 0)
		mx_cli_report(&cli);
	return mx_cli_exit_status(rc);
}
