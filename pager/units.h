/*
 * Units: what is read at once. Consecutive slices of small layers lie close
 * together in the weights file and are read together; a slice of a big layer is
 * a unit of its own.
 */
#ifndef MX_PAGER_UNITS_H
#define MX_PAGER_UNITS_H

#include <stddef.h>
#include <stdint.h>

struct mx_err;
struct mx_network;

/* Small slices are joined up to this many bytes. */
#define MX_UNIT_JOIN_BYTES (256u << 10)

struct mx_unit {
	uint64_t offset_bytes; /* in the file; aligned for O_DIRECT */
	size_t size_bytes; /* of the aligned range */
	size_t need_bytes; /* of these, up to the end of the last slice */
	uint32_t first_slice;
	uint32_t slice_count;
};

struct mx_units {
	struct mx_unit *unit; /* in order of use */
	uint32_t count;
	uint32_t *of_slice; /* the unit of each slice */
	size_t largest_bytes;
	uint64_t total_bytes;
};

/* Cut @net's slices into units. mx_units_fini() ends it.
 * Returns 0 or -ENOMEM. */
int mx_units_init(struct mx_units *units, const struct mx_network *net,
		  struct mx_err *err);

void mx_units_fini(struct mx_units *units);

#endif
