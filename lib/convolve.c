#include "lib/convolve.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "lib/simd.h"
#include "lib/simd_conv.h"
#include "lib/simd_map.h"
#include "lib/size.h"

/*
 * Invariants:
 *
 *  (1) A part is a block of rows on a tile of pixels, and nothing else is
 *      written: parts run side by side.
 *  (2) An output is the bias plus the sum of each chunk of positions in order.
 *      Chunks are the shape's; how tiles are cut changes no bit (simd_conv.h).
 *  (3) Between two chunks the output holds unclamped sums.
 */

#define SCRATCH_ALIGN_BYTES 64
/* Depthwise has no registers that limit the pixels of a call. */
#define DEPTHWISE_PIXELS 16
#define CALL_PIXELS_MAX 16

_Static_assert(MX_CONV_PIXELS_MAX <= CALL_PIXELS_MAX, "a call's outputs fit");

/* One kernel position that reaches the input in the tile's phase. */
struct position {
	size_t index; /* in the window */
	ptrdiff_t base[MX_SPATIAL_DIMS];
	ptrdiff_t elems; /* base, in elements */
};

/* One output pixel: where a position of base 0 reads the input. */
struct pixel {
	ptrdiff_t at[MX_SPATIAL_DIMS];
	ptrdiff_t elems; /* at, in elements from the first picture */
	int is_inside; /* no position of the chunk reads the padding */
};

/* What the scratch memory holds. */
struct scratch {
	struct pixel *pixels; /* [tile_pixels] */
	float **outs; /* [tile_pixels] */
	struct position *positions; /* [chunk] */
	size_t *at; /* [chunk]: positions' row elements in the weights, */
	size_t *packed_at; /* and in `panel` */
	const float **table; /* struct mx_conv_work, x, tile by tile */
	float *zeros; /* a pixel of the padding */
	float *panel; /* a chunk of a short panel, filled up with zeros */
	float *patches; /* [tile_pixels][row_elems] */
};

/* A part while it is computed. */
struct part {
	const struct mx_op_args *args;
	const struct mx_convolve *conv;
	const struct mx_simd_conv *simd;
	struct mx_spatial_map in;
	struct mx_spatial_map out;
	struct scratch scratch;
	/* the tile */
	size_t phase[MX_SPATIAL_DIMS];
	size_t pixel_count;
	size_t position_count; /* of the current chunk */
	/* the block */
	size_t first_row;
	size_t rows;
	const float *matrix;
	const float *bias;
	const float *slope; /* NULL unless the activation is PRELU */
	/* what goes into every call, for the current chunk */
	struct mx_conv_work work;
	float *out_at[CALL_PIXELS_MAX]; /* work.out */
	int is_first_chunk;
};

static size_t group_channels(const struct mx_convolve *conv)
{
	return conv->in_channels / conv->spatial.groups;
}

/* Give out @bytes at *@used, which grows; @base NULL only counts. */
static void *carve(unsigned char *base, size_t *used, size_t bytes)
{
	const size_t at = *used;

	*used += mx_size_round_up(bytes, SCRATCH_ALIGN_BYTES);
	return base ? base + at : NULL;
}

/* Lay the scratch memory out; returns its size. */
static size_t lay_out(const struct mx_layer *layer, void *base,
		      struct scratch *s)
{
	const struct mx_convolve *conv = layer->params;
	const size_t pixels = conv->tile_pixels;
	const size_t chunk = conv->chunk;
	const size_t row = layer->weights.row_elems;
	const int patches = conv->way == MX_CONVOLVE_PATCHES;
	const int depthwise = conv->way == MX_CONVOLVE_DEPTHWISE;
	size_t used = 0;

	s->pixels = carve(base, &used, pixels * sizeof(*s->pixels));
	s->outs = carve(base, &used, pixels * sizeof(*s->outs));
	s->positions = carve(base, &used, chunk * sizeof(*s->positions));
	s->at = carve(base, &used, chunk * sizeof(*s->at));
	s->packed_at = carve(base, &used, chunk * sizeof(*s->packed_at));
	s->table = carve(base, &used,
			 pixels * (patches ? 1 : chunk) * sizeof(*s->table));
	s->zeros = carve(base, &used, conv->in_channels * sizeof(*s->zeros));
	s->panel = carve(base, &used,
			 depthwise ? 0
				   : chunk * group_channels(conv) *
					     MX_CONV_PANEL_ROWS *
					     sizeof(*s->panel));
	s->patches = carve(base, &used,
			   patches ? pixels * row * sizeof(*s->patches) : 0);
	return used;
}

size_t mx_convolve_scratch_bytes(const struct mx_layer *layer)
{
	struct scratch scratch;

	return lay_out(layer, NULL, &scratch);
}

/* Where kernel index @k of an axis reads, for the pixel at 0 of the phase.
 * Returns 0 if it reads nothing in this phase. */
static int find_base(const struct part *part, unsigned axis, size_t k,
		     ptrdiff_t *base)
{
	const struct mx_spatial *spatial = &part->conv->spatial;
	const ptrdiff_t reach = (ptrdiff_t)(k * spatial->dilation[axis]);
	const ptrdiff_t pad = (ptrdiff_t)spatial->pad_begin[axis];
	const ptrdiff_t stride = (ptrdiff_t)spatial->stride[axis];
	ptrdiff_t from;

	if (part->conv->direction == MX_CONVOLVE_FORWARD) {
		*base = reach - pad;
		return 1;
	}
	from = (ptrdiff_t)part->phase[axis] + pad - reach;
	*base = from / stride;
	return from % stride == 0;
}

/* Output pixel @index of the tile: pixel @j of picture @n of the phase. */
static void place_pixel(struct part *part, size_t index, size_t n,
			const size_t j[MX_SPATIAL_DIMS])
{
	const struct mx_convolve *conv = part->conv;
	struct pixel *pixel = &part->scratch.pixels[index];
	size_t from = n * part->in.batch_stride;
	size_t to = n * part->out.batch_stride + part->first_row;
	unsigned axis;

	for (axis = 0; axis < MX_SPATIAL_DIMS; axis++) {
		const size_t at = j[axis] * conv->in_step[axis];

		pixel->at[axis] = (ptrdiff_t)at;
		from += at * part->in.stride[axis];
		to += (part->phase[axis] + j[axis] * conv->out_step[axis]) *
		      part->out.stride[axis];
	}
	pixel->elems = (ptrdiff_t)from;
	part->scratch.outs[index] = part->out.data + to;
}

/* Set the tile: which phase, which pixels of it. */
static void locate_pixels(struct part *part, size_t tile)
{
	const struct mx_convolve *conv = part->conv;
	size_t phase = tile / conv->tiles;
	size_t dim[MX_SPATIAL_DIMS];
	size_t total = conv->batch;
	size_t j[MX_SPATIAL_DIMS];
	size_t first, i, q;
	unsigned axis;

	for (axis = MX_SPATIAL_DIMS; axis-- > 0;) {
		part->phase[axis] = phase % conv->phases[axis];
		phase /= conv->phases[axis];
		dim[axis] =
			mx_size_div_up(conv->out_dim[axis] - part->phase[axis],
				       conv->out_step[axis]);
		total *= dim[axis];
	}
	first = mx_size_min(tile % conv->tiles * conv->tile_pixels, total);
	part->pixel_count = mx_size_min(conv->tile_pixels, total - first);
	for (axis = MX_SPATIAL_DIMS, q = first; axis-- > 0;) {
		j[axis] = dim[axis] ? q % dim[axis] : 0;
		q = dim[axis] ? q / dim[axis] : 0;
	}
	for (i = 0; i < part->pixel_count; i++) {
		place_pixel(part, i, q, j);
		for (axis = MX_SPATIAL_DIMS; axis-- > 0;) {
			if (++j[axis] < dim[axis])
				break;
			j[axis] = 0;
			q += axis == 0;
		}
	}
}

/* Mark the pixels whose whole window, as far as the chunk has it, lies in the
 * picture: that is most of them, and they need no checks. */
static void mark_inside(struct part *part)
{
	const struct scratch *s = &part->scratch;
	unsigned axis;
	size_t i;

	for (i = 0; i < part->pixel_count; i++)
		s->pixels[i].is_inside = part->position_count > 0;
	if (part->position_count == 0)
		return;
	for (axis = 0; axis < MX_SPATIAL_DIMS; axis++) {
		ptrdiff_t low = s->positions[0].base[axis];
		ptrdiff_t high = low;

		for (i = 1; i < part->position_count; i++) {
			const ptrdiff_t base = s->positions[i].base[axis];

			low = base < low ? base : low;
			high = base > high ? base : high;
		}
		for (i = 0; i < part->pixel_count; i++) {
			const ptrdiff_t at = s->pixels[i].at[axis];

			s->pixels[i].is_inside &=
				at + low >= 0 &&
				at + high < (ptrdiff_t)part->in.dim[axis];
		}
	}
}

/* The input that @position reads for @pixel. */
static const float *find_input(const struct part *part,
			       const struct pixel *pixel,
			       const struct position *position)
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
static int rows_are_runs(const struct part *part)
{
	return part->conv->spatial.dilation[MX_SPATIAL_WIDTH] == 1 &&
	       part->in.stride[MX_SPATIAL_WIDTH] == part->in.channels;
}

/* Copy the window of @pixel, position by position, or row by row where the
 * row is inside of the picture and without gaps. */
static void copy_patch(const struct part *part, const struct pixel *pixel,
		       int is_runs, float *to)
{
	const size_t run = part->in.channels;
	const size_t width = part->conv->spatial.kernel[MX_SPATIAL_WIDTH];
	const struct position *position = part->scratch.positions;
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

/* Pixels that one call takes, when @per_call is the most. */
static size_t call_count(const struct part *part, size_t per_call)
{
	return mx_size_div_up(part->pixel_count, per_call);
}

/* Where call @call begins: calls are of about equal size. */
static size_t call_begin(const struct part *part, size_t calls, size_t call)
{
	return call * part->pixel_count / calls;
}

static void fill_table(struct part *part, size_t calls)
{
	const struct scratch *s = &part->scratch;
	const float **to = s->table;
	size_t call, p, i;

	for (call = 0; call < calls; call++) {
		const size_t begin = call_begin(part, calls, call);
		const size_t end = call_begin(part, calls, call + 1);

		for (p = 0; p < part->position_count; p++)
			for (i = begin; i < end; i++)
				*to++ = find_input(part, &s->pixels[i],
						   &s->positions[p]);
	}
}

static void fill_patches(struct part *part)
{
	const struct scratch *s = &part->scratch;
	const size_t row = part->args->layer->weights.row_elems;
	const int is_runs = rows_are_runs(part);
	size_t i;

	for (i = 0; i < part->pixel_count; i++) {
		copy_patch(part, &s->pixels[i], is_runs, s->patches + i * row);
		s->table[i] = s->patches + i * row;
	}
}

/* A chunk of a panel of @width rows with its rows filled up to a whole one. */
static void fill_panel(const struct part *part, const float *panel,
		       size_t width)
{
	const struct scratch *s = &part->scratch;
	const size_t run = part->work.run;
	float *to = s->panel;
	size_t p, k;

	for (p = 0; p < part->work.positions; p++) {
		const float *from = panel + s->at[p] * width;

		for (k = 0; k < run; k++, from += width) {
			memcpy(to, from, width * sizeof(*to));
			memset(to + width, 0,
			       (MX_CONV_PANEL_ROWS - width) * sizeof(*to));
			to += MX_CONV_PANEL_ROWS;
		}
		s->packed_at[p] = p * run;
	}
}

/* The calls for rows [@row, @row + part->work.rows) of the block. */
static void run_calls(struct part *part, size_t calls, size_t row,
		      void (*kernel)(const struct mx_conv_work *))
{
	struct mx_conv_work *work = &part->work;
	size_t call, i;

	work->bias = part->is_first_chunk ? part->bias + row : NULL;
	for (call = 0; call < calls; call++) {
		const size_t begin = call_begin(part, calls, call);

		work->pixels = call_begin(part, calls, call + 1) - begin;
		work->x = part->scratch.table + begin * work->positions;
		for (i = 0; i < work->pixels; i++)
			part->out_at[i] = part->scratch.outs[begin + i] + row;
		kernel(work);
	}
}

/* Rows of the panel at @row of the block, which has fewer in the last. */
static size_t panel_width(const struct part *part, size_t row)
{
	return mx_size_min(part->args->layer->weights.panel_rows,
			   part->rows - row);
}

/* How many panels from @row on one call can take: whole ones of one group. */
static size_t panels_at(const struct part *part, size_t row)
{
	const struct mx_convolve *conv = part->conv;
	const size_t group_rows = conv->out_channels / conv->spatial.groups;
	const size_t in_group = (part->first_row + row) % group_rows;
	const size_t left =
		mx_size_min(part->rows - row, group_rows - in_group);

	if (part->args->layer->weights.panel_rows < MX_CONV_PANEL_ROWS)
		return 1;
	return mx_size_max(
		mx_size_min(left / MX_CONV_PANEL_ROWS, part->simd->panels), 1);
}

/* All panels of the block on the current chunk. */
static void run_panels(struct part *part, size_t calls)
{
	const struct mx_convolve *conv = part->conv;
	const size_t group_rows = conv->out_channels / conv->spatial.groups;
	const size_t elems = part->args->layer->weights.row_elems;
	struct mx_conv_work *work = &part->work;
	size_t row, i;

	for (row = 0; row < part->rows; row += work->rows) {
		const size_t width = panel_width(part, row);
		const size_t group = (part->first_row + row) / group_rows;

		work->panels = panels_at(part, row);
		work->x_offset = group * group_channels(conv);
		work->rows = width * work->panels;
		work->at = part->scratch.at;
		for (i = 0; i < work->panels; i++)
			work->weights[i] =
				part->matrix + (row + i * width) * elems;
		if (width < MX_CONV_PANEL_ROWS) {
			fill_panel(part, part->matrix + row * elems, width);
			work->weights[0] = part->scratch.panel;
			work->at = part->scratch.packed_at;
		}
		run_calls(part, calls, row, part->simd->gemm);
	}
}

static void run_depthwise(struct part *part, size_t calls)
{
	part->work.rows = part->rows;
	part->work.x_offset = part->first_row;
	part->work.weights[0] = part->matrix;
	part->work.weight_step = part->rows;
	part->work.at = part->scratch.at;
	run_calls(part, calls, 0, part->simd->depthwise);
}

/* Compute what the collected positions add. */
static void run_chunk(struct part *part)
{
	const struct mx_convolve *conv = part->conv;
	const struct scratch *s = &part->scratch;
	const size_t run = group_channels(conv);
	size_t calls, p;

	mark_inside(part);
	for (p = 0; p < part->position_count; p++)
		s->at[p] = s->positions[p].index * run;
	part->work.positions = part->position_count;
	part->work.run = run;
	switch (conv->way) {
	case MX_CONVOLVE_DEPTHWISE:
		calls = call_count(part, DEPTHWISE_PIXELS);
		fill_table(part, calls);
		run_depthwise(part, calls);
		break;
	case MX_CONVOLVE_PATCHES:
		calls = call_count(part, part->simd->pixels);
		fill_patches(part);
		/* A patch is one long position. */
		part->work.run = run * part->position_count;
		part->work.positions = 1;
		run_panels(part, calls);
		break;
	case MX_CONVOLVE_DIRECT:
		calls = call_count(part, part->simd->pixels);
		fill_table(part, calls);
		run_panels(part, calls);
		break;
	}
	part->is_first_chunk = 0;
	part->position_count = 0;
}

/* What the activation comes to that a clamp can do. Returns 1 if it is all. */
static int find_clamp(const struct mx_activation *act, float *low, float *high)
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

/* The last chunk, after which the sums are complete. */
static void finish_tile(struct part *part)
{
	const struct mx_activation *act = &part->conv->act;
	const int is_clamp = find_clamp(act, &part->work.low, &part->work.high);
	size_t i;

	run_chunk(part);
	if (is_clamp)
		return;
	for (i = 0; i < part->pixel_count; i++)
		part->args->simd->map->activate(act, part->scratch.outs[i],
						part->rows, part->slope);
}

static void add_position(struct part *part, size_t index, const ptrdiff_t *base)
{
	struct position *position;
	unsigned axis;

	if (part->position_count == part->conv->chunk)
		run_chunk(part);
	position = &part->scratch.positions[part->position_count++];
	position->index = index;
	position->elems = 0;
	for (axis = 0; axis < MX_SPATIAL_DIMS; axis++) {
		position->base[axis] = base[axis];
		position->elems +=
			base[axis] * (ptrdiff_t)part->in.stride[axis];
	}
}

static void run_tile(struct part *part)
{
	const size_t *kernel = part->conv->spatial.kernel;
	ptrdiff_t base[MX_SPATIAL_DIMS];
	size_t d, h, w;

	part->is_first_chunk = 1;
	part->position_count = 0;
	part->work.low = -INFINITY;
	part->work.high = INFINITY;
	for (d = 0; d < kernel[MX_SPATIAL_DEPTH]; d++) {
		if (!find_base(part, MX_SPATIAL_DEPTH, d,
			       &base[MX_SPATIAL_DEPTH]))
			continue;
		for (h = 0; h < kernel[MX_SPATIAL_HEIGHT]; h++) {
			if (!find_base(part, MX_SPATIAL_HEIGHT, h,
				       &base[MX_SPATIAL_HEIGHT]))
				continue;
			for (w = 0; w < kernel[MX_SPATIAL_WIDTH]; w++)
				if (find_base(part, MX_SPATIAL_WIDTH, w,
					      &base[MX_SPATIAL_WIDTH]))
					add_position(
						part,
						(d * kernel[MX_SPATIAL_HEIGHT] +
						 h) * kernel[MX_SPATIAL_WIDTH] +
							w,
						base);
		}
	}
	finish_tile(part);
}

static void set_block(struct part *part, size_t block)
{
	const struct mx_weight_spec *spec = &part->args->layer->weights;
	const void *bytes = mx_op_block(part->args, block);

	part->first_row = block * spec->block_rows;
	part->rows = (size_t)mx_weight_block_rows(spec, block);
	part->matrix = bytes;
	part->bias = part->matrix + part->rows * spec->row_elems;
	part->slope = spec->vectors > 1 ? part->bias + part->rows : NULL;
}

void mx_convolve_run(const struct mx_op_args *args, struct mx_range parts)
{
	struct part part;
	size_t p;

	memset(&part, 0, sizeof(part));
	part.args = args;
	part.conv = args->layer->params;
	part.simd = args->simd->conv;
	part.work.out = part.out_at;
	mx_spatial_map_init(&part.in, &args->in[0]);
	mx_spatial_map_init(&part.out, &args->out[0]);
	(void)lay_out(args->layer, args->scratch, &part.scratch);
	memset(part.scratch.zeros, 0,
	       part.conv->in_channels * sizeof(*part.scratch.zeros));
	for (p = parts.begin; p < parts.end; p++) {
		set_block(&part, p / args->layer->tile_count);
		locate_pixels(&part, p % args->layer->tile_count);
		if (part.pixel_count)
			run_tile(&part);
	}
}
