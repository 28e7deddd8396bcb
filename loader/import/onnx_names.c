#include "loader/import/onnx_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS_FIRST 64

/* FNV-1a, 64 bits. */
static uint64_t hash_of(const char *name)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
	return hash ^ hash >> 32;
}

/* The bucket that holds @name, or the free one where it belongs. */
static uint32_t bucket_of(const struct mx_onnx_names *names, const char *name)
{
	uint32_t mask = names->bucket_count - 1;
	uint32_t at = (uint32_t)hash_of(name) & mask;

	while (names->bucket[at] &&
	       strcmp(names->name[names->bucket[at] - 1], name) != 0)
		at = (at + 1) & mask;
	return at;
}

uint32_t mx_onnx_names_find(const struct mx_onnx_names *names, const char *name)
{
	if (!names->bucket_count)
		return UINT32_MAX;
	/* A free bucket holds 0, and 0 - 1 is UINT32_MAX. */
	return names->bucket[bucket_of(names, name)] - 1;
}

static int grow(struct mx_onnx_names *names)
{
	uint32_t count =
		names->bucket_count ? 2 * names->bucket_count : BUCKETS_FIRST;
	uint32_t *bucket;
	char **name;
	uint32_t i;

	if (count > UINT32_MAX / 4)
		return -ENOMEM;
	name = realloc(names->name, count / 2 * sizeof(*name));
	if (!name)
		return -ENOMEM;
	names->name = name;
	names->room = count / 2;
	bucket = calloc(count, sizeof(*bucket));
	if (!bucket)
		return -ENOMEM;
	free(names->bucket);
	names->bucket = bucket;
	names->bucket_count = count;
	for (i = 0; i < names->count; i++)
		bucket[bucket_of(names, names->name[i])] = i + 1;
	return 0;
}

int mx_onnx_names_add(struct mx_onnx_names *names, const char *name,
		      uint32_t *out)
{
	uint32_t found = mx_onnx_names_find(names, name);

	if (found != UINT32_MAX) {
		*out = found;
		return 0;
	}
	/* At most half of the buckets are taken, so that runs stay short. */
	if (2 * names->count >= names->bucket_count && grow(names))
		return -ENOMEM;
	names->name[names->count] = strdup(name);
	if (!names->name[names->count])
		return -ENOMEM;
	names->bucket[bucket_of(names, name)] = names->count + 1;
	*out = names->count++;
	return 0;
}

void mx_onnx_names_fini(struct mx_onnx_names *names)
{
	uint32_t i;

	for (i = 0; i < names->count; i++)
		free(names->name[i]);
	free(names->name);
	free(names->bucket);
	memset(names, 0, sizeof(*names));
}
