/*
 * Names of values, each once, numbered in the order they come. Looking one up
 * takes constant time, so that 10^5 nodes are imported in linear time.
 */
#ifndef MX_LOADER_IMPORT_ONNX_NAMES_H
#define MX_LOADER_IMPORT_ONNX_NAMES_H

#include <stddef.h>
#include <stdint.h>

/* All zeros is empty. */
struct mx_onnx_names {
	char **name; /* by number */
	uint32_t count;
	uint32_t room;
	uint32_t *bucket; /* number + 1; 0: free */
	uint32_t bucket_count; /* a power of two */
};

/* The number of @name, or UINT32_MAX. */
uint32_t mx_onnx_names_find(const struct mx_onnx_names *names,
			    const char *name);

/* The number of @name, which is added if it is new. Returns 0 or -ENOMEM. */
int mx_onnx_names_add(struct mx_onnx_names *names, const char *name,
		      uint32_t *out);

void mx_onnx_names_fini(struct mx_onnx_names *names);

#endif
