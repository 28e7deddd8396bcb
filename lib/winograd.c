#include "lib/winograd.h"

#include <string.h>

#include "lib/activation.h"
#include "lib/convolve.h"
#include "lib/convolve_pool.h"
#include "lib/simd.h"
#include "lib/simd_conv.h"
#include "lib/simd_map.h"
#include "lib/simd_winograd.h"
#include "lib/size.h"

/*
 * Invariants:
 *
 *  (1) A part is a block of rows on a range of tiles, and writes nothing else.
 *  (2) The sums at the points go over the channels in order. They are kept in
 *      scratch memory from one run of channels to the next.
 *
 * The order of work: for each run of channels, all tiles' inputs; then, panels
 * at a time, the weights, the products and, in the last run, the outputs.
 */

_Static_assert(MX_WINOGRAD_ROWS == MX_CONV_PANEL_ROWS, "the same panels");

/* Panels whose weights are in scratch memory at once. */
#define PANELS ((size_t)2)
/*
 * The constants that cut the work; like a model's blocks they are fixed, and
 * not this machine's. A part's scratch memory stays in a second-level cache of
 * 1 MiB (512 KiB to 1 MiB were within 8 % of each other for VGG's layers).
 */
#define SCRATCH_BYTES ((size_t)640 << 10)
#define RUN_CHANNELS ((size_t)128)
/* A block's input is transformed once for all its rows. */
#define BLOCK_BYTES ((size_t)1280 << 10)
#define BLOCK_ROWS_MIN ((size_t)32)
#define BLOCK_ROWS_MAX ((size_t)128)
/* Fewer tiles are not worth the weights' transform. */
#define PART_TILES_MIN ((size_t)8)
/* A layer should have so many for idle threads. */
#define PARTS_WANTED ((size_t)4)
/* With less to sum the transforms are most of the work. */
#define CHANNELS_MIN ((size_t)16)
#define ROWS_MIN ((size_t)16)

/*
 * What the work costs, in multiply-adds of a vector of 16 floats for each
 * channel and each panel of 16 rows, counted in the transforms' source and
 * checked against measured layers: at a tile's points, its input (shared by
 * the rows of a block), its output (shared by the channels), and the weights,
 * against the definition's at a pixel.
 */
#define PRODUCT_COST MX_WINOGRAD_POINTS
#define INPUT_COST ((size_t)220)
#define INPUT_ROWS ((size_t)64)
#define OUTPUT_COST ((size_t)150)
#define WEIGHTS_COST ((size_t)126)
#define WINDOW ((size_t)MX_WINOGRAD_KERNEL * MX_WINOGRAD_KERNEL)
/* To win by less is not worth the rounding. */
#define COST_PERCENT_MAX ((size_t)80)

#define SCRATCH_ALIGN_BYTES 64
#define LINE_FLOATS (SCRATCH_ALIGN_BYTES / sizeof(float))

/* A layer's scratch memory, in floats. */
struct sizes {
	size_t v_tile, v_point;
	size_t u_panel, u_point;
	size_t m_tile, m_point;
};

struct part {
	const struct mx_op_args *args;
	const struct mx_convolve *conv;
	const struct mx_simd_winograd *simd;
	struct mx_spatial_map in;
	struct mx_spatial_map out;
	struct sizes sizes;
	float *zeros; /* a pixel of the padding: winograd.channels */
	float *v;
	float *u;
	float *m;
	size_t first_tile;
	size_t tile_count;
	/* rows of the block that are of one group */
	size_t row; /* of the layer */
	size_t rows;
	size_t group;
	const float *matrix; /* panels of these rows */
	const float *bias;
	const float *slope; /* NULL unless the activation is PRELU */
	float low;
	float high;
	int is_clamp; /* and that is all of the activation */
};

static size_t group_channels(const struct mx_convolve *conv)
{
	return conv->in_channels / conv->spatial.groups;
}

static size_t group_rows(const struct mx_convolve *conv)
{
	return conv->out_channels / conv->spatial.groups;
}

static int is_plain_3x3(const struct mx_convolve *conv)
{
	const struct mx_spatial *spatial = &conv->spatial;
	unsigned axis;

	for (axis = 0; axis < MX_SPATIAL_DIMS; axis++) {
		const size_t kernel =
			axis == MX_SPATIAL_DEPTH ? 1 : MX_WINOGRAD_KERNEL;

		if (spatial->kernel[axis] != kernel ||
		    spatial->stride[axis] != 1 || spatial->dilation[axis] != 1)
			return 0;
	}
	return conv->in_dim[MX_SPATIAL_DEPTH] == 1 &&
	       conv->out_dim[MX_SPATIAL_DEPTH] == 1;
}

static void count_tiles(const struct mx_convolve *conv, struct mx_winograd *w)
{
	w->across = mx_size_div_up(conv->out_dim[MX_SPATIAL_WIDTH],
				   MX_WINOGRAD_OUT);
	w->down = mx_size_div_up(conv->out_dim[MX_SPATIAL_HEIGHT],
				 MX_WINOGRAD_OUT);
	w->tiles = conv->batch * w->across * w->down;
}

int mx_winograd_suits(const struct mx_convolve *conv)
{
	const size_t channels = group_channels(conv), rows = group_rows(conv);
	const size_t pixels = conv->batch * conv->out_dim[MX_SPATIAL_HEIGHT] *
			      conv->out_dim[MX_SPATIAL_WIDTH];
	struct mx_winograd w;
	size_t cost;

	if (!is_plain_3x3(conv) || channels < CHANNELS_MIN || rows < ROWS_MIN)
		return 0;
	/* Panels of one group alone. */
	if (conv->spatial.groups > 1 && rows % MX_WINOGRAD_ROWS)
		return 0;
	count_tiles(conv, &w);
	cost = w.tiles * (PRODUCT_COST +
			  INPUT_COST / mx_size_min(rows, INPUT_ROWS) +
			  OUTPUT_COST / channels) +
	       WEIGHTS_COST;
	return cost <= pixels * WINDOW / 100 * COST_PERCENT_MAX;
}

/* Whether all of a group's channels are transformed at once. */
static int is_one_run(const struct mx_convolve *conv)
{
	return conv->winograd.channels == group_channels(conv);
}

static struct sizes measure(const struct mx_convolve *conv, size_t tiles)
{
	const struct mx_winograd *w = &conv->winograd;
	const size_t rows =
		is_one_run(conv) ? PANELS * MX_WINOGRAD_ROWS : w->block_rows;
	struct sizes s;

	/* An odd number of cache lines from point to point: a power of two
	 * would put all of a tile's points into one set of the cache. */
	s.v_tile = mx_size_round_up(w->channels, MX_WINOGRAD_LANES);
	s.v_point = (tiles * s.v_tile / LINE_FLOATS | 1) * LINE_FLOATS;
	s.u_panel = w->channels * MX_WINOGRAD_ROWS;
	s.u_point = (PANELS * s.u_panel / LINE_FLOATS | 1) * LINE_FLOATS;
	s.m_tile = rows;
	s.m_point = (tiles * s.m_tile / LINE_FLOATS | 1) * LINE_FLOATS;
	return s;
}

static size_t floats_for(const struct mx_convolve *conv, size_t tiles)
{
	const struct sizes s = measure(conv, tiles);

	return mx_size_round_up(conv->winograd.channels, LINE_FLOATS) +
	       MX_WINOGRAD_POINTS * (s.v_point + s.m_point) +
	       MX_WINOGRAD_STAGE_POINTS * s.u_point;
}

/* The tiles that a part can have at most, blocks and runs being cut. */
static size_t most_tiles(const struct mx_convolve *conv)
{
	size_t most = conv->winograd.tiles;
	size_t tiles = PART_TILES_MIN;

	/* Without Winograd's all of a part's outputs are pooled at its end. */
	if (conv->pool)
		most = mx_size_min(most, MX_POOL_BYTES / sizeof(float) /
						 MX_WINOGRAD_PIXELS /
						 conv->winograd.block_rows);
	while (tiles < most &&
	       floats_for(conv, tiles + 1) * sizeof(float) <= SCRATCH_BYTES)
		tiles++;
	return tiles;
}

/* How a layer could be cut. */
struct cut {
	size_t block_rows;
	size_t parts; /* of each block */
	size_t cost; /* the transforms', as above */
};

/* The cut into blocks of at most @most rows, of about equal size. */
static struct cut try_rows(struct mx_convolve *conv, size_t most)
{
	const size_t rows = conv->out_channels;
	const size_t tiles = conv->winograd.tiles;
	struct cut cut;
	size_t blocks;

	cut.block_rows = mx_size_round_up(
		mx_size_div_up(rows, mx_size_div_up(rows, most)),
		MX_WINOGRAD_ROWS);
	conv->winograd.block_rows = cut.block_rows;
	blocks = mx_size_div_up(rows, cut.block_rows);
	cut.parts = mx_size_div_up(tiles, most_tiles(conv));
	if (cut.parts * blocks < PARTS_WANTED)
		cut.parts = mx_size_min(mx_size_div_up(PARTS_WANTED, blocks),
					tiles / PART_TILES_MIN);
	cut.parts = mx_size_max(cut.parts, 1);
	cut.cost =
		cut.parts * WEIGHTS_COST + tiles * INPUT_COST / cut.block_rows;
	return cut;
}

void mx_winograd_plan(struct mx_convolve *conv)
{
	struct mx_winograd *w = &conv->winograd;
	const size_t channels = group_channels(conv);
	const size_t row_bytes = channels * WINDOW * sizeof(float);
	struct cut best, cut;
	size_t runs, rows;

	count_tiles(conv, w);
	runs = mx_size_div_up(channels, RUN_CHANNELS);
	w->channels = mx_size_round_up(mx_size_div_up(channels, runs),
				       MX_WINOGRAD_LANES);
	w->channels = mx_size_min(w->channels, channels);

	best = try_rows(conv, BLOCK_ROWS_MIN);
	for (rows = BLOCK_ROWS_MIN + MX_WINOGRAD_ROWS;
	     rows <= BLOCK_ROWS_MAX && rows * row_bytes <= BLOCK_BYTES;
	     rows += MX_WINOGRAD_ROWS) {
		cut = try_rows(conv, rows);
		if (cut.cost < best.cost)
			best = cut;
	}
	w->block_rows = best.block_rows;
	w->part_tiles = mx_size_div_up(w->tiles, best.parts);
	conv->tiles = mx_size_div_up(w->tiles, w->part_tiles);
}

uint64_t mx_winograd_work(const struct mx_layer *layer)
{
	const struct mx_convolve *conv = layer->params;
	const struct mx_winograd *w = &conv->winograd;
	const double channels = (double)group_channels(conv);
	const double rows = (double)conv->out_channels;
	const double tile_cost = (double)PRODUCT_COST +
				 (double)INPUT_COST / (double)w->block_rows +
				 (double)OUTPUT_COST / channels;
	const double work = channels * rows *
			    ((double)w->tiles * tile_cost +
			     (double)conv->tiles * (double)WEIGHTS_COST);

	/* Sums over fewer channels than were counted for are no slower than
	 * the definition's. */
	return work < (double)layer->macs ? (uint64_t)work : layer->macs;
}

size_t mx_winograd_scratch_bytes(const struct mx_layer *layer)
{
	const struct mx_convolve *conv = layer->params;

	return floats_for(conv, conv->winograd.part_tiles) * sizeof(float);
}

/* Where the tiles' pixels are, in the output's tiles of a picture. */
struct place {
	size_t n;
	size_t y;
	size_t x;
};

static struct place place_of(const struct part *part, size_t tile)
{
	const struct mx_winograd *w = &part->conv->winograd;
	const size_t of_picture = tile % (w->across * w->down);

	return (struct place){
		.n = tile / (w->across * w->down),
		.y = of_picture / w->across * MX_WINOGRAD_OUT,
		.x = of_picture % w->across * MX_WINOGRAD_OUT,
	};
}

/* Pointers to a tile's inputs from channel @channel of the picture on. */
static void find_inputs(const struct part *part, size_t tile, size_t channel,
			const float *x[MX_WINOGRAD_POINTS])
{
	const struct place place = place_of(part, tile);
	const struct mx_spatial_map *in = &part->in;
	const size_t *pad = part->conv->spatial.pad_begin;
	const float *picture = in->data + place.n * in->batch_stride + channel;
	size_t i, j;

	for (i = 0; i < MX_WINOGRAD_IN; i++) {
		/* Before the picture it wraps around and is too large. */
		const size_t y = place.y + i - pad[MX_SPATIAL_HEIGHT];
		const int has_row = y < in->dim[MX_SPATIAL_HEIGHT];
		const float *row =
			picture +
			(has_row ? y : 0) * in->stride[MX_SPATIAL_HEIGHT];

		for (j = 0; j < MX_WINOGRAD_IN; j++) {
			const size_t at = place.x + j - pad[MX_SPATIAL_WIDTH];

			*x++ = has_row && at < in->dim[MX_SPATIAL_WIDTH]
				       ? row + at * in->stride[MX_SPATIAL_WIDTH]
				       : part->zeros;
		}
	}
}

/* Pointers to a tile's outputs, @side times @side of them; NULL outside of the
 * picture. */
static void find_outputs(const struct part *part, size_t tile, size_t row,
			 size_t side, float *y[MX_WINOGRAD_PIXELS])
{
	const struct place place = place_of(part, tile);
	const struct mx_spatial_map *out = &part->out;
	float *picture = out->data + place.n * out->batch_stride + row;
	const size_t shrink = MX_WINOGRAD_OUT / side;
	size_t i, j;

	for (i = 0; i < side; i++)
		for (j = 0; j < side; j++) {
			const size_t down = place.y / shrink + i;
			const size_t across = place.x / shrink + j;
			const size_t at =
				down * out->stride[MX_SPATIAL_HEIGHT] +
				across * out->stride[MX_SPATIAL_WIDTH];
			const int is_there =
				down < out->dim[MX_SPATIAL_HEIGHT] &&
				across < out->dim[MX_SPATIAL_WIDTH];

			*y++ = is_there ? picture + at : NULL;
		}
}

static void transform_inputs(const struct part *part, size_t first,
			     size_t channels)
{
	const size_t channel = part->group * group_channels(part->conv) + first;
	const float *x[2][MX_WINOGRAD_POINTS];
	size_t i, next;

	find_inputs(part, part->first_tile, channel, x[0]);
	for (i = 0; i < part->tile_count; i++) {
		next = mx_size_min(i + 1, part->tile_count - 1);
		find_inputs(part, part->first_tile + next, channel,
			    x[(i + 1) % 2]);
		part->simd->input(x[i % 2], x[(i + 1) % 2], channels,
				  part->v + i * part->sizes.v_tile,
				  part->sizes.v_point);
	}
}

/* Panels' rows from @row of the part's on, for channels from @first. */
static void transform_weights(const struct part *part, size_t row,
			      size_t panels, size_t first, size_t channels,
			      size_t stage)
{
	const size_t all = group_channels(part->conv);
	size_t i;

	for (i = 0; i < panels; i++, row += MX_WINOGRAD_ROWS) {
		const size_t width =
			mx_size_min(part->rows - row, MX_WINOGRAD_ROWS);
		const struct mx_winograd_weights work = {
			.panel = part->matrix + row * all * WINDOW +
				 first * width,
			.width = width,
			.position_step = all * width,
			.channels = channels,
			.stage = stage,
			.u = part->u + i * part->sizes.u_panel,
			.u_point = part->sizes.u_point,
		};

		part->simd->weights(&work);
	}
}

/* Tile @tile of the layer, whose @rows rows from @row of the part's on are at
 * @pixels: [pixel][rows]. */
static void pool_tile(const struct part *part, size_t tile, size_t row,
		      size_t rows, float *pixels)
{
	const size_t side = MX_WINOGRAD_OUT / MX_POOL_SIDE;
	const size_t line = MX_WINOGRAD_OUT * rows;
	const struct mx_simd *simd = part->args->simd;
	const struct mx_activation *act = &part->conv->act;
	float *y[MX_WINOGRAD_PIXELS];
	size_t i;

	if (!part->is_clamp && !part->slope)
		simd->map->activate(act, pixels, MX_WINOGRAD_OUT * line, NULL);
	for (i = 0; part->slope && i < MX_WINOGRAD_PIXELS; i++)
		simd->map->activate(act, pixels + i * rows, rows,
				    part->slope + row);
	find_outputs(part, tile, part->row + row, side, y);
	for (i = 0; i < side * side; i++) {
		const float *x = pixels + i / side * MX_POOL_SIDE * line +
				 i % side * MX_POOL_SIDE * rows;

		if (y[i])
			mx_convolve_pool_window(simd, x, line, rows, y[i]);
	}
}

static void transform_outputs(const struct part *part, size_t row, size_t rows,
			      const float *m)
{
	_Alignas(SCRATCH_ALIGN_BYTES) float
		pixels[MX_WINOGRAD_PIXELS * PANELS * MX_WINOGRAD_ROWS];
	struct mx_winograd_output work = {
		.m_point = part->sizes.m_point,
		.rows = rows,
		.bias = part->bias + row,
		.low = part->low,
		.high = part->high,
	};
	size_t i;

	for (i = 0; i < MX_WINOGRAD_PIXELS; i++)
		work.y[i] = pixels + i * rows;
	for (i = 0; i < part->tile_count; i++) {
		const size_t tile = part->first_tile + i;

		work.m = m + i * part->sizes.m_tile;
		if (!part->conv->pool)
			find_outputs(part, tile, part->row + row,
				     MX_WINOGRAD_OUT, work.y);
		part->simd->output(&work);
		if (part->conv->pool)
			pool_tile(part, tile, row, rows, pixels);
	}
}

/* Which whole panels' weights follow those at @row. */
static void find_ahead(const struct part *part, size_t row, size_t first,
		       size_t channels, struct mx_winograd_product *work)
{
	const size_t all = group_channels(part->conv);
	size_t i;

	if (row + MX_WINOGRAD_ROWS > part->rows) {
		row = 0;
		first += channels;
	}
	for (i = 0; i < PANELS; i++, row += MX_WINOGRAD_ROWS)
		work->ahead[i] =
			first < all && row + MX_WINOGRAD_ROWS <= part->rows
				? part->matrix + row * all * WINDOW +
					  first * MX_WINOGRAD_ROWS
				: NULL;
	work->ahead_step = all * MX_WINOGRAD_ROWS;
}

/* What channels [@first, @first + @channels) of the group add. */
static void run_channels(const struct part *part, size_t first, size_t channels)
{
	const size_t all = group_channels(part->conv);
	const struct sizes *s = &part->sizes;
	struct mx_winograd_product work = {
		.tiles = part->tile_count,
		.channels = channels,
		.v = part->v,
		.v_point = s->v_point,
		.v_tile = s->v_tile,
		.u = part->u,
		.u_point = s->u_point,
		.u_panel = s->u_panel,
		.m_point = s->m_point,
		.m_tile = s->m_tile,
		.is_first = first == 0,
	};
	size_t row, rows;

	transform_inputs(part, first, channels);
	for (row = 0; row < part->rows; row += rows) {
		rows = mx_size_min(part->rows - row, PANELS * MX_WINOGRAD_ROWS);
		work.panels = mx_size_div_up(rows, MX_WINOGRAD_ROWS);
		work.m = part->m + (channels == all ? 0 : row);
		find_ahead(part, row + rows, first, channels, &work);
		for (work.stage = 0; work.stage < MX_WINOGRAD_STAGES;
		     work.stage++) {
			transform_weights(part, row, work.panels, first,
					  channels, work.stage);
			part->simd->product(&work);
		}
		if (first + channels == all)
			transform_outputs(part, row, rows, work.m);
	}
}

static void activate(const struct part *part)
{
	float *y[MX_WINOGRAD_PIXELS];
	size_t i, j;

	for (i = 0; i < part->tile_count; i++) {
		find_outputs(part, part->first_tile + i, part->row,
			     MX_WINOGRAD_OUT, y);
		for (j = 0; j < MX_WINOGRAD_PIXELS; j++)
			if (y[j])
				part->args->simd->map->activate(
					&part->conv->act, y[j], part->rows,
					part->slope);
	}
}

/* Rows of one group. */
static void run_rows(struct part *part)
{
	const struct mx_convolve *conv = part->conv;
	const size_t all = group_channels(conv);
	const size_t step = conv->winograd.channels;
	size_t first;

	part->is_clamp =
		mx_activation_clamp(&conv->act, &part->low, &part->high);
	for (first = 0; first < all; first += step)
		run_channels(part, first, mx_size_min(step, all - first));
	if (!part->is_clamp && !conv->pool)
		activate(part);
}

static void run_block(struct part *part, size_t block)
{
	const struct mx_weight_spec *spec = &part->args->layer->weights;
	const size_t rows = (size_t)mx_weight_block_rows(spec, block);
	const size_t of_group = group_rows(part->conv);
	const size_t first = block * spec->block_rows;
	const float *matrix = (const void *)mx_op_block(part->args, block);
	const float *bias = matrix + rows * spec->row_elems;
	size_t row;

	for (row = 0; row < rows; row += part->rows) {
		part->row = first + row;
		part->group = part->row / of_group;
		part->rows = mx_size_min(rows - row,
					 of_group - part->row % of_group);
		part->matrix = matrix + row * spec->row_elems;
		part->bias = bias + row;
		part->slope = spec->vectors > 1 ? part->bias + rows : NULL;
		run_rows(part);
	}
}

void mx_winograd_run(const struct mx_op_args *args, struct mx_range parts)
{
	const struct mx_convolve *conv = args->layer->params;
	const struct mx_winograd *w = &conv->winograd;
	struct part part;
	size_t p;

	memset(&part, 0, sizeof(part));
	part.args = args;
	part.conv = conv;
	part.simd = args->simd->winograd;
	mx_spatial_map_init(&part.in, &args->in[0]);
	mx_spatial_map_init(&part.out, &args->out[0]);
	part.sizes = measure(conv, w->part_tiles);
	part.zeros = args->scratch;
	part.v = part.zeros + mx_size_round_up(w->channels, LINE_FLOATS);
	part.u = part.v + MX_WINOGRAD_POINTS * part.sizes.v_point;
	part.m = part.u + MX_WINOGRAD_STAGE_POINTS * part.sizes.u_point;
	memset(part.zeros, 0, w->channels * sizeof(*part.zeros));
	for (p = parts.begin; p < parts.end; p++) {
		part.first_tile = p % args->layer->tile_count * w->part_tiles;
		part.tile_count = mx_size_min(
			w->part_tiles,
			w->tiles - mx_size_min(w->tiles, part.first_tile));
		if (part.tile_count)
			run_block(&part, p / args->layer->tile_count);
	}
}
