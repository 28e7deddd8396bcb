#include "lib/convolve.h"

#include <errno.h>

#include "lib/attr.h"
#include "lib/convolve_pool.h"
#include "lib/depthwise.h"
#include "lib/err.h"
#include "lib/simd_conv.h"
#include "lib/size.h"
#include "lib/strip.h"

/*
 * The constants that cut the work. They are fixed and not this machine's,
 * since a model's blocks are; they suit a second-level cache of 512 KiB to
 * 2 MiB, which holds a block's panels and a tile's input together.
 */
#define BLOCK_BYTES ((size_t)1 << 20)
#define TILE_BYTES ((size_t)384 << 10)
#define PATCH_BYTES ((size_t)256 << 10)
#define TILE_PIXELS_MIN ((size_t)56)
#define TILE_PIXELS_MAX ((size_t)1008)
#define TILE_PIXELS_UNIT ((size_t)14)
/* So many tiles a layer should have for idle threads, if it is big enough. */
#define TILES_WANTED ((size_t)4)
/* So few are of equal size rather than of whole calls. */
#define BALANCED_TILES ((size_t)8)
/* With fewer tiles than wanted, blocks are cut to make so many parts, each of
 * which should be worth handing to a thread. */
#define PARTS_WANTED ((size_t)8)
#define PART_MACS ((size_t)512 << 10)
#define TABLE_ENTRIES ((size_t)32 << 10)
/* Also short enough that rounding errors do not grow with long sums. */
#define CHUNK_ELEMS ((size_t)512)
#define CHUNK_POSITIONS ((size_t)64)
/* Patches pay when the runs of channels are short. */
#define PATCH_CHANNELS ((size_t)8)
#define PATCH_ELEMS ((size_t)1024)

int mx_convolve_bind(void *params, const struct mx_attrs *attrs,
		     struct mx_err *err)
{
	struct mx_convolve *conv = params;
	int64_t channels;
	int rc;

	rc = mx_spatial_bind(&conv->spatial, attrs, err);
	if (rc)
		return rc;
	rc = mx_attrs_int_in(attrs, "out_channels", 0, 1, INT32_MAX, &channels,
			     err);
	if (rc)
		return rc;
	if (channels == 0)
		return mx_fail(err, EBADMSG,
			       "attribute out_channels is missing");
	conv->out_channels = (size_t)channels;
	rc = mx_convolve_pool_bind(conv, attrs, err);
	if (rc)
		return rc;
	return mx_activation_bind(&conv->act, attrs, err);
}

int mx_convolve_input(struct mx_convolve *conv, const struct mx_shape *in,
		      struct mx_err *err)
{
	const size_t groups = conv->spatial.groups;
	size_t elems;
	int rc;

	rc = mx_spatial_dims(&conv->spatial, in, conv->in_dim, err);
	if (rc)
		return rc;
	conv->batch = in->dim[0];
	conv->in_channels = in->dim[1];
	if (conv->in_channels == 0 || conv->in_channels > MX_ELEMS_MAX ||
	    conv->in_channels % groups || conv->out_channels % groups)
		return mx_fail(err, EBADMSG,
			       "%zu channels to %zu in %zu groups",
			       conv->in_channels, conv->out_channels, groups);
	if (mx_size_mul(mx_spatial_window(&conv->spatial),
			conv->in_channels / groups, &elems) ||
	    elems > MX_ELEMS_MAX)
		return mx_fail(err, EBADMSG, "kernel is too large");
	return 0;
}

static size_t group_channels(const struct mx_convolve *conv)
{
	return conv->in_channels / conv->spatial.groups;
}

static enum mx_convolve_way choose_way(const struct mx_convolve *conv)
{
	const size_t window = mx_spatial_window(&conv->spatial);
	const size_t channels = group_channels(conv);
	const size_t groups = conv->spatial.groups;

	if (groups > 1 && channels == 1 && conv->out_channels == groups)
		return MX_CONVOLVE_DEPTHWISE;
	if (conv->direction == MX_CONVOLVE_FORWARD && groups == 1 &&
	    channels <= PATCH_CHANNELS && window > 1 &&
	    window * channels <= PATCH_ELEMS)
		return MX_CONVOLVE_PATCHES;
	if (conv->direction == MX_CONVOLVE_FORWARD && mx_winograd_suits(conv))
		return MX_CONVOLVE_WINOGRAD;
	return MX_CONVOLVE_DIRECT;
}

/* Pixels of a tile. */
static size_t whole_windows(const struct mx_convolve *conv, size_t pixels)
{
	return conv->pool ? mx_size_round_up(pixels, MX_POOL_CORNERS) : pixels;
}

/* A pixel's outputs in a block, at most. */
static size_t pooled_bytes(const struct mx_convolve *conv)
{
	const size_t row_bytes = mx_spatial_window(&conv->spatial) *
				 group_channels(conv) * sizeof(float);
	const size_t rows =
		mx_size_max(BLOCK_BYTES / row_bytes, MX_CONV_PANEL_ROWS);

	return mx_size_min(rows, conv->out_channels) * sizeof(float);
}

/* Tiles of about equal size: @pixels are a whole phase's. */
static void cut_tiles(struct mx_convolve *conv, size_t pixels)
{
	const size_t row_bytes = mx_spatial_window(&conv->spatial) *
				 group_channels(conv) * sizeof(float);
	size_t pixel_bytes = conv->in_channels * sizeof(float);
	size_t want, i;

	for (i = 0; i < MX_SPATIAL_DIMS; i++)
		pixel_bytes =
			mx_size_min(pixel_bytes, TILE_BYTES) *
			mx_size_min(conv->in_step[i], conv->spatial.kernel[i]);
	want = TILE_BYTES / pixel_bytes;
	if (conv->way == MX_CONVOLVE_PATCHES)
		want = mx_size_min(want, PATCH_BYTES / row_bytes);
	if (conv->pool)
		want = mx_size_min(want, MX_POOL_BYTES / pooled_bytes(conv));
	want = mx_size_min(want, pixels / TILES_WANTED);
	want = mx_size_max(want, TILE_PIXELS_MIN);
	want = mx_size_min(want, TILE_PIXELS_MAX);

	conv->tiles = mx_size_max(mx_size_div_up(pixels, want), 1);
	want = mx_size_max(mx_size_div_up(pixels, conv->tiles), 1);
	if (conv->tiles > BALANCED_TILES)
		want = mx_size_round_up(want, TILE_PIXELS_UNIT);
	conv->tile_pixels = whole_windows(conv, want);
	conv->tiles = mx_size_max(mx_size_div_up(pixels, conv->tile_pixels), 1);
}

/* A chunk's weights and table of pointers stay in cache beside a tile. */
static void cut_chunks(struct mx_convolve *conv)
{
	const size_t window = mx_spatial_window(&conv->spatial);
	size_t chunk;

	conv->chunk = window;
	if (conv->way == MX_CONVOLVE_PATCHES)
		return;
	chunk = mx_size_min(CHUNK_POSITIONS, TABLE_ENTRIES / conv->tile_pixels);
	chunk = mx_size_min(chunk, CHUNK_ELEMS / group_channels(conv));
	conv->chunk = mx_size_min(window, mx_size_max(chunk, 1));
}

/* Of the layer's output, the whole one's being valid too. */
static int write_shape(const struct mx_convolve *conv, struct mx_shape *out,
		       struct mx_err *err)
{
	size_t dim[MX_SPATIAL_DIMS];
	unsigned i;
	int rc;

	rc = mx_spatial_shape(&conv->spatial, conv->batch, conv->out_channels,
			      conv->out_dim, out, err);
	if (rc || !conv->pool)
		return rc;
	for (i = 0; i < MX_SPATIAL_DIMS; i++)
		dim[i] = conv->out_dim[i] /
			 (i == MX_SPATIAL_DEPTH ? 1 : MX_POOL_SIDE);
	return mx_spatial_shape(&conv->spatial, conv->batch, conv->out_channels,
				dim, out, err);
}

int mx_convolve_plan(struct mx_convolve *conv,
		     enum mx_convolve_direction direction, struct mx_shape *out,
		     struct mx_err *err)
{
	const struct mx_spatial *spatial = &conv->spatial;
	size_t pixels = conv->batch;
	size_t i;
	int rc;

	conv->direction = direction;
	rc = mx_convolve_pool_check(conv, err);
	if (rc)
		return rc;
	rc = write_shape(conv, out, err);
	if (rc)
		return rc;
	for (i = 0; i < MX_SPATIAL_DIMS; i++) {
		const size_t stride = spatial->stride[i];

		if (direction == MX_CONVOLVE_FORWARD) {
			conv->in_step[i] = stride;
			conv->out_step[i] = 1;
		} else {
			conv->in_step[i] = 1;
			conv->out_step[i] = stride;
		}
		conv->phases[i] = 1;
		if (conv->batch)
			conv->phases[i] = mx_size_min(conv->out_step[i],
						      conv->out_dim[i]);
		pixels *= mx_size_div_up(conv->out_dim[i], conv->out_step[i]);
	}
	if (mx_depthwise_plan(conv) || mx_strip_plan(conv))
		return 0;
	conv->way = choose_way(conv);
	if (conv->way == MX_CONVOLVE_WINOGRAD) {
		mx_winograd_plan(conv);
		conv->tile_pixels = whole_windows(
			conv, mx_size_div_up(pixels, conv->tiles));
	} else {
		cut_tiles(conv, pixels);
	}
	cut_chunks(conv);
	return 0;
}

/*
 * Panels must not straddle groups, so with groups they have as many rows as
 * divide a group's, at most PANEL_ROWS.
 */
static size_t panel_rows(const struct mx_convolve *conv)
{
	const size_t rows = conv->out_channels / conv->spatial.groups;
	size_t panel = MX_CONV_PANEL_ROWS;

	if (conv->spatial.groups == 1)
		return panel;
	while (rows % panel)
		panel--;
	return panel;
}

/* Into how many blocks a layer of few tiles is cut. */
static size_t parts_wanted(const struct mx_convolve *conv)
{
	const size_t elems =
		mx_spatial_window(&conv->spatial) * group_channels(conv);
	size_t outputs = conv->batch * conv->out_channels, i;

	for (i = 0; i < MX_SPATIAL_DIMS; i++)
		outputs *= conv->out_dim[i];
	outputs /= mx_size_div_up(PART_MACS, elems);
	outputs = mx_size_min(outputs, PARTS_WANTED) / conv->tiles;
	return mx_size_max(outputs, 1);
}

void mx_convolve_weights(const struct mx_layer *layer,
			 struct mx_weight_spec *spec)
{
	const struct mx_convolve *conv = layer->params;
	const size_t rows = conv->out_channels;
	const size_t elems =
		mx_spatial_window(&conv->spatial) * group_channels(conv);
	const size_t panel = panel_rows(conv);
	/* Instruction sets work on several panels at once. */
	const int is_depthwise = conv->way == MX_CONVOLVE_DEPTHWISE ||
				 conv->way == MX_CONVOLVE_DEPTH_LINES;
	const size_t unit = is_depthwise ? MX_CONV_PANEL_ROWS * 4
					 : panel * MX_CONV_PANELS_MAX;
	size_t block;

	spec->rows = rows;
	spec->row_elems = elems;
	spec->vectors = conv->act.kind == MX_ACTIVATION_PRELU ? 2 : 1;
	if (mx_strip_blocks(conv, spec))
		return;
	block = BLOCK_BYTES / (elems * sizeof(float)) / unit * unit;
	if (!is_depthwise && conv->tiles < TILES_WANTED)
		block = mx_size_min(
			block,
			mx_size_round_up(rows / parts_wanted(conv), unit));
	block = mx_size_max(block, panel);
	block = mx_size_div_up(rows, mx_size_div_up(rows, block));
	block = mx_size_round_up(block, block > panel ? unit : panel);
	if (conv->way == MX_CONVOLVE_WINOGRAD)
		block = conv->winograd.block_rows;
	spec->block_rows = (uint32_t)block;
	spec->panel_rows = (uint32_t)(is_depthwise ? block : panel);
}

size_t mx_convolve_tiles(const struct mx_layer *layer)
{
	const struct mx_convolve *conv = layer->params;
	size_t tiles = conv->tiles, i;

	for (i = 0; i < MX_SPATIAL_DIMS; i++)
		tiles *= conv->phases[i];
	return mx_size_max(tiles, 1);
}

uint64_t mx_convolve_macs(const struct mx_layer *layer, size_t elems)
{
	uint64_t macs;

	if (mx_u64_mul(elems, layer->weights.row_elems, &macs))
		return UINT64_MAX;
	return macs;
}
