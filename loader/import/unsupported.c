#include "loader/import/import.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/log.h"

/* Layers that are named in a line; the others are counted. */
#define LAYERS_SHOWN 8

struct entry {
	char *what;
	char *layers[LAYERS_SHOWN];
	size_t layer_count;
};

struct mx_unsupported {
	struct entry *entries; /* in order of first appearance */
	size_t count;
	size_t room;
};

int mx_unsupported_new(struct mx_unsupported **out)
{
	struct mx_unsupported *list = calloc(1, sizeof(*list));

	if (!list)
		return -ENOMEM;
	*out = list;
	return 0;
}

void mx_unsupported_free(struct mx_unsupported *list)
{
	size_t i, k;

	if (!list)
		return;
	for (i = 0; i < list->count; i++) {
		free(list->entries[i].what);
		for (k = 0; k < LAYERS_SHOWN; k++)
			free(list->entries[i].layers[k]);
	}
	free(list->entries);
	free(list);
}

/* The entry of @what, made if need be; NULL without memory. */
static struct entry *entry_of(struct mx_unsupported *list, const char *what)
{
	struct entry *entries;
	size_t room, i;

	/* The kinds of things that are missing are few, however many layers
	 * there are. */
	for (i = 0; i < list->count; i++)
		if (strcmp(list->entries[i].what, what) == 0)
			return &list->entries[i];
	if (list->count == list->room) {
		room = list->room ? 2 * list->room : 8;
		entries = realloc(list->entries, room * sizeof(*entries));
		if (!entries)
			return NULL;
		list->entries = entries;
		list->room = room;
	}
	memset(&list->entries[list->count], 0, sizeof(*entries));
	list->entries[list->count].what = strdup(what);
	if (!list->entries[list->count].what)
		return NULL;
	return &list->entries[list->count++];
}

int mx_unsupported_add(struct mx_unsupported *list, const char *what,
		       const char *layer)
{
	struct entry *entry = entry_of(list, what);

	if (!entry)
		return -ENOMEM;
	if (entry->layer_count < LAYERS_SHOWN) {
		char *name = strdup(layer && *layer ? layer : "(unnamed)");

		if (!name)
			return -ENOMEM;
		entry->layers[entry->layer_count] = name;
	}
	entry->layer_count++;
	return 0;
}

static void log_entry(const struct entry *entry, const char *source,
		      const struct mx_log *log)
{
	char layers[512];
	size_t used = 0, i;

	layers[0] = '\0';
	for (i = 0; i < entry->layer_count && i < LAYERS_SHOWN; i++) {
		const int n = snprintf(layers + used, sizeof(layers) - used,
				       "%s%s", i ? ", " : "", entry->layers[i]);

		if (n < 0 || (size_t)n >= sizeof(layers) - used) {
			layers[used] = '\0';
			break;
		}
		used += (size_t)n;
	}
	if (i < entry->layer_count)
		mx_log(log, MX_LOG_ERROR,
		       "%s: not supported: %s, in %s and %zu more", source,
		       entry->what, layers, entry->layer_count - i);
	else
		mx_log(log, MX_LOG_ERROR, "%s: not supported: %s, in %s",
		       source, entry->what, layers);
}

int mx_unsupported_report(const struct mx_unsupported *list, const char *source,
			  const struct mx_log *log, struct mx_err *err)
{
	char names[MX_ERR_BYTES / 2];
	size_t used = 0, i;

	if (list->count == 0)
		return 0;
	names[0] = '\0';
	for (i = 0; i < list->count; i++) {
		int n;

		log_entry(&list->entries[i], source, log);
		n = snprintf(names + used, sizeof(names) - used, "%s%s",
			     i ? ", " : "", list->entries[i].what);
		if (n > 0 && (size_t)n < sizeof(names) - used)
			used += (size_t)n;
		else
			names[used] = '\0';
	}
	return mx_fail(err, ENOTSUP, "%s: not supported: %s", source, names);
}
