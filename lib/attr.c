#include "lib/attr.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/size.h"

static void clear_values(struct mx_attr *attr)
{
	free(attr->ints);
	free(attr->floats);
	attr->ints = NULL;
	attr->floats = NULL;
	attr->int_count = 0;
	attr->float_count = 0;
}

/* The attribute of that name, made empty or appended; NULL: no memory. */
static struct mx_attr *slot(struct mx_attrs *attrs, const char *name)
{
	struct mx_attr *items;
	char *copy;
	size_t i;

	for (i = 0; i < attrs->count; i++)
		if (strcmp(attrs->items[i].name, name) == 0)
			return &attrs->items[i];
	copy = strdup(name);
	if (!copy)
		return NULL;
	items = reallocarray(attrs->items, attrs->count + 1, sizeof(*items));
	if (!items) {
		free(copy);
		return NULL;
	}
	attrs->items = items;
	memset(&items[attrs->count], 0, sizeof(*items));
	items[attrs->count].name = copy;
	return &items[attrs->count++];
}

static void *copy_values(const void *values, size_t count, size_t each)
{
	void *copy = calloc(count ? count : 1, each);

	if (copy && count)
		memcpy(copy, values, count * each);
	return copy;
}

int mx_attrs_set_ints(struct mx_attrs *attrs, const char *name,
		      const int64_t *values, size_t count)
{
	int64_t *copy = copy_values(values, count, sizeof(*values));
	struct mx_attr *attr = copy ? slot(attrs, name) : NULL;

	if (!attr) {
		free(copy);
		return -ENOMEM;
	}
	clear_values(attr);
	attr->ints = copy;
	attr->int_count = count;
	return 0;
}

int mx_attrs_set_floats(struct mx_attrs *attrs, const char *name,
			const float *values, size_t count)
{
	float *copy = copy_values(values, count, sizeof(*values));
	struct mx_attr *attr = copy ? slot(attrs, name) : NULL;

	if (!attr) {
		free(copy);
		return -ENOMEM;
	}
	clear_values(attr);
	attr->floats = copy;
	attr->float_count = count;
	return 0;
}

int mx_attrs_set_int(struct mx_attrs *attrs, const char *name, int64_t value)
{
	return mx_attrs_set_ints(attrs, name, &value, 1);
}

int mx_attrs_set_float(struct mx_attrs *attrs, const char *name, float value)
{
	return mx_attrs_set_floats(attrs, name, &value, 1);
}

const struct mx_attr *mx_attrs_find(const struct mx_attrs *attrs,
				    const char *name)
{
	size_t i;

	for (i = 0; i < attrs->count; i++)
		if (strcmp(attrs->items[i].name, name) == 0)
			return &attrs->items[i];
	return NULL;
}

int64_t mx_attrs_int(const struct mx_attrs *attrs, const char *name,
		     int64_t fallback)
{
	const struct mx_attr *attr = mx_attrs_find(attrs, name);

	return attr && attr->int_count ? attr->ints[0] : fallback;
}

float mx_attrs_float(const struct mx_attrs *attrs, const char *name,
		     float fallback)
{
	const struct mx_attr *attr = mx_attrs_find(attrs, name);

	return attr && attr->float_count ? attr->floats[0] : fallback;
}

static int check_range(const char *name, int64_t value, int64_t min,
		       int64_t max, struct mx_err *err)
{
	if (value >= min && value <= max)
		return 0;
	return mx_fail(err, EBADMSG,
		       "attribute %s is %" PRId64 ", not in [%" PRId64
		       ", %" PRId64 "]",
		       name, value, min, max);
}

int mx_attrs_int_in(const struct mx_attrs *attrs, const char *name,
		    int64_t fallback, int64_t min, int64_t max, int64_t *out,
		    struct mx_err *err)
{
	const struct mx_attr *attr = mx_attrs_find(attrs, name);
	int64_t value = fallback;
	int rc;

	if (attr) {
		if (attr->int_count != 1)
			return mx_fail(err, EBADMSG,
				       "attribute %s has %zu integers, not 1",
				       name, attr->int_count);
		value = attr->ints[0];
		rc = check_range(name, value, min, max, err);
		if (rc)
			return rc;
	}
	*out = value;
	return 0;
}

int mx_attrs_ints_in(const struct mx_attrs *attrs, const char *name,
		     int64_t min, int64_t max, int64_t *out, size_t room,
		     size_t *count, struct mx_err *err)
{
	const struct mx_attr *attr = mx_attrs_find(attrs, name);
	size_t i;
	int rc;

	*count = 0;
	if (!attr)
		return 0;
	if (attr->int_count > room)
		return mx_fail(err, EBADMSG,
			       "attribute %s has %zu integers, at most %zu fit",
			       name, attr->int_count, room);
	for (i = 0; i < attr->int_count; i++) {
		rc = check_range(name, attr->ints[i], min, max, err);
		if (rc)
			return rc;
		out[i] = attr->ints[i];
	}
	*count = attr->int_count;
	return 0;
}

int mx_attrs_copy(const struct mx_attrs *attrs, struct mx_attrs *out)
{
	struct mx_attrs copy = {NULL, 0};
	size_t i;
	int rc = 0;

	for (i = 0; i < attrs->count && !rc; i++) {
		const struct mx_attr *from = &attrs->items[i];

		if (from->floats)
			rc = mx_attrs_set_floats(&copy, from->name,
						 from->floats,
						 from->float_count);
		else
			rc = mx_attrs_set_ints(&copy, from->name, from->ints,
					       from->int_count);
	}
	if (rc) {
		mx_attrs_fini(&copy);
		return rc;
	}
	mx_attrs_fini(out);
	*out = copy;
	return 0;
}

void mx_attrs_fini(struct mx_attrs *attrs)
{
	size_t i;

	for (i = 0; i < attrs->count; i++) {
		clear_values(&attrs->items[i]);
		free(attrs->items[i].name);
	}
	free(attrs->items);
	attrs->items = NULL;
	attrs->count = 0;
}
