/*
 * What run and queue say of a whole run in JSON: the keys that both have.
 */
#ifndef MX_CLI_TOTALS_H
#define MX_CLI_TOTALS_H

#include <stdint.h>

#include "cli/statistics.h"

struct mx_json;

/* What it took. */
struct mx_usage {
	uint64_t read_bytes;
	uint64_t required_read_bytes;
	uint64_t peak_charge_bytes;
	uint64_t peak_anonymous_bytes;
	uint64_t budget_bytes;
	uint64_t major_faults;
};

struct mx_totals {
	uint64_t makespan_ns;
	struct mx_statistics response;
	struct mx_usage usage;
};

/* Members of the object that is open: makespan_ns to major_faults. */
void mx_totals_json(struct mx_json *json, const struct mx_totals *totals);

/* How it ran. */
struct mx_totals_how {
	const char *policy;
	const char *io;
	const char *wall;
	uint32_t threads;
};

/* Members: policy, io, wall, threads. */
void mx_totals_how_json(struct mx_json *json, const struct mx_totals_how *how);

/* The members that begin an outermost object: schema, and this host's name. */
void mx_totals_begin_json(struct mx_json *json, const char *schema);

#endif
