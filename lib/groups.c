#include "lib/groups.h"

#include <string.h>

#include "lib/lines.h"
#include "lib/size.h"

static void insert(struct mx_groups_dims *dims, unsigned at, size_t dim,
		   size_t x, size_t y)
{
	const size_t tail = (dims->rank - at) * sizeof(dims->dim[0]);

	memmove(&dims->dim[at + 1], &dims->dim[at], tail);
	memmove(&dims->x[at + 1], &dims->x[at], tail);
	memmove(&dims->y[at + 1], &dims->y[at], tail);
	dims->dim[at] = dim;
	dims->x[at] = x;
	dims->y[at] = y;
	dims->rank++;
}

/* Dimensions stand in the order of the input's memory, the innermost last. */
static void add(struct mx_groups_dims *dims, size_t dim, size_t x, size_t y)
{
	unsigned at = dims->rank;

	if (dim == 1)
		return;
	while (at > 0 && dims->x[at - 1] < x)
		at--;
	insert(dims, at, dim, x, y);
}

static void merge(struct mx_groups_dims *dims)
{
	unsigned kept = 0;
	unsigned i;

	for (i = 1; i < dims->rank; i++) {
		if (dims->x[kept] == dims->x[i] * dims->dim[i] &&
		    dims->y[kept] == dims->y[i] * dims->dim[i]) {
			dims->dim[i] *= dims->dim[kept];
		} else {
			kept++;
		}
		dims->dim[kept] = dims->dim[i];
		dims->x[kept] = dims->x[i];
		dims->y[kept] = dims->y[i];
	}
	if (dims->rank)
		dims->rank = kept + 1;
}

static size_t product(const struct mx_groups_dims *dims)
{
	size_t count = 1;
	unsigned i;

	for (i = 0; i < dims->rank; i++)
		count *= dims->dim[i];
	return count;
}

void mx_groups_init(struct mx_groups *groups, const struct mx_view *x,
		    const size_t *y_stride, unsigned axes,
		    enum mx_groups_flags flags)
{
	struct mx_groups_dims *kept = &groups->kept;
	struct mx_groups_dims *member = &groups->member;
	uint32_t i;

	memset(groups, 0, sizeof(*groups));
	for (i = 0; i < x->shape.rank; i++)
		add(axes & 1u << i ? member : kept, x->shape.dim[i],
		    x->stride[i], y_stride[i]);
	merge(kept);
	merge(member);
	groups->size = product(member);
	groups->line = 1;
	groups->line_x = 1;
	if (member->rank) {
		member->rank--;
		groups->line = member->dim[member->rank];
		groups->line_x = member->x[member->rank];
		groups->line_y = member->y[member->rank];
	}
	groups->lines = product(member);
	groups->units = product(kept);
	if (flags == MX_GROUPS_ONE_BY_ONE || !groups->units || !kept->rank ||
	    kept->x[kept->rank - 1] != 1)
		return;
	kept->rank--;
	groups->lanes = kept->dim[kept->rank];
	groups->lane_y = kept->y[kept->rank];
	groups->units =
		product(kept) * mx_size_div_up(groups->lanes, MX_GROUPS_LANES);
}

size_t mx_groups_tiles(size_t elems, size_t count)
{
	return mx_size_max(mx_size_min(mx_lines_parts(elems), count), 1);
}

struct mx_groups_unit mx_groups_at(const struct mx_groups *groups, size_t index)
{
	const struct mx_groups_dims *kept = &groups->kept;
	struct mx_groups_unit unit = {.lanes = 1};
	size_t chunks, lane, at;
	unsigned i;

	if (groups->lanes) {
		chunks = mx_size_div_up(groups->lanes, MX_GROUPS_LANES);
		lane = index % chunks * MX_GROUPS_LANES;
		index /= chunks;
		unit.x = lane;
		unit.y = lane * groups->lane_y;
		unit.lanes = mx_size_min(groups->lanes - lane, MX_GROUPS_LANES);
	}
	for (i = kept->rank; i-- > 0;) {
		at = index % kept->dim[i];
		index /= kept->dim[i];
		unit.x += at * kept->x[i];
		unit.y += at * kept->y[i];
	}
	return unit;
}

void mx_groups_begin(const struct mx_groups *groups,
		     const struct mx_groups_unit *unit,
		     struct mx_groups_walk *walk)
{
	memset(walk, 0, sizeof(*walk));
	walk->x = unit->x;
	walk->y = unit->y;
	walk->left = groups->line ? groups->lines : 0;
}

/* The first call stays where begin() put the walk: `left` counts down from
 * the number of lines, and only later calls move. */
int mx_groups_next(const struct mx_groups *groups, struct mx_groups_walk *walk)
{
	const struct mx_groups_dims *member = &groups->member;
	unsigned i;

	if (walk->left == 0)
		return 0;
	if (walk->left-- == groups->lines)
		return 1;
	for (i = member->rank; i-- > 0;) {
		walk->x += member->x[i];
		walk->y += member->y[i];
		if (++walk->index[i] < member->dim[i])
			break;
		walk->x -= member->x[i] * member->dim[i];
		walk->y -= member->y[i] * member->dim[i];
		walk->index[i] = 0;
	}
	return 1;
}

static void fold_strided(const struct mx_groups *groups, enum mx_pool_fold kind,
			 const float *x, double centre, double *acc)
{
	size_t i;

	for (i = 0; i < groups->line; i++)
		*acc = mx_pool_fold_one(kind, *acc,
					(double)x[i * groups->line_x], centre);
}

void mx_groups_fold(const struct mx_groups *groups,
		    const struct mx_simd_pool *pool,
		    const struct mx_groups_unit *unit, enum mx_pool_fold kind,
		    const float *x, const double *centre, double *acc)
{
	struct mx_groups_walk walk;
	size_t i;

	for (i = 0; i < unit->lanes; i++)
		acc[i] = mx_pool_fold_start(kind);
	mx_groups_begin(groups, unit, &walk);
	while (mx_groups_next(groups, &walk)) {
		const float *line = x + walk.x;

		if (groups->lanes)
			pool->fold_columns(kind, line, unit->lanes,
					   groups->line, groups->line_x, centre,
					   acc);
		else if (groups->line_x == 1)
			pool->fold_row(kind, line, groups->line,
				       centre ? *centre : 0.0, acc);
		else
			fold_strided(groups, kind, line, centre ? *centre : 0.0,
				     acc);
	}
}

/* Lines of lanes; the loops differ in what is innermost and what is dense. */
static void apply_lanes(const struct mx_groups *groups,
			const struct mx_simd_pool *pool, size_t lanes,
			const float *x, const double *sub, const double *mul,
			float *y)
{
	size_t m, i;

	for (m = 0; m < groups->line; m++) {
		const float *from = x + m * groups->line_x;
		float *to = y + m * groups->line_y;

		if (groups->lane_y == 1)
			pool->apply_columns(from, lanes, sub, mul, to);
		else
			for (i = 0; i < lanes; i++)
				to[i * groups->lane_y] =
					(float)(((double)from[i] - sub[i]) *
						mul[i]);
	}
}

static void apply_line(const struct mx_groups *groups,
		       const struct mx_simd_pool *pool, const float *x,
		       double sub, double mul, float *y)
{
	size_t i;

	if (groups->line_x == 1 && groups->line_y == 1) {
		pool->apply_row(x, groups->line, sub, mul, y);
		return;
	}
	for (i = 0; i < groups->line; i++)
		y[i * groups->line_y] =
			(float)(((double)x[i * groups->line_x] - sub) * mul);
}

void mx_groups_apply(const struct mx_groups *groups,
		     const struct mx_simd_pool *pool,
		     const struct mx_groups_unit *unit, const float *x,
		     const double *sub, const double *mul, float *y)
{
	struct mx_groups_walk walk;

	mx_groups_begin(groups, unit, &walk);
	while (mx_groups_next(groups, &walk)) {
		if (groups->lanes)
			apply_lanes(groups, pool, unit->lanes, x + walk.x, sub,
				    mul, y + walk.y);
		else
			apply_line(groups, pool, x + walk.x, *sub, *mul,
				   y + walk.y);
	}
}
