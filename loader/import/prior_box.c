#include "loader/import/prior_box.h"

#include <math.h>

#define RATIO_EPSILON 1e-6

static int add_ratio(struct mx_prior_box *box, double ratio)
{
	size_t i;

	for (i = 0; i < box->ratio_count; i++)
		if (fabs(box->ratio[i] - ratio) < RATIO_EPSILON)
			return 0;
	if (box->ratio_count == MX_PRIOR_RATIOS_MAX)
		return -1;
	box->ratio[box->ratio_count++] = ratio;
	return 1;
}

int mx_prior_box_ratio(struct mx_prior_box *box, double ratio, int flip)
{
	const int added = add_ratio(box, ratio);

	/* SSD adds the inverse of a new ratio without looking for it. */
	if (added == 1 && flip) {
		if (box->ratio_count == MX_PRIOR_RATIOS_MAX)
			return -1;
		box->ratio[box->ratio_count++] = 1 / ratio;
	}
	return added < 0 ? -1 : 0;
}

size_t mx_prior_box_count(const struct mx_prior_box *box)
{
	return box->ratio_count * box->min_count + box->max_count;
}

struct cursor {
	const struct mx_prior_box *box;
	float *at;
	double x; /* the centre */
	double y;
};

static float corner(const struct cursor *to, double value)
{
	if (to->box->clip)
		value = fmin(fmax(value, 0), 1);
	return (float)value;
}

static void put(struct cursor *to, double width, double height)
{
	const double image_w = (double)to->box->image_w;
	const double image_h = (double)to->box->image_h;

	*to->at++ = corner(to, (to->x - width / 2) / image_w);
	*to->at++ = corner(to, (to->y - height / 2) / image_h);
	*to->at++ = corner(to, (to->x + width / 2) / image_w);
	*to->at++ = corner(to, (to->y + height / 2) / image_h);
}

static void put_point(struct cursor *to)
{
	const struct mx_prior_box *box = to->box;
	size_t s, r;

	for (s = 0; s < box->min_count; s++) {
		/* SSD's Caffe holds sizes as whole numbers here. */
		const double size = trunc(box->min_size[s]);

		put(to, size, size);
		if (box->max_count > 0) {
			const double both =
				sqrt(size * trunc(box->max_size[s]));

			put(to, both, both);
		}
		for (r = 1; r < box->ratio_count; r++) {
			const double root = sqrt(box->ratio[r]);

			put(to, size * root, size / root);
		}
	}
}

void mx_prior_box_fill(const struct mx_prior_box *box, float *out)
{
	const size_t boxes = box->map_w * box->map_h * mx_prior_box_count(box);
	struct cursor to = {.box = box, .at = out};
	size_t x, y, i;

	for (y = 0; y < box->map_h; y++) {
		for (x = 0; x < box->map_w; x++) {
			to.x = ((double)x + box->offset) * box->step_w;
			to.y = ((double)y + box->offset) * box->step_h;
			put_point(&to);
		}
	}
	for (i = 0; i < boxes * 4; i++)
		*to.at++ = (float)box->variance[i % 4];
}
