/*
 * Options on memory and I/O that several verbs have, checked when they are
 * parsed. The texts are borrowed.
 */
#ifndef MX_CLI_MEMORY_OPTION_H
#define MX_CLI_MEMORY_OPTION_H

#include <argp.h>
#include <stddef.h>
#include <stdint.h>

struct mx_cli;

/* --budget=SIZE: above 0. Returns 0 or EINVAL, as argp wants it. */
error_t mx_memory_budget(struct mx_cli *cli, const char *verb, const char *text,
			 uint64_t *out);

/* --budget=SIZE[,SIZE...] with ranges: at most @room. */
error_t mx_memory_budgets(struct mx_cli *cli, const char *verb,
			  const char *text, uint64_t *out, size_t room,
			  size_t *count);

/* --io: one of the names that struct mx_engine_opts knows. */
error_t mx_memory_io(struct mx_cli *cli, const char *verb, const char *text,
		     const char **out);

/* --storage=auto|RATE: bytes a second, above 0; auto: 0. */
error_t mx_memory_storage(struct mx_cli *cli, const char *verb,
			  const char *text, uint64_t *out);

#endif
