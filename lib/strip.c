#include "lib/strip.h"

#include <string.h>

#include "lib/activation.h"
#include "lib/convolve.h"
#include "lib/convolve_pool.h"
#include "lib/simd.h"
#include "lib/simd_map.h"
#include "lib/simd_strip.h"
#include "lib/size.h"
#include "lib/spatial.h"

/*
 * Invariants:
 *
 *  (1) A part is a block of rows on a tile of lines, or a tile of a block's
 *      rows on the only line, and writes nothing else.
 *  (2) An output is one chain of sums, which no cut changes (simd_strip.h).
 *  (3) The rows of a block fall into segments, each of one group; a segment's
 *      panels are whole but for its last one (mx_strip_blocks).
 */

/* A part should be worth handing to a thread; so many are enough. */
#define PART_MACS ((size_t)512 << 10)
#define PARTS_WANTED ((size_t)16)
/* Weights that are worth handing to a thread where each is used once. */
#define PART_BYTES ((size_t)128 << 10)
/* What a tile reads, and the panels it meets, stay in cache together. */
#define TILE_BYTES ((size_t)192 << 10)
#define PANELS_BYTES ((size_t)256 << 10)
#define BLOCK_BYTES ((size_t)1 << 20)
/* A block that is one group of odd rows may be larger. */
#define GROUP_BYTES ((size_t)4 << 20)
/* Pixels that make a few strips of any instruction set. */
#define PIXELS_UNIT ((size_t)14)
#define PIXELS_MIN (8 * PIXELS_UNIT)
#define BLOCK_UNIT ((size_t)MX_CONV_PANEL_ROWS * MX_CONV_PANELS_MAX)
#define SCRATCH_ALIGN_BYTES ((size_t)64)
/* Pooled, so much of a pair of lines is worked on at once. */
#define POOLED_PIXELS (2 * PIXELS_UNIT)
#define POOLED_ROWS (4 * (size_t)MX_CONV_PANEL_ROWS)
/* Copying rows pays when the runs of channels are short. */
#define COPIED_CHANNELS ((size_t)8)
#define COPIED_ELEMS ((size_t)1024)
#define ALIAS_BYTES ((size_t)4096)
#define CACHE_WAYS ((size_t)8)

#define D MX_SPATIAL_DEPTH
#define H MX_SPATIAL_HEIGHT
#define W MX_SPATIAL_WIDTH

/* What the scratch memory holds. */
struct scratch {
	float *tail; /* a short panel filled up with zeros */
	const float **x; /* [positions] */
	float *rows; /* the copied rows, [slot][slot_elems] */
	size_t *held; /* [slot]: the picture's row in it, from 1 on */
	float *pooled; /* [POOL_SIDE][POOLED_PIXELS][rows] */
};

/* A part while it is computed. */
struct part {
	const struct mx_op_args *args;
	const struct mx_convolve *conv;
	struct mx_spatial_map in;
	struct mx_spatial_map out;
	struct scratch scratch;
	size_t lines; /* the tile */
	size_t first_line;
	size_t first_row; /* the block */
	size_t rows;
	size_t tile_row; /* of which [tile_row, tile_end) are the tile's */
	size_t tile_end;
	const float *matrix;
	const float *bias;
	const float *slope; /* NULL unless the activation is PRELU */
	int is_clamp;
	struct mx_strip strip; /* what all strips of some rows share */
};

static size_t group_channels(const struct mx_convolve *conv)
{
	return conv->in_channels / conv->spatial.groups;
}

static size_t group_rows(const struct mx_convolve *conv)
{
	return conv->out_channels / conv->spatial.groups;
}

static size_t row_elems(const struct mx_convolve *conv)
{
	return mx_spatial_window(&conv->spatial) * group_channels(conv);
}

static int is_copied(const struct mx_convolve *conv)
{
	return mx_spatial_window(&conv->spatial) > 1;
}

/* All output pixels read one even row of input pixels. */
static int is_even(const struct mx_convolve *conv)
{
	const size_t *stride = conv->spatial.stride;

	return !is_copied(conv) && stride[D] == 1 && stride[H] == 1 &&
	       stride[W] == 1;
}

/* --- the plan ------------------------------------------------------------ */

/* Whether rows of a group can be cut as invariant (3) says. */
static int panels_fit(const struct mx_convolve *conv)
{
	const size_t rows = group_rows(conv);

	return conv->spatial.groups == 1 || rows <= MX_CONV_PANEL_ROWS ||
	       rows % MX_CONV_PANEL_ROWS == 0 ||
	       rows <= GROUP_BYTES / sizeof(float) / row_elems(conv);
}

static int suits(const struct mx_convolve *conv)
{
	const struct mx_spatial *s = &conv->spatial;
	const size_t channels = group_channels(conv);
	unsigned i;

	if (conv->direction != MX_CONVOLVE_FORWARD || !panels_fit(conv))
		return 0;
	for (i = 0; i < MX_SPATIAL_DIMS; i++)
		if (conv->in_dim[i] == 0)
			return 0;
	if (is_copied(conv))
		return s->groups == 1 && s->rank == 2 && s->dilation[W] == 1 &&
		       channels <= COPIED_CHANNELS &&
		       row_elems(conv) <= COPIED_ELEMS;
	for (i = 0; i < MX_SPATIAL_DIMS; i++)
		if (s->pad_begin[i] || s->pad_end[i])
			return 0;
	return is_even(conv) || s->rank == 2;
}

/* Lines are pixels where these are even, and rows of the output else. */
static size_t line_count(const struct mx_convolve *conv)
{
	const size_t lines = conv->batch * conv->out_dim[D] * conv->out_dim[H];

	return is_even(conv) ? lines * conv->out_dim[W] : lines;
}

/* How many parts the layer is worth. */
static size_t parts_wanted(const struct mx_convolve *conv)
{
	const size_t elems = conv->batch * conv->out_dim[D] * conv->out_dim[H] *
			     conv->out_dim[W] * conv->out_channels;
	const size_t parts = elems / mx_size_div_up(PART_MACS, row_elems(conv));

	return mx_size_max(mx_size_min(parts, PARTS_WANTED), 1);
}

/* Rows of a block, where there is one group, given the tiles of lines. */
static size_t block_rows(const struct mx_convolve *conv, size_t tiles)
{
	const size_t elems = row_elems(conv);
	const size_t count = mx_size_div_up(parts_wanted(conv), tiles);
	const size_t block = mx_size_min(
		mx_size_round_up(mx_size_div_up(conv->out_channels, count),
				 BLOCK_UNIT),
		BLOCK_BYTES / sizeof(float) / elems);

	return mx_size_max(block / BLOCK_UNIT, 1) * BLOCK_UNIT;
}

/* One pixel reads each weight once: cut the rows, for which a panel's bounds
 * do as well as a block's. */
static void cut_rows(struct mx_convolve *conv)
{
	const size_t block =
		mx_size_min(block_rows(conv, 1), conv->out_channels);
	const size_t rows = PART_BYTES / sizeof(float) / row_elems(conv);

	conv->tile_rows =
		mx_size_max(mx_size_round_up(rows, BLOCK_UNIT), BLOCK_UNIT);
	conv->tiles = mx_size_div_up(block, conv->tile_rows);
}

int mx_strip_plan(struct mx_convolve *conv)
{
	const size_t lines = line_count(conv);
	size_t line_bytes, most, tiles, unit;

	if (!suits(conv))
		return 0;
	conv->way = MX_CONVOLVE_STRIPS;
	line_bytes = conv->in_channels * sizeof(float);
	unit = is_even(conv) ? PIXELS_UNIT : conv->pool ? MX_POOL_SIDE : 1;
	if (!is_even(conv))
		line_bytes = mx_size_min(line_bytes, TILE_BYTES) *
			     conv->out_dim[W] * conv->spatial.stride[H] *
			     conv->spatial.stride[W];
	most = mx_size_max(TILE_BYTES / line_bytes / unit, 1) * unit;
	tiles = mx_size_min(parts_wanted(conv),
			    is_even(conv) ? lines / PIXELS_MIN : lines);
	tiles = mx_size_max(tiles, mx_size_div_up(lines, most));
	tiles = mx_size_max(tiles, 1);
	conv->tile_pixels = mx_size_max(mx_size_div_up(lines, tiles), 1);
	if (tiles > 1)
		conv->tile_pixels = mx_size_round_up(conv->tile_pixels, unit);
	conv->tiles = mx_size_max(mx_size_div_up(lines, conv->tile_pixels), 1);
	conv->tile_rows = 0;
	if (lines == 1 && is_even(conv) && conv->spatial.groups == 1)
		cut_rows(conv);
	return 1;
}

int mx_strip_blocks(const struct mx_convolve *conv, struct mx_weight_spec *spec)
{
	const size_t rows = group_rows(conv);
	size_t block = rows;

	if (conv->way != MX_CONVOLVE_STRIPS)
		return 0;
	if (conv->spatial.groups == 1)
		block = block_rows(conv, conv->tile_rows ? 1 : conv->tiles);
	else if (rows <= MX_CONV_PANEL_ROWS || rows % MX_CONV_PANEL_ROWS == 0)
		return 0;
	spec->panel_rows = MX_CONV_PANEL_ROWS;
	spec->block_rows = (uint32_t)block;
	return 1;
}

/* --- scratch memory ------------------------------------------------------ */

/* Pixels of a copied row: the picture and what its windows see beside it. */
static size_t copied_pixels(const struct mx_convolve *conv)
{
	const struct mx_spatial *s = &conv->spatial;
	const size_t seen =
		(conv->out_dim[W] - 1) * s->stride[W] + mx_spatial_extent(s, W);

	return mx_size_max(seen, s->pad_begin[W] + conv->in_dim[W]);
}

static size_t slot_elems(const struct mx_convolve *conv)
{
	return mx_size_round_up(copied_pixels(conv) * conv->in_channels,
				SCRATCH_ALIGN_BYTES / sizeof(float));
}

/* Rows that the windows of a line, or of those that are pooled, reach over:
 * more than that need not be held. */
static size_t slot_count(const struct mx_convolve *conv)
{
	const size_t lines = mx_size_max(conv->pool, 1);

	return (lines - 1) * conv->spatial.stride[H] +
	       mx_spatial_extent(&conv->spatial, H);
}

/* As many rows as stay in cache with their weights. */
static size_t rows_at_once(const struct mx_convolve *conv)
{
	const size_t rows = PANELS_BYTES / sizeof(float) / row_elems(conv);
	const size_t most = mx_size_max(rows / BLOCK_UNIT, 1) * BLOCK_UNIT;

	return conv->pool ? mx_size_min(most, POOLED_ROWS) : most;
}

/* Give out @bytes at *@used, which grows; @base NULL only counts. */
static void *carve(unsigned char *base, size_t *used, size_t bytes)
{
	const size_t at = *used;

	*used += mx_size_round_up(bytes, SCRATCH_ALIGN_BYTES);
	return base ? base + at : NULL;
}

static size_t lay_out(const struct mx_convolve *conv, void *base,
		      struct scratch *s)
{
	const size_t slots = is_copied(conv) ? slot_count(conv) : 0;
	const size_t slot = slots ? slot_elems(conv) : 0;
	size_t used = 0;

	s->tail = carve(base, &used,
			row_elems(conv) * MX_CONV_PANEL_ROWS * sizeof(float));
	s->x = carve(base, &used, conv->spatial.kernel[H] * sizeof(*s->x));
	s->held = carve(base, &used, slots * sizeof(*s->held));
	s->rows = carve(base, &used, slots * slot * sizeof(float));
	s->pooled = carve(base, &used,
			  conv->pool * POOLED_PIXELS * rows_at_once(conv) *
				  sizeof(float));
	return used;
}

size_t mx_strip_scratch_bytes(const struct mx_layer *layer)
{
	struct scratch scratch;

	return lay_out(layer->params, NULL, &scratch);
}

/* --- copied rows --------------------------------------------------------- */

static void forget_rows(struct part *part)
{
	const struct mx_convolve *conv = part->conv;
	const size_t slots = slot_count(conv);

	memset(part->scratch.held, 0, slots * sizeof(size_t));
	memset(part->scratch.rows, 0, slots * slot_elems(conv) * sizeof(float));
}

/* Row @row of picture @n, with its padding. Row numbers count from the top of
 * the padding, so that each has a slot of its own among its neighbours. */
static const float *hold_row(struct part *part, size_t n, size_t row)
{
	const struct mx_convolve *conv = part->conv;
	const struct mx_spatial *s = &conv->spatial;
	const size_t slot = row % slot_count(conv);
	const size_t channels = conv->in_channels;
	const size_t width = conv->in_dim[W];
	float *to = part->scratch.rows + slot * slot_elems(conv) +
		    s->pad_begin[W] * channels;
	const float *from;
	size_t i;

	if (part->scratch.held[slot] == row + 1)
		return to - s->pad_begin[W] * channels;
	part->scratch.held[slot] = row + 1;
	if (row < s->pad_begin[H] || row - s->pad_begin[H] >= conv->in_dim[H]) {
		memset(to, 0, width * channels * sizeof(*to));
		return to - s->pad_begin[W] * channels;
	}
	from = part->in.data + n * part->in.batch_stride +
	       (row - s->pad_begin[H]) * part->in.stride[H];
	if (part->in.stride[W] == channels)
		memcpy(to, from, width * channels * sizeof(*to));
	else
		for (i = 0; i < width; i++)
			memcpy(to + i * channels, from + i * part->in.stride[W],
			       channels * sizeof(*to));
	return to - s->pad_begin[W] * channels;
}

/* --- running ------------------------------------------------------------- */

/* What a clamp cannot do, on @rows rows of @pixels pixels just written. */
static void activate(const struct part *part, const struct mx_strip *strip,
		     const float *slope)
{
	const struct mx_simd_map *map = part->args->simd->map;
	const struct mx_activation *act = &part->conv->act;
	size_t i;

	if (!slope && strip->out_step == strip->rows) {
		map->activate(act, strip->out, strip->pixels * strip->rows,
			      NULL);
		return;
	}
	for (i = 0; i < strip->pixels; i++)
		map->activate(act, strip->out + i * strip->out_step,
			      strip->rows, slope);
}

/* Pixels a multiple of ALIAS_BYTES apart fall into one set of a first-level
 * cache: strips of more than its ways would read each line many times. */
static int is_aliased(const struct mx_strip *strip)
{
	return strip->x_step * sizeof(float) % ALIAS_BYTES == 0;
}

/* @pixels pixels of a line whose first one is at @out and reads part's
 * scratch.x, in strips of about equal size. */
static void run_strips(struct part *part, size_t pixels, float *out,
		       const float *slope)
{
	const struct mx_simd_strip *simd = part->args->simd->strip;
	struct mx_strip *strip = &part->strip;
	const size_t most = pixels > CACHE_WAYS && is_aliased(strip)
				    ? simd->narrow
				    : simd->pixels;
	const size_t count = mx_size_div_up(pixels, most);
	const float **x = part->scratch.x;
	size_t i, p;

	for (i = 0; i < count; i++) {
		strip->pixels = (i + 1) * pixels / count - i * pixels / count;
		strip->out = out;
		simd->product(strip);
		if (!part->is_clamp)
			activate(part, strip, slope);
		out += strip->pixels * strip->out_step;
		for (p = 0; p < strip->positions; p++)
			x[p] += strip->pixels * strip->x_step;
	}
}

/* Copied: what pixel @w of line @h of picture @n reads. */
static void find_rows(struct part *part, size_t n, size_t h, size_t w)
{
	const struct mx_spatial *s = &part->conv->spatial;
	size_t row = h * s->stride[H], p;

	if (h == 0 && w == 0)
		forget_rows(part);
	for (p = 0; p < part->strip.positions; p++, row += s->dilation[H])
		part->scratch.x[p] =
			hold_row(part, n, row) + w * part->strip.x_step;
}

static void run_line(struct part *part, size_t index, size_t channel,
		     size_t row, const float *slope)
{
	const struct mx_convolve *conv = part->conv;
	const struct mx_spatial *s = &conv->spatial;
	const size_t n = index / conv->out_dim[H];
	const size_t h = index % conv->out_dim[H];
	float *out = part->out.data + n * part->out.batch_stride +
		     h * part->out.stride[H] + row;

	if (is_copied(conv))
		find_rows(part, n, h, 0);
	else
		part->scratch.x[0] = part->in.data + n * part->in.batch_stride +
				     h * s->stride[H] * part->in.stride[H] +
				     channel;
	run_strips(part, conv->out_dim[W], out, slope);
}

/* Lines @index and the next, of which only the maxima of windows are kept. */
static void run_pooled_lines(struct part *part, size_t index, size_t row,
			     const float *slope)
{
	const struct mx_convolve *conv = part->conv;
	const size_t n = index / conv->out_dim[H];
	const size_t h = index % conv->out_dim[H];
	const size_t step = part->strip.rows;
	float *pooled = part->scratch.pooled;
	float *out = part->out.data + n * part->out.batch_stride +
		     h / MX_POOL_SIDE * part->out.stride[H] + row;
	size_t w, i, pixels;

	part->strip.out_step = step;
	for (w = 0; w < conv->out_dim[W]; w += pixels) {
		pixels = mx_size_min(conv->out_dim[W] - w, POOLED_PIXELS);
		for (i = 0; i < MX_POOL_SIDE; i++) {
			find_rows(part, n, h + i, w);
			run_strips(part, pixels, pooled + i * pixels * step,
				   slope);
		}
		for (i = 0; i < pixels; i += MX_POOL_SIDE) {
			mx_convolve_pool_window(part->args->simd,
						pooled + i * step,
						pixels * step, step, out);
			out += part->out.stride[W];
		}
	}
}

/* Rows [@row, @row + part->strip.rows) of the block, on the whole tile. */
static void run_rows(struct part *part, size_t row)
{
	const struct mx_convolve *conv = part->conv;
	const size_t out_row = part->first_row + row;
	const size_t channel =
		out_row / group_rows(conv) * group_channels(conv);
	const float *slope = part->slope ? part->slope + row : NULL;
	size_t i;

	part->strip.bias = part->bias + row;
	if (is_even(conv)) {
		part->scratch.x[0] = part->in.data +
				     part->first_line * part->strip.x_step +
				     channel;
		run_strips(part, part->lines,
			   part->out.data +
				   part->first_line * part->strip.out_step +
				   out_row,
			   slope);
		return;
	}
	if (is_copied(conv))
		forget_rows(part);
	for (i = 0; i < part->lines && conv->pool; i += MX_POOL_SIDE)
		run_pooled_lines(part, part->first_line + i, out_row, slope);
	for (i = 0; i < part->lines && !conv->pool; i++)
		run_line(part, part->first_line + i, channel, out_row, slope);
}

/* The short panel at @from of @width rows, with its rows filled up. */
static void fill_tail(struct part *part, const float *from, size_t width)
{
	const size_t elems = row_elems(part->conv);
	float *to = part->scratch.tail;
	size_t k, i;

	for (k = 0; k < elems; k++, to += MX_CONV_PANEL_ROWS) {
		for (i = 0; i < width; i++)
			to[i] = *from++;
		for (; i < MX_CONV_PANEL_ROWS; i++)
			to[i] = 0;
	}
	part->strip.tail = part->scratch.tail;
}

/* Rows [@row, @end) of the block, of one group: as many panels at a time as
 * stay in cache. */
static void run_segment(struct part *part, size_t row, size_t end)
{
	const size_t elems = row_elems(part->conv);
	const size_t tail = (end - row) % MX_CONV_PANEL_ROWS;
	const size_t step = rows_at_once(part->conv);

	if (tail)
		fill_tail(part, part->matrix + (end - tail) * elems, tail);
	for (; row < end; row += part->strip.rows) {
		part->strip.rows = mx_size_min(step, end - row);
		part->strip.weights = part->matrix + row * elems;
		run_rows(part, row);
	}
}

static void run_block(struct part *part)
{
	const size_t rows = group_rows(part->conv);
	size_t row, end;

	for (row = part->tile_row; row < part->tile_end; row = end) {
		const size_t in_group = (part->first_row + row) % rows;

		end = mx_size_min(part->tile_end, row + rows - in_group);
		run_segment(part, row, end);
	}
}

static void set_part(struct part *part, size_t block, size_t tile)
{
	const struct mx_convolve *conv = part->conv;
	const struct mx_weight_spec *spec = &part->args->layer->weights;
	const size_t lines = line_count(conv);
	const void *bytes = mx_op_block(part->args, block);

	part->first_row = block * spec->block_rows;
	part->rows = (size_t)mx_weight_block_rows(spec, block);
	part->tile_row = mx_size_min(tile * conv->tile_rows, part->rows);
	part->tile_end = part->rows;
	if (conv->tile_rows) {
		part->tile_end = mx_size_min(part->rows,
					     part->tile_row + conv->tile_rows);
		tile = 0;
	}
	part->first_line = mx_size_min(tile * conv->tile_pixels, lines);
	part->lines = mx_size_min(conv->tile_pixels, lines - part->first_line);
	part->matrix = bytes;
	part->bias = part->matrix + part->rows * spec->row_elems;
	part->slope = spec->vectors > 1 ? part->bias + part->rows : NULL;
}

static void part_init(struct part *part, const struct mx_op_args *args)
{
	const struct mx_convolve *conv = args->layer->params;
	const struct mx_spatial *s = &conv->spatial;
	unsigned innermost = W;

	memset(part, 0, sizeof(*part));
	part->args = args;
	part->conv = conv;
	mx_spatial_map_init(&part->in, &args->in[0]);
	mx_spatial_map_init(&part->out, &args->out[0]);
	(void)lay_out(conv, args->scratch, &part->scratch);
	part->is_clamp = mx_activation_clamp(&conv->act, &part->strip.low,
					     &part->strip.high);
	part->strip.x = part->scratch.x;
	part->strip.out_step = part->out.stride[innermost];
	if (is_copied(conv)) {
		part->strip.positions = s->kernel[H];
		part->strip.run = s->kernel[W] * conv->in_channels;
		part->strip.x_step = s->stride[W] * conv->in_channels;
	} else {
		part->strip.positions = 1;
		part->strip.run = group_channels(conv);
		part->strip.x_step = s->stride[W] * part->in.stride[W];
	}
}

void mx_strip_run(const struct mx_op_args *args, struct mx_range parts)
{
	struct part part;
	size_t p;

	part_init(&part, args);
	for (p = parts.begin; p < parts.end; p++) {
		set_part(&part, p / args->layer->tile_count,
			 p % args->layer->tile_count);
		if (part.lines)
			run_block(&part);
	}
}
