/*
 * --policy and what goes with it, which several verbs have, checked when they
 * are parsed.
 */
#ifndef MX_CLI_POLICY_OPTION_H
#define MX_CLI_POLICY_OPTION_H

#include <argp.h>
#include <stddef.h>
#include <stdint.h>

struct mx_cli;

/* Layer tasks at once. */
#define MX_POLICY_WORKERS_MAX 1024u

/* --policy=NAME: one of mx_policy_at()'s; *@out lives for good. Returns 0 or
 * EINVAL, as argp wants it. */
error_t mx_policy_option(struct mx_cli *cli, const char *verb, const char *text,
			 const char **out);

/* --policy=NAME[,NAME...]: at most @room. */
error_t mx_policy_options(struct mx_cli *cli, const char *verb,
			  const char *text, const char **out, size_t room,
			  size_t *count);

/* --workers=N: 1 to MX_POLICY_WORKERS_MAX. */
error_t mx_policy_workers(struct mx_cli *cli, const char *verb,
			  const char *text, uint32_t *out);

/* --masa-profile=measured|description: *@described is 0 or 1. */
error_t mx_policy_masa_profile(struct mx_cli *cli, const char *verb,
			       const char *text, int *described);

#endif
