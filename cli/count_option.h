/*
 * Options that are a number from 1 on, which several verbs have.
 */
#ifndef MX_CLI_COUNT_OPTION_H
#define MX_CLI_COUNT_OPTION_H

#include <argp.h>
#include <stdint.h>

struct mx_cli;

/* What every verb allows. */
#define MX_THREADS_OPTION_MAX 1024u
#define MX_TOP_OPTION_MAX 1000u
#define MX_REPEAT_OPTION_MAX 1000000u

/* --@option=@text of @verb: 1 to @max. Returns 0 or EINVAL, as argp wants it,
 * and leaves *@out alone then. */
error_t mx_count_option(struct mx_cli *cli, const char *verb,
			const char *option, const char *text, uint32_t max,
			uint32_t *out);

#endif
