/*
 * Attributes: an operator's settings by name, as they stand in model.pb. An
 * attribute is a list of integers or a list of floats; a scalar is a list of
 * one. Operators decode theirs into a struct of their own (struct mx_op,
 * bind); nothing else reads them.
 */
#ifndef MX_LIB_ATTR_H
#define MX_LIB_ATTR_H

#include <stddef.h>
#include <stdint.h>

struct mx_err;

struct mx_attr {
	char *name;
	int64_t *ints;
	size_t int_count;
	float *floats;
	size_t float_count;
};

struct mx_attrs {
	struct mx_attr *items;
	size_t count;
};

/*
 * Set (or replace) an attribute of an initialised or zeroed @attrs; values
 * are copied. Return 0 or -ENOMEM.
 */
int mx_attrs_set_ints(struct mx_attrs *attrs, const char *name,
		      const int64_t *values, size_t count);
int mx_attrs_set_floats(struct mx_attrs *attrs, const char *name,
			const float *values, size_t count);
int mx_attrs_set_int(struct mx_attrs *attrs, const char *name, int64_t value);
int mx_attrs_set_float(struct mx_attrs *attrs, const char *name, float value);

/* The attribute, or NULL. It dies with the next set. */
const struct mx_attr *mx_attrs_find(const struct mx_attrs *attrs,
				    const char *name);

/* The first value, or @fallback when the attribute is absent or empty. */
int64_t mx_attrs_int(const struct mx_attrs *attrs, const char *name,
		     int64_t fallback);
float mx_attrs_float(const struct mx_attrs *attrs, const char *name,
		     float fallback);

/*
 * The integer attribute @name into *@out, checked to lie in [@min, @max];
 * @fallback when absent. Returns 0, or -EBADMSG with a message.
 */
int mx_attrs_int_in(const struct mx_attrs *attrs, const char *name,
		    int64_t fallback, int64_t min, int64_t max, int64_t *out,
		    struct mx_err *err);

/*
 * Up to @room integers of @name into @out, each checked to lie in
 * [@min, @max]; *@count says how many (0 when absent).
 *
 * Returns 0, or -EBADMSG with a message (out of range, or more than @room).
 */
int mx_attrs_ints_in(const struct mx_attrs *attrs, const char *name,
		     int64_t min, int64_t max, int64_t *out, size_t room,
		     size_t *count, struct mx_err *err);

/* Replace *@out (zeroed, or holding attributes of its own) by a copy.
 * Returns 0 or -ENOMEM. */
int mx_attrs_copy(const struct mx_attrs *attrs, struct mx_attrs *out);

/* Free the contents; @attrs is zeroed and can be used again. */
void mx_attrs_fini(struct mx_attrs *attrs);

#endif
