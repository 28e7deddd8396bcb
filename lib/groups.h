/*
 * Groups: the elements of a tensor that are reduced or normalised together.
 * The dimensions fall into those that are kept (each index is a group) and
 * those that members of a group differ in. Dimensions that lie behind each
 * other in memory are merged.
 *
 * Groups are computed in units. Where neighbours in memory belong to
 * different groups, a unit is up to MX_GROUPS_LANES groups side by side, its
 * lanes; else it is one group, whose members are taken in lines.
 */
#ifndef MX_LIB_GROUPS_H
#define MX_LIB_GROUPS_H

#include <stddef.h>

#include "lib/op.h"
#include "lib/shape.h"
#include "lib/simd_pool.h"
#include "lib/view.h"

#define MX_GROUPS_LANES ((size_t)64)

enum mx_groups_flags {
	MX_GROUPS_SIDE_BY_SIDE, /* units as said above */
	MX_GROUPS_ONE_BY_ONE, /* every unit is one group */
};

struct mx_groups_dims {
	unsigned rank;
	size_t dim[MX_RANK_MAX];
	size_t x[MX_RANK_MAX]; /* strides in elements */
	size_t y[MX_RANK_MAX];
};

struct mx_groups {
	struct mx_groups_dims kept; /* but the lanes */
	struct mx_groups_dims member; /* but the line */
	size_t size; /* members of a group */
	size_t line; /* members in a line */
	size_t line_x;
	size_t line_y;
	size_t lines; /* lines in a group */
	size_t lanes; /* 0: units are single groups */
	size_t lane_y;
	size_t units;
};

/* One unit: where it begins and how many groups it is. */
struct mx_groups_unit {
	size_t x;
	size_t y;
	size_t lanes;
};

/* A line of a unit, while mx_groups_next() says so. */
struct mx_groups_walk {
	size_t x;
	size_t y;
	size_t index[MX_RANK_MAX];
	size_t left;
};

/*
 * The groups of @x, whose members differ in the dimensions whose bits are set
 * in @axes. @y_stride are the strides of the output for each dimension of @x
 * (0 for the members' where the output has one value for a group).
 */
void mx_groups_init(struct mx_groups *groups, const struct mx_view *x,
		    const size_t *y_stride, unsigned axes,
		    enum mx_groups_flags flags);

/* The tiles of work over @elems elements in @count groups: for op->tiles. */
size_t mx_groups_tiles(size_t elems, size_t count);

/* Unit @index of groups->units. */
struct mx_groups_unit mx_groups_at(const struct mx_groups *groups,
				   size_t index);

/* The lines of a unit, in a fixed order: begin, then next until it is 0. */
void mx_groups_begin(const struct mx_groups *groups,
		     const struct mx_groups_unit *unit,
		     struct mx_groups_walk *walk);
int mx_groups_next(const struct mx_groups *groups, struct mx_groups_walk *walk);

/* acc[lane] = the fold of a unit's groups; @centre as in simd_pool.h. */
void mx_groups_fold(const struct mx_groups *groups,
		    const struct mx_simd_pool *pool,
		    const struct mx_groups_unit *unit, enum mx_pool_fold kind,
		    const float *x, const double *centre, double *acc);

/* y = (x - sub[lane]) * mul[lane] over a unit. */
void mx_groups_apply(const struct mx_groups *groups,
		     const struct mx_simd_pool *pool,
		     const struct mx_groups_unit *unit, const float *x,
		     const double *sub, const double *mul, float *y);

#endif
