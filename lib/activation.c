#include "lib/activation.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/err.h"

int mx_activation_bind(struct mx_activation *act, const struct mx_attrs *attrs,
		       struct mx_err *err)
{
	const struct mx_attr *ab = mx_attrs_find(attrs, MX_ATTR_ACTIVATION_AB);
	int64_t kind;
	int rc;

	rc = mx_attrs_int_in(attrs, MX_ATTR_ACTIVATION, MX_ACTIVATION_NONE,
			     MX_ACTIVATION_NONE, MX_ACTIVATION_COUNT - 1, &kind,
			     err);
	if (rc)
		return rc;
	if (ab && ab->float_count != 2)
		return mx_fail(err, EBADMSG, "%s has %zu floats instead of 2",
			       MX_ATTR_ACTIVATION_AB, ab->float_count);
	act->kind = (enum mx_activation_kind)kind;
	act->a = ab ? ab->floats[0] : 0.0f;
	act->b = ab ? ab->floats[1] : 0.0f;
	return 0;
}

int mx_activation_store(const struct mx_activation *act, struct mx_attrs *attrs)
{
	const float ab[] = {act->a, act->b};
	int rc;

	rc = mx_attrs_set_int(attrs, MX_ATTR_ACTIVATION, act->kind);
	if (rc)
		return rc;
	return mx_attrs_set_floats(attrs, MX_ATTR_ACTIVATION_AB, ab, 2);
}

int mx_activation_clamp(const struct mx_activation *act, float *low,
			float *high)
{
	*low = -INFINITY;
	*high = INFINITY;
	if (act->kind == MX_ACTIVATION_RELU && act->a == 0) {
		*low = 0;
		return 1;
	}
	if (act->kind == MX_ACTIVATION_CLIP) {
		*low = act->a;
		*high = act->b;
		return 1;
	}
	return act->kind == MX_ACTIVATION_NONE;
}
