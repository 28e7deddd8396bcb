/*
 * What predicted times rest on: the storage's rate and the layers' times, and
 * whether they were measured here, given, or made up.
 */
#ifndef MX_CLI_COSTS_BASIS_H
#define MX_CLI_COSTS_BASIS_H

#include <stdint.h>

struct mx_costs;
struct mx_json;

enum mx_costs_origin {
	MX_COSTS_ASSUMED,
	MX_COSTS_MEASURED, /* by profile, of every network */
	MX_COSTS_GIVEN, /* by --storage */
};

struct mx_costs_basis {
	uint64_t read_bytes_per_s; /* of the slowest network's storage */
	uint64_t latency_ns; /* of the same */
	enum mx_costs_origin storage;
	int profiled; /* 1: every network's layers were measured */
};

/* @given_bytes_per_s is the rate asked for, 0 if none was. */
void mx_costs_basis_init(struct mx_costs_basis *basis,
			 const struct mx_costs *costs,
			 uint64_t given_bytes_per_s);

/* "storage 90.0 MB/s (assumed)   computing estimated", without a line's end,
 * to standard output. */
void mx_costs_basis_text(const struct mx_costs_basis *basis);

/* The members storage and profiled of the object that is open. */
void mx_costs_basis_json(const struct mx_costs_basis *basis,
			 struct mx_json *json);

#endif
