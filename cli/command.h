/*
 * Verbs: what main's table holds, what every verb shares (-q, -v, --help, the
 * one error line), and how a status becomes the program's exit status.
 */
#ifndef MX_CLI_COMMAND_H
#define MX_CLI_COMMAND_H

#include <argp.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/log.h"

/* Exit statuses that are no translated -errno. */
enum mx_exit {
	MX_EXIT_DONE = 0,
	MX_EXIT_NEGATIVE = 1, /* a verify mismatch, a regression */
	MX_EXIT_USAGE = 2,
	MX_EXIT_MODEL = 3,
	MX_EXIT_BUDGET = 4,
	MX_EXIT_IO = 5,
	MX_EXIT_MISSING = 6,
	MX_EXIT_TIMEOUT = 8,
	MX_EXIT_SIGNAL = 128,
};

/* One run of the program; main makes it, the verb gets it. */
struct mx_cli {
	int verbosity; /* -1 quiet, 0, 1 and more: -v */
	int helped; /* --help was given and answered */
	struct mx_log log; /* to standard error */
	struct mx_err err; /* why the verb failed */
	/* What a verb was given beside options, at least one; in argv. */
	char **args;
	size_t arg_count;
};

/*
 * A verb. @argv[0] is its name. Returns 0, an enum mx_exit, or -errno with
 * the message in cli->err.
 */
struct mx_verb {
	const char *name;
	const char *summary;
	int (*run)(struct mx_cli *cli, int argc, char **argv);
};

extern const struct mx_verb mx_verb_import;
extern const struct mx_verb mx_verb_inspect;
extern const struct mx_verb mx_verb_verify;
extern const struct mx_verb mx_verb_run;
extern const struct mx_verb mx_verb_queue;
extern const struct mx_verb mx_verb_bench;
extern const struct mx_verb mx_verb_plan;
extern const struct mx_verb mx_verb_profile;

/* The options that every verb has, for the end of its table. */
#define MX_CLI_OPTIONS                                                         \
	{"quiet", 'q', NULL, 0, "No progress, no warnings", -2},               \
		{"verbose", 'v', NULL, 0, "Say more; twice: everything", -2},  \
		{"help", 'h', NULL, 0, "Print this page", -2},                 \
	{                                                                      \
		NULL, 0, NULL, 0, NULL, 0                                      \
	}

/*
 * Handles them, argp's own events and, unless the verb takes its arguments one
 * by one, the model directories: a verb's parser ends with it.
 */
error_t mx_cli_option(struct mx_cli *cli, int key, struct argp_state *state);

/*
 * Parse a verb's arguments with @argp, whose parser gets @input. Long options
 * may be cut short as usual; errors are not printed but go to cli->err.
 *
 * Returns 0 to go on; 1 if --help was answered, so that the verb is done;
 * -EINVAL.
 */
int mx_cli_parse(struct mx_cli *cli, const struct argp *argp, int argc,
		 char **argv, void *input);

/* Set up the log according to the verbosity; again after it has changed. */
void mx_cli_init_log(struct mx_cli *cli);

/* 1 if @fd is a terminal. */
int mx_cli_is_terminal(int fd);

/* Print the one error line: "memexec: MESSAGE". */
void mx_cli_report(const struct mx_cli *cli);

/* The exit status for what a verb returned. */
int mx_cli_exit_status(int rc);

/*
 * From now on SIGINT, SIGTERM and SIGHUP wait, so that a long operation can
 * end tidily: it asks mx_cli_signal(), which returns the number of a signal
 * that came, or 0. Call it before any thread is made.
 */
void mx_cli_hold_signals(void);
int mx_cli_signal(void);

#endif
