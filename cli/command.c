#include "cli/command.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int held_signals[] = {SIGINT, SIGTERM, SIGHUP};

#define HELD_COUNT (sizeof(held_signals) / sizeof(held_signals[0]))

int mx_cli_is_terminal(int fd)
{
	return isatty(fd) == 1;
}

static int wants_colour(void)
{
	const char *no_color = getenv("NO_COLOR");

	return (!no_color || !*no_color) && mx_cli_is_terminal(STDERR_FILENO);
}

static void print_line(const char *line, enum mx_log_level level)
{
	const char *on = "", *off = "";

	if (wants_colour()) {
		on = level == MX_LOG_ERROR ? "\033[31m" : "\033[2m";
		off = "\033[0m";
	}
	(void)fprintf(stderr, "%smemexec:%s %s\n", on, off, line);
}

static void write_log(void *user, enum mx_log_level level, const char *line)
{
	(void)user;
	print_line(line, level);
}

void mx_cli_init_log(struct mx_cli *cli)
{
	cli->log.write = write_log;
	cli->log.user = NULL;
	if (cli->verbosity < 0)
		cli->log.level = MX_LOG_ERROR;
	else if (cli->verbosity == 0)
		cli->log.level = MX_LOG_WARNING;
	else if (cli->verbosity == 1)
		cli->log.level = MX_LOG_INFO;
	else
		cli->log.level = MX_LOG_DEBUG;
}

void mx_cli_report(const struct mx_cli *cli)
{
	char line[MX_ERR_BYTES];
	size_t i;

	/* A file's own bytes can be in a message; the line stays one line. */
	memcpy(line, cli->err.text, sizeof(line));
	line[sizeof(line) - 1] = '\0';
	for (i = 0; line[i]; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == '\177')
			line[i] = ' ';
	print_line(line[0] ? line : "failed", MX_LOG_ERROR);
}

static error_t answer_help(struct mx_cli *cli, struct argp_state *state)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "memexec %s", state->argv[0]);
	argp_help(state->root_argp, stdout,
		  ARGP_HELP_USAGE | ARGP_HELP_PRE_DOC | ARGP_HELP_LONG |
			  ARGP_HELP_POST_DOC,
		  name);
	cli->helped = 1;
	return ECANCELED;
}

static void explain_bad_option(struct mx_cli *cli,
			       const struct argp_state *state)
{
	const char *what = "the command line";
	int i;

	if (cli->helped || cli->err.text[0])
		return;
	/* argp has gone past the option, unless it is one of several letters
	 * behind one dash. */
	for (i = state->next; i >= state->next - 1; i--)
		if (i > 0 && i < state->argc && state->argv[i][0] == '-')
			what = state->argv[i];
	(void)mx_fail(&cli->err, EINVAL,
		      "%s: %s is no option of this verb or lacks its value: "
		      "see memexec %s --help",
		      state->argv[0], what, state->argv[0]);
}

error_t mx_cli_option(struct mx_cli *cli, int key, struct argp_state *state)
{
	switch (key) {
	case 'q':
		cli->verbosity = -1;
		mx_cli_init_log(cli);
		return 0;
	case 'v':
		cli->verbosity++;
		mx_cli_init_log(cli);
		return 0;
	case 'h':
		return answer_help(cli, state);
	case ARGP_KEY_ARGS:
		cli->args = state->argv + state->next;
		cli->arg_count = (size_t)(state->argc - state->next);
		return 0;
	case ARGP_KEY_NO_ARGS:
		(void)mx_fail(&cli->err, EINVAL, "%s: no model directory given",
			      state->name);
		return EINVAL;
	case ARGP_KEY_ERROR:
		explain_bad_option(cli, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int mx_cli_parse(struct mx_cli *cli, const struct argp *argp, int argc,
		 char **argv, void *input)
{
	error_t rc;

	/* argp's own messages are two lines and end the program. */
	rc = argp_parse(argp, argc, argv,
			ARGP_NO_ERRS | ARGP_NO_EXIT | ARGP_NO_HELP, NULL,
			input);
	if (cli->helped)
		return 1;
	if (rc == ENOMEM)
		return mx_fail(&cli->err, ENOMEM, "%s: out of memory", argv[0]);
	if (rc && !cli->err.text[0])
		return mx_fail(&cli->err, EINVAL,
			       "%s: wrong arguments: see memexec %s --help",
			       argv[0], argv[0]);
	return rc ? -EINVAL : 0;
}

void mx_cli_hold_signals(void)
{
	struct sigaction now;
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < HELD_COUNT; i++) {
		/* A blocked signal would count though it is ignored (nohup). */
		if (sigaction(held_signals[i], NULL, &now) == 0 &&
		    now.sa_handler != SIG_IGN)
			sigaddset(&set, held_signals[i]);
	}
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

int mx_cli_signal(void)
{
	sigset_t set;
	size_t i;

	if (sigpending(&set) < 0)
		return 0;
	for (i = 0; i < HELD_COUNT; i++)
		if (sigismember(&set, held_signals[i]) == 1)
			return held_signals[i];
	return 0;
}

int mx_cli_exit_status(int rc)
{
	if (rc >= 0)
		return rc;
	switch (-rc) {
	case EINVAL:
	case EEXIST:
		return MX_EXIT_USAGE;
	case EBADMSG:
	case ENOTSUP:
		return MX_EXIT_MODEL;
	case EDQUOT:
		return MX_EXIT_BUDGET;
	case ENOSYS:
		return MX_EXIT_MISSING;
	case ETIME:
		return MX_EXIT_TIMEOUT;
	case ECANCELED:
		return MX_EXIT_SIGNAL + mx_cli_signal();
	default:
		return MX_EXIT_IO;
	}
}
