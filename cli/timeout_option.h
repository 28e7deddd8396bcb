/*
 * --timeout, which several verbs have.
 */
#ifndef MX_CLI_TIMEOUT_OPTION_H
#define MX_CLI_TIMEOUT_OPTION_H

#include <argp.h>
#include <stdint.h>

struct mx_cli;

/* --timeout=DURATION: above 0. Returns 0 or EINVAL, as argp wants it. */
error_t mx_timeout_option(struct mx_cli *cli, const char *verb,
			  const char *text, uint64_t *out_ns);

#endif
