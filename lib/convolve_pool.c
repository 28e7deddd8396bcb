#include "lib/convolve_pool.h"

#include <errno.h>
#include <stdint.h>

#include "lib/attr.h"
#include "lib/convolve.h"
#include "lib/err.h"
#include "lib/simd.h"
#include "lib/simd_pool.h"
#include "lib/spatial.h"

int mx_convolve_pool_bind(struct mx_convolve *conv,
			  const struct mx_attrs *attrs, struct mx_err *err)
{
	int64_t side;
	int rc;

	rc = mx_attrs_int_in(attrs, MX_ATTR_POOL, 0, 0, MX_POOL_SIDE, &side,
			     err);
	if (rc)
		return rc;
	if (side != 0 && side != MX_POOL_SIDE)
		return mx_fail(err, EBADMSG,
			       "attribute " MX_ATTR_POOL " is neither 0 nor 2");
	conv->pool = (size_t)side;
	return 0;
}

int mx_convolve_pool_check(const struct mx_convolve *conv, struct mx_err *err)
{
	const struct mx_spatial *spatial = &conv->spatial;
	unsigned i;

	if (!conv->pool)
		return 0;
	if (conv->direction != MX_CONVOLVE_FORWARD || spatial->rank != 2 ||
	    mx_spatial_window(spatial) == 1 ||
	    (spatial->groups > 1 && spatial->groups == conv->in_channels))
		return mx_fail(err, EBADMSG,
			       "a convolution of this kind does not pool");
	for (i = 0; i < MX_SPATIAL_DIMS; i++)
		if (i != MX_SPATIAL_DEPTH && conv->out_dim[i] % MX_POOL_SIDE)
			return mx_fail(err, EBADMSG,
				       "an odd size of %zu is not pooled",
				       conv->out_dim[i]);
	return 0;
}

void mx_convolve_pool_window(const struct mx_simd *simd, const float *x,
			     size_t line_step, size_t rows, float *y)
{
	const struct mx_pool_window window = {
		.x = x,
		.count = {1, MX_POOL_SIDE, MX_POOL_SIDE},
		.stride = {0, line_step, rows},
	};

	simd->pool->window_max(&window, rows, y);
}
