#include "lib/convolve_impl.h"

#include <string.h>

#include "lib/convolve_pool.h"
#include "lib/network.h"
#include "lib/op.h"
#include "lib/size.h"

/* Where pixel @j of the phase, in picture @n, reads. */
static struct mx_convolve_pixel find_pixel(const struct mx_convolve_part *part,
					   size_t n,
					   const size_t j[MX_SPATIAL_DIMS])
{
	struct mx_convolve_pixel pixel = {.is_inside = 1};
	size_t from = n * part->in.batch_stride;
	unsigned axis;

	for (axis = 0; axis < MX_SPATIAL_DIMS; axis++) {
		const size_t at = j[axis] * part->conv->in_step[axis];

		pixel.at[axis] = (ptrdiff_t)at;
		from += at * part->in.stride[axis];
	}
	pixel.elems = (ptrdiff_t)from;
	return pixel;
}

/* Output pixels [@index, @index + @count) of the tile: those from @j on in a
 * row of picture @n of the phase. */
static void place_run(struct mx_convolve_part *part, size_t index, size_t count,
		      size_t n, const size_t j[MX_SPATIAL_DIMS])
{
	const struct mx_convolve *conv = part->conv;
	const size_t in_step = conv->in_step[MX_SPATIAL_WIDTH];
	const size_t in_elems = in_step * part->in.stride[MX_SPATIAL_WIDTH];
	const size_t out_elems = conv->out_step[MX_SPATIAL_WIDTH] *
				 part->out.stride[MX_SPATIAL_WIDTH];
	struct mx_convolve_pixel pixel = find_pixel(part, n, j);
	float *to =
		part->out.data + n * part->out.batch_stride + part->first_row;
	unsigned axis;
	size_t i;

	for (axis = 0; axis < MX_SPATIAL_DIMS; axis++)
		to += (part->phase[axis] + j[axis] * conv->out_step[axis]) *
		      part->out.stride[axis];
	for (i = index; i < index + count; i++, to += out_elems) {
		part->scratch.pixels[i] = pixel;
		part->scratch.outs[i] = to;
		pixel.at[MX_SPATIAL_WIDTH] += (ptrdiff_t)in_step;
		pixel.elems += (ptrdiff_t)in_elems;
	}
}

/* The tile's pixels from @first on, window by window: their outputs go to
 * scratch memory. */
static void place_windows(struct mx_convolve_part *part, size_t first)
{
	const size_t down = part->out.dim[MX_SPATIAL_HEIGHT];
	const size_t across = part->out.dim[MX_SPATIAL_WIDTH];
	size_t i;

	for (i = 0; i < part->pixel_count; i++) {
		const size_t window = (first + i) / MX_POOL_CORNERS;
		const size_t corner = (first + i) % MX_POOL_CORNERS;
		const size_t n = window / across / down;
		const size_t y = window / across % down, x = window % across;
		const size_t j[MX_SPATIAL_DIMS] = {
			[MX_SPATIAL_HEIGHT] =
				y * MX_POOL_SIDE + corner / MX_POOL_SIDE,
			[MX_SPATIAL_WIDTH] =
				x * MX_POOL_SIDE + corner % MX_POOL_SIDE,
		};

		part->scratch.pixels[i] = find_pixel(part, n, j);
		part->scratch.outs[i] = part->scratch.pooled + i * part->rows;
		part->scratch.windows[i / MX_POOL_CORNERS] =
			part->out.data + n * part->out.batch_stride +
			y * part->out.stride[MX_SPATIAL_HEIGHT] +
			x * part->out.stride[MX_SPATIAL_WIDTH] +
			part->first_row;
	}
}

void mx_convolve_place(struct mx_convolve_part *part, size_t tile)
{
	const struct mx_convolve *conv = part->conv;
	size_t phase = tile / conv->tiles;
	size_t dim[MX_SPATIAL_DIMS];
	size_t total = conv->batch;
	size_t j[MX_SPATIAL_DIMS];
	size_t first, i, q, run;
	unsigned axis;

	for (axis = MX_SPATIAL_DIMS; axis-- > 0;) {
		part->phase[axis] = phase % conv->phases[axis];
		phase /= conv->phases[axis];
		dim[axis] =
			mx_size_div_up(conv->out_dim[axis] - part->phase[axis],
				       conv->out_step[axis]);
		total *= dim[axis];
		part->last[axis] =
			dim[axis] ? (dim[axis] - 1) * conv->in_step[axis] : 0;
	}
	first = mx_size_min(tile % conv->tiles * conv->tile_pixels, total);
	part->pixel_count = mx_size_min(conv->tile_pixels, total - first);
	if (conv->pool) {
		place_windows(part, first);
		return;
	}
	for (axis = MX_SPATIAL_DIMS, q = first; axis-- > 0;) {
		j[axis] = dim[axis] ? q % dim[axis] : 0;
		q = dim[axis] ? q / dim[axis] : 0;
	}
	for (i = 0; i < part->pixel_count; i += run) {
		run = mx_size_min(part->pixel_count - i,
				  dim[MX_SPATIAL_WIDTH] - j[MX_SPATIAL_WIDTH]);
		place_run(part, i, run, q, j);
		j[MX_SPATIAL_WIDTH] = 0;
		for (axis = MX_SPATIAL_WIDTH; axis-- > 0;) {
			if (++j[axis] < dim[axis])
				break;
			j[axis] = 0;
			q += axis == 0;
		}
	}
}

/* Mark the pixels whose whole window, as far as the chunk has it, lies in the
 * picture: that is most of them, and they need no checks. */
static void mark_inside(struct mx_convolve_part *part)
{
	const struct mx_convolve_scratch *s = &part->scratch;
	unsigned axis;
	size_t i;

	for (i = 0; i < part->pixel_count; i++)
		s->pixels[i].is_inside = 1;
	for (axis = 0; axis < MX_SPATIAL_DIMS; axis++) {
		const ptrdiff_t dim = (ptrdiff_t)part->in.dim[axis];
		ptrdiff_t low = 0, high = 0;

		for (i = 0; i < part->position_count; i++) {
			const ptrdiff_t base = s->positions[i].base[axis];

			low = i == 0 || base < low ? base : low;
			high = i == 0 || base > high ? base : high;
		}
		if (low >= 0 && (ptrdiff_t)part->last[axis] + high < dim)
			continue;
		for (i = 0; i < part->pixel_count; i++) {
			const ptrdiff_t at = s->pixels[i].at[axis];

			s->pixels[i].is_inside &=
				at + low >= 0 && at + high < dim;
		}
	}
}

/* The input that @position reads for @pixel. */
static const float *find_input(const struct mx_convolve_part *part,
			       const struct mx_convolve_pixel *pixel,
			       const struct mx_convolve_position *position)
{
	unsigned axis;

	for (axis = 0; !pixel->is_inside && axis < MX_SPATIAL_DIMS; axis++)
		/* Before the picture it wraps around and is too large. */
		if ((size_t)(pixel->at[axis] + position->base[axis]) >=
		    part->in.dim[axis])
			return part->scratch.zeros;
	return part->in.data + (pixel->elems + position->elems);
}

/* Whether a kernel row's pixels lie side by side in the input. */
static int rows_are_runs(const struct mx_convolve_part *part)
{
	return part->conv->spatial.dilation[MX_SPATIAL_WIDTH] == 1 &&
	       part->in.stride[MX_SPATIAL_WIDTH] == part->in.channels;
}

/* Copy the window of @pixel, position by position, or row by row where the
 * row is inside of the picture and without gaps. */
static void copy_patch(const struct mx_convolve_part *part,
		       const struct mx_convolve_pixel *pixel, int is_runs,
		       float *to)
{
	const size_t run = part->in.channels;
	const size_t width = part->conv->spatial.kernel[MX_SPATIAL_WIDTH];
	const struct mx_convolve_position *position = part->scratch.positions;
	size_t p, i;

	for (p = 0; p < part->position_count; p += width) {
		const float *begin = find_input(part, pixel, &position[p]);
		const float *end =
			find_input(part, pixel, &position[p + width - 1]);

		if (is_runs && begin != part->scratch.zeros &&
		    end != part->scratch.zeros) {
			memcpy(to, begin, width * run * sizeof(*to));
			to += width * run;
			continue;
		}
		for (i = 0; i < width; i++, to += run)
			memcpy(to, find_input(part, pixel, &position[p + i]),
			       run * sizeof(*to));
	}
}

static void fill_table(struct mx_convolve_part *part, size_t calls)
{
	const struct mx_convolve_scratch *s = &part->scratch;
	const float **to = s->table;
	const size_t pixels = part->pixel_count / calls;
	const size_t rest = part->pixel_count % calls;
	size_t begin = 0, call, end, p, i;

	for (call = 0; call < calls; call++, begin = end) {
		end = begin + pixels + (call < rest);
		for (p = 0; p < part->position_count; p++)
			for (i = begin; i < end; i++)
				*to++ = find_input(part, &s->pixels[i],
						   &s->positions[p]);
	}
}

static void fill_patches(struct mx_convolve_part *part)
{
	const struct mx_convolve_scratch *s = &part->scratch;
	const size_t row = part->args->layer->weights.row_elems;
	const int is_runs = rows_are_runs(part);
	size_t i;

	for (i = 0; i < part->pixel_count; i++) {
		copy_patch(part, &s->pixels[i], is_runs, s->patches + i * row);
		s->table[i] = s->patches + i * row;
	}
}

void mx_convolve_fill(struct mx_convolve_part *part, size_t calls)
{
	mark_inside(part);
	if (part->way == MX_CONVOLVE_PATCHES)
		fill_patches(part);
	else
		fill_table(part, calls);
}
