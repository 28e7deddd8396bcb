/*
 * PriorBox: SSD's default boxes, which depend on shapes and settings alone.
 */
#ifndef MX_LOADER_IMPORT_PRIOR_BOX_H
#define MX_LOADER_IMPORT_PRIOR_BOX_H

#include <stddef.h>

#define MX_PRIOR_SIZES_MAX 64
#define MX_PRIOR_RATIOS_MAX 64

struct mx_prior_box {
	double min_size[MX_PRIOR_SIZES_MAX];
	double max_size[MX_PRIOR_SIZES_MAX];
	size_t min_count;
	size_t max_count; /* 0 or min_count */
	double ratio[MX_PRIOR_RATIOS_MAX]; /* the first is 1 */
	size_t ratio_count;
	double variance[4];
	int clip;
	double step_w;
	double step_h;
	double offset;
	size_t image_w;
	size_t image_h;
	size_t map_w;
	size_t map_h;
};

/* Add @ratio, and with @flip its inverse, unless it is there. Returns 0, or
 * -1 when there are too many. */
int mx_prior_box_ratio(struct mx_prior_box *box, double ratio, int flip);

/* Boxes for each point of the map. */
size_t mx_prior_box_count(const struct mx_prior_box *box);

/*
 * Fill @out: for each point of the map and each of its boxes four corners,
 * then as many variances (2 * map_w * map_h * count * 4 floats).
 */
void mx_prior_box_fill(const struct mx_prior_box *box, float *out);

#endif
