#include "lib/depthwise.h"

#include <string.h>

#include "lib/activation.h"
#include "lib/convolve.h"
#include "lib/simd.h"
#include "lib/simd_depthwise.h"
#include "lib/simd_map.h"
#include "lib/size.h"
#include "lib/spatial.h"

/* A part should be worth handing to a thread. */
#define PART_MACS ((size_t)128 << 10)
#define PARTS_MAX ((size_t)32)
/* Also, what it writes stays in cache for the activation. */
#define PART_BYTES ((size_t)256 << 10)
/* The windows' rows of the channels that are worked on together. */
#define ROWS_BYTES ((size_t)24 << 10)
#define ALIAS_BYTES ((size_t)2048)
#define COPIED_CHANNELS ((size_t)16)

#define H MX_SPATIAL_HEIGHT
#define W MX_SPATIAL_WIDTH

/* Positions [begin, end) of a kernel's axis that lie in the picture. */
struct reach {
	size_t begin;
	size_t end;
	size_t at; /* what position `begin` reads */
};

/* Some rows of a picture's channels, as they lie or copied. */
struct source {
	const float *x; /* channel 0 of those, in row @first */
	size_t first;
	size_t row; /* elements from row to row, */
	size_t column; /* and from pixel to pixel */
};

/* A part while it is computed. */
struct part {
	const struct mx_op_args *args;
	const struct mx_convolve *conv;
	struct mx_spatial_map in;
	struct source source;
	struct mx_spatial_map out;
	size_t first_row; /* the block: its channels */
	size_t rows;
	const float *matrix;
	struct mx_depthwise line;
	/* Pixels [inner, outer) of a line see no padding at the sides. */
	size_t inner;
	size_t outer;
};

int mx_depthwise_plan(struct mx_convolve *conv)
{
	const struct mx_spatial *s = &conv->spatial;
	const size_t lines = conv->batch * conv->out_dim[H];
	const size_t elems = lines * conv->out_dim[W] * conv->out_channels;
	const size_t window = mx_spatial_window(s);
	size_t parts;

	if (conv->direction != MX_CONVOLVE_FORWARD || s->groups == 1 ||
	    conv->in_channels != s->groups || conv->out_channels != s->groups ||
	    s->rank != 2 || conv->in_dim[H] == 0 || conv->in_dim[W] == 0)
		return 0;
	conv->way = MX_CONVOLVE_DEPTH_LINES;
	parts = mx_size_min(elems / mx_size_div_up(PART_MACS, window),
			    PARTS_MAX);
	parts = mx_size_max(parts, elems / (PART_BYTES / sizeof(float)));
	parts = mx_size_max(mx_size_min(parts, lines), 1);
	conv->tile_pixels = mx_size_max(mx_size_div_up(lines, parts), 1);
	conv->tiles = mx_size_max(mx_size_div_up(lines, conv->tile_pixels), 1);
	return 1;
}

/* Pixels that lie a multiple of ALIAS_BYTES apart share so few places in a
 * first-level cache that three lines of them do not stay. */
static int is_copied(const struct mx_convolve *conv)
{
	return conv->in_channels * sizeof(float) % ALIAS_BYTES == 0 &&
	       conv->spatial.stride[H] == 1 && conv->spatial.kernel[H] > 1;
}

/* Input rows that a tile's windows reach over. */
static size_t tile_rows(const struct mx_convolve *conv)
{
	return mx_size_min((conv->tile_pixels - 1) * conv->spatial.stride[H] +
				   mx_spatial_extent(&conv->spatial, H),
			   conv->in_dim[H]);
}

/* Few, so that rows stay in a first-level cache for the lines that share them;
 * with strides lines share little, and reading memory in order counts more. */
static size_t channels_at_once(const struct mx_convolve *conv)
{
	const size_t rows =
		is_copied(conv) ? tile_rows(conv) : conv->spatial.kernel[H];
	const size_t unit =
		is_copied(conv) ? COPIED_CHANNELS : MX_DEPTHWISE_CHANNELS;
	const size_t channels =
		ROWS_BYTES / sizeof(float) / (rows * conv->in_dim[W]);

	if (conv->spatial.stride[H] > 1)
		return conv->in_channels;
	return mx_size_max(channels / unit, 1) * unit;
}

size_t mx_depthwise_scratch_bytes(const struct mx_layer *layer)
{
	const struct mx_convolve *conv = layer->params;

	if (!is_copied(conv))
		return 0;
	return tile_rows(conv) * conv->in_dim[W] * channels_at_once(conv) *
	       sizeof(float);
}

static struct reach find_reach(const struct mx_convolve *conv, unsigned axis,
			       size_t out)
{
	const struct mx_spatial *s = &conv->spatial;
	const size_t start = out * s->stride[axis]; /* from the padding's */
	const size_t pad = s->pad_begin[axis];
	const size_t end = conv->in_dim[axis] + pad;
	struct reach reach = {0, 0, 0};

	if (start < pad)
		reach.begin = mx_size_div_up(pad - start, s->dilation[axis]);
	if (start < end)
		reach.end = mx_size_min(
			mx_size_div_up(end - start, s->dilation[axis]),
			s->kernel[axis]);
	if (reach.begin < reach.end)
		reach.at = start + reach.begin * s->dilation[axis] - pad;
	else
		reach.end = reach.begin = 0;
	return reach;
}

static void find_inner(struct part *part)
{
	const struct mx_spatial *s = &part->conv->spatial;
	const size_t pixels = part->conv->out_dim[W];
	const size_t room = part->conv->in_dim[W] + s->pad_begin[W];
	const size_t extent = mx_spatial_extent(s, W);

	part->inner = mx_size_min(mx_size_div_up(s->pad_begin[W], s->stride[W]),
				  pixels);
	part->outer = part->inner;
	if (extent <= room)
		part->outer =
			mx_size_min((room - extent) / s->stride[W] + 1, pixels);
	part->outer = mx_size_max(part->outer, part->inner);
}

/* Pixels [@first, @first + @count) of the line, all with the same columns. */
static void run_pixels(struct part *part, const float *x, const float *weights,
		       float *out, size_t first, size_t count)
{
	const struct reach columns = find_reach(part->conv, W, first);
	struct mx_depthwise *line = &part->line;

	line->pixels = count;
	line->columns = columns.end - columns.begin;
	line->x = x + columns.at * part->source.column;
	line->weights = weights + columns.begin * line->w_column;
	line->out = out + first * line->out_step;
	part->args->simd->depthwise->line(line);
}

/* Line @h of picture @n, the channels that part->line has from @channel of the
 * block. */
static void run_line(struct part *part, size_t n, size_t h, size_t channel)
{
	const size_t pixels = part->conv->out_dim[W];
	const struct reach rows = find_reach(part->conv, H, h);
	const float *x = part->source.x;
	float *out = part->out.data + n * part->out.batch_stride +
		     h * part->out.stride[H] + part->first_row + channel;
	const float *weights =
		part->matrix + channel + rows.begin * part->line.w_row;
	size_t i;

	part->line.rows = rows.end - rows.begin;
	if (part->line.rows)
		x += (rows.at - part->source.first) * part->source.row;
	for (i = 0; i < part->inner; i++)
		run_pixels(part, x, weights, out, i, 1);
	if (part->inner < part->outer)
		run_pixels(part, x, weights, out, part->inner,
			   part->outer - part->inner);
	for (i = part->outer; i < pixels; i++)
		run_pixels(part, x, weights, out, i, 1);
}

/* Where lines [@first, @end) of picture @n find their input: @x is channel 0 of
 * theirs in the picture. */
static void set_source(struct part *part, const float *x, size_t first,
		       size_t end)
{
	const struct mx_convolve *conv = part->conv;
	const struct mx_spatial *s = &conv->spatial;
	const size_t width = conv->in_dim[W];
	const size_t channels = part->line.channels;
	struct source *source = &part->source;
	float *to = part->args->scratch;
	size_t last, row;

	*source = (struct source){
		.x = x,
		.row = part->in.stride[H],
		.column = part->in.stride[W],
	};
	if (is_copied(conv)) {
		first = first * s->stride[H];
		first -= mx_size_min(first, s->pad_begin[H]);
		last = (end - 1) * s->stride[H] + mx_spatial_extent(s, H);
		last -= mx_size_min(last, s->pad_begin[H]);
		last = mx_size_min(last, conv->in_dim[H]);
		for (row = first; row < last; row++)
			part->args->simd->depthwise->gather(
				to + (row - first) * width * channels,
				x + row * source->row, source->column, channels,
				width);
		*source = (struct source){
			.x = to,
			.first = first,
			.row = width * channels,
			.column = channels,
		};
	}
	part->line.x_row = s->dilation[H] * source->row;
	part->line.x_column = s->dilation[W] * source->column;
	part->line.x_step = s->stride[W] * source->column;
}

/* Lines [@first, @end), counted through all pictures, likewise. */
static void run_lines(struct part *part, size_t first, size_t end,
		      size_t channel)
{
	const size_t height = part->conv->out_dim[H];
	size_t stop, i;

	for (; first < end; first = stop) {
		const size_t n = first / height;

		stop = mx_size_min(end, (n + 1) * height);
		set_source(part,
			   part->in.data + n * part->in.batch_stride +
				   part->first_row + channel,
			   first - n * height, stop - n * height);
		for (i = first; i < stop; i++)
			run_line(part, n, i - n * height, channel);
	}
}

/* What a clamp cannot do. */
static void activate(const struct part *part, size_t index, const float *slope)
{
	const struct mx_simd_map *map = part->args->simd->map;
	const struct mx_activation *act = &part->conv->act;
	const size_t height = part->conv->out_dim[H];
	const size_t pixels = part->conv->out_dim[W];
	float *out = part->out.data + index / height * part->out.batch_stride +
		     index % height * part->out.stride[H] + part->first_row;
	size_t i;

	if (!slope && part->out.stride[W] == part->rows) {
		map->activate(act, out, pixels * part->rows, NULL);
		return;
	}
	for (i = 0; i < pixels; i++)
		map->activate(act, out + i * part->out.stride[W], part->rows,
			      slope);
}

static void set_block(struct part *part, size_t block)
{
	const struct mx_weight_spec *spec = &part->args->layer->weights;
	const void *bytes = mx_op_block(part->args, block);

	part->first_row = block * spec->block_rows;
	part->rows = (size_t)mx_weight_block_rows(spec, block);
	part->matrix = bytes;
	part->line.w_column = part->rows;
	part->line.w_row = part->conv->spatial.kernel[W] * part->rows;
}

static void run_tile(struct part *part, size_t tile)
{
	const struct mx_convolve *conv = part->conv;
	const struct mx_weight_spec *spec = &part->args->layer->weights;
	const float *bias = part->matrix + part->rows * spec->row_elems;
	const float *slope = spec->vectors > 1 ? bias + part->rows : NULL;
	const size_t lines = conv->batch * conv->out_dim[H];
	const size_t first = mx_size_min(tile * conv->tile_pixels, lines);
	const size_t end = mx_size_min(first + conv->tile_pixels, lines);
	const size_t step = channels_at_once(conv);
	const int is_clamp = mx_activation_clamp(&conv->act, &part->line.low,
						 &part->line.high);
	size_t channel, i;

	for (channel = 0; channel < part->rows; channel += step) {
		part->line.channels = mx_size_min(step, part->rows - channel);
		part->line.bias = bias + channel;
		run_lines(part, first, end, channel);
	}
	for (i = first; i < end && !is_clamp; i++)
		activate(part, i, slope);
}

void mx_depthwise_run(const struct mx_op_args *args, struct mx_range parts)
{
	struct part part;
	size_t p;

	memset(&part, 0, sizeof(part));
	part.args = args;
	part.conv = args->layer->params;
	mx_spatial_map_init(&part.in, &args->in[0]);
	mx_spatial_map_init(&part.out, &args->out[0]);
	part.line.out_step = part.out.stride[W];
	find_inner(&part);
	for (p = parts.begin; p < parts.end; p++) {
		set_block(&part, p / args->layer->tile_count);
		run_tile(&part, p % args->layer->tile_count);
	}
}
