#include "loader/import/caffe_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FNV_PRIME UINT64_C(0x100000001b3)

uint64_t mx_names_hash(const char *name, uint64_t seed)
{
	uint64_t hash = seed ^ UINT64_C(0xcbf29ce484222325);

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * FNV_PRIME;
	/* The low bits pick the slot: let the high ones into them. */
	return hash ^ hash >> 32;
}

/* Where @name is or belongs. There is a free slot. */
static struct mx_names_slot *slot_of(const struct mx_names *names,
				     const char *name)
{
	uint32_t at = (uint32_t)mx_names_hash(name, 0) & (names->room - 1);

	while (names->slots[at].name &&
	       strcmp(names->slots[at].name, name) != 0)
		at = (at + 1) & (names->room - 1);
	return &names->slots[at];
}

uint32_t *mx_names_find(const struct mx_names *names, const char *name)
{
	struct mx_names_slot *slot;

	if (names->room == 0)
		return NULL;
	slot = slot_of(names, name);
	return slot->name ? &slot->number : NULL;
}

static int grow(struct mx_names *names)
{
	struct mx_names bigger = {.room = names->room ? names->room * 2 : 64};
	uint32_t i;

	if (bigger.room == 0)
		return -ENOMEM;
	bigger.slots = calloc(bigger.room, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	bigger.count = names->count;
	for (i = 0; i < names->room; i++)
		if (names->slots[i].name)
			*slot_of(&bigger, names->slots[i].name) =
				names->slots[i];
	free(names->slots);
	*names = bigger;
	return 0;
}

int mx_names_put(struct mx_names *names, const char *name, uint32_t number)
{
	struct mx_names_slot *slot;
	int rc;

	/* At most half full. */
	if (names->count >= names->room / 2) {
		rc = grow(names);
		if (rc < 0)
			return rc;
	}
	slot = slot_of(names, name);
	if (!slot->name) {
		slot->name = name;
		names->count++;
	}
	slot->number = number;
	return 0;
}

void mx_names_fini(struct mx_names *names)
{
	free(names->slots);
	*names = (struct mx_names){0};
}
