/*
 * Names: a set of strings, each with a number; constant time each.
 */
#ifndef MX_LOADER_IMPORT_CAFFE_NAMES_H
#define MX_LOADER_IMPORT_CAFFE_NAMES_H

#include <stdint.h>

struct mx_names_slot {
	const char *name; /* borrowed; NULL: free */
	uint32_t number;
};

struct mx_names { /* zeroed: empty */
	struct mx_names_slot *slots;
	uint32_t room; /* a power of two, or 0 */
	uint32_t count;
};

/* A number for people and seeds: FNV-1a of @name, going on from @seed. */
uint64_t mx_names_hash(const char *name, uint64_t seed);

/* The number of @name, or NULL. The pointer lives until the next put. */
uint32_t *mx_names_find(const struct mx_names *names, const char *name);

/* Give @name, which must outlive the set, a number; a later one wins.
 * Returns 0 or -ENOMEM. */
int mx_names_put(struct mx_names *names, const char *name, uint32_t number);

void mx_names_fini(struct mx_names *names);

#endif
