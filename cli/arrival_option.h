/*
 * The option --arrivals: how a stream's arrivals come.
 */
#ifndef MX_CLI_ARRIVAL_OPTION_H
#define MX_CLI_ARRIVAL_OPTION_H

#include <stdint.h>

#include "sched/arrivals.h"

struct mx_err;

struct mx_arrival_option {
	enum mx_gap_kind kind;
	uint64_t gap_ns;
	uint64_t spread_ns;
	const char *trace; /* a file of arrivals; borrowed; NULL: gaps */
};

/*
 * "batch", "constant:GAP", "uniform:A,B", "normal:GAP,SD", "exponential:GAP",
 * "poisson-ms:GAP" or "trace:FILE"; gaps as mx_parse_duration() has them.
 * Returns 0 or -EINVAL with a message that says what there is.
 */
int mx_arrival_option_parse(struct mx_arrival_option *out, const char *text,
			    struct mx_err *err);

#endif
