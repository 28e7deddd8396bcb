#include "lib/simd_depthwise.h"

#include "lib/simd.h"
#include "lib/simd_vec.h"

/* Pixels and vectors of channels in registers at once. */
#if defined(__AVX512F__)
#define PIXELS 6
#define SLIDE_PIXELS 8
#else
#define PIXELS 4
#define SLIDE_PIXELS 4
#endif
#define VECS 2

/* Where a tile is: channels from @channel on, @some of them if not 0. */
struct place {
	size_t pixel;
	size_t channel;
	size_t some;
};

MX_VEC_INLINE mx_vec load(const float *from, size_t some)
{
	return some ? mx_vec_load_some(from, some) : mx_vec_load(from);
}

/* @pixels, @vecs, @columns and whether @place->some is 0 are constants once
 * inlined; @columns 0: as the line says. */
MX_VEC_INLINE void tile(const struct mx_depthwise *line, struct place place,
			const size_t pixels, const size_t vecs, size_t columns)
{
	const float *x = line->x + place.pixel * line->x_step + place.channel;
	const float *w = line->weights + place.channel;
	float *out = line->out + place.pixel * line->out_step + place.channel;
	const size_t some = place.some;
	mx_vec sum[PIXELS][VECS];
	mx_vec low, high;
	size_t row, column, i, j;

	columns = columns ? columns : line->columns;
	mx_vec_for (j, vecs) {
		const mx_vec bias =
			load(line->bias + place.channel + j * MX_VEC, some);

		mx_vec_for (i, pixels)
			sum[i][j] = bias;
	}
	for (row = 0; row < line->rows; row++) {
		const float *from = x + row * line->x_row;
		const float *by = w + row * line->w_row;

		for (column = 0; column < columns; column++) {
			mx_vec_for (j, vecs) {
				const mx_vec v = load(by + j * MX_VEC, some);

				mx_vec_for (i, pixels)
					sum[i][j] +=
						load(from + i * line->x_step +
							     j * MX_VEC,
						     some) *
						v;
			}
			from += line->x_column;
			by += line->w_column;
		}
	}
	low = mx_vec_spread(line->low);
	high = mx_vec_spread(line->high);
	mx_vec_for (i, pixels)
		mx_vec_for (j, vecs) {
			float *to = out + i * line->out_step + j * MX_VEC;
			const mx_vec y = mx_vec_clamp(sum[i][j], low, high);

			if (some)
				mx_vec_store_some(to, y, some);
			else
				mx_vec_store(to, y);
		}
}

MX_VEC_INLINE void channels(const struct mx_depthwise *line, size_t pixel,
			    const size_t pixels, const size_t columns)
{
	struct place place = {.pixel = pixel};

	for (; place.channel + VECS * MX_VEC <= line->channels;
	     place.channel += VECS * MX_VEC)
		tile(line, place, pixels, VECS, columns);
	for (; place.channel + MX_VEC <= line->channels;
	     place.channel += MX_VEC)
		tile(line, place, pixels, 1, columns);
	if (place.channel == line->channels)
		return;
	/* The rest, with channels before it that come out the same again. */
	if (line->channels >= MX_VEC) {
		place.channel = line->channels - MX_VEC;
		tile(line, place, pixels, 1, columns);
	} else {
		place.some = line->channels;
		tile(line, place, pixels, 1, columns);
	}
}

MX_VEC_INLINE void pixels(const struct mx_depthwise *line, const size_t columns)
{
	size_t pixel = 0;

	for (; pixel + PIXELS <= line->pixels; pixel += PIXELS)
		channels(line, pixel, PIXELS, columns);
	for (; pixel + 2 <= line->pixels; pixel += 2)
		channels(line, pixel, 2, columns);
	if (pixel < line->pixels)
		channels(line, pixel, 1, columns);
}

/*
 * 3x3 windows that slide by a pixel: the weights stay in registers, and what
 * is loaded serves up to three pixels. The chains of sums are those of tile().
 */
MX_VEC_INLINE void slide(const struct mx_depthwise *line, mx_vec w[3][3],
			 mx_vec bias, size_t pixel, size_t channel,
			 const size_t pixels)
{
	const float *x = line->x + pixel * line->x_step + channel;
	float *out = line->out + pixel * line->out_step + channel;
	const mx_vec low = mx_vec_spread(line->low);
	const mx_vec high = mx_vec_spread(line->high);
	mx_vec sum[SLIDE_PIXELS];
	size_t row, i, k;

	mx_vec_for (i, pixels)
		sum[i] = bias;
	mx_vec_for (row, 3)
		mx_vec_for (i, pixels + 2) {
			const mx_vec v = mx_vec_load(x + row * line->x_row +
						     i * line->x_step);

			mx_vec_for (k, 3)
				if (i >= k && i - k < pixels)
					sum[i - k] += v * w[row][k];
		}
	mx_vec_for (i, pixels)
		mx_vec_store(out + i * line->out_step,
			     mx_vec_clamp(sum[i], low, high));
}

/* As many pixels as can be taken some at a time; returns how many. */
static size_t slide_pixels(const struct mx_depthwise *line)
{
	const size_t last = line->channels - MX_VEC;
	size_t channel = 0;
	size_t pixel, row, k;

	for (;;) {
		const float *from = line->weights + channel;
		const mx_vec bias = mx_vec_load(line->bias + channel);
		mx_vec w[3][3];

		mx_vec_for (row, 3)
			mx_vec_for (k, 3)
				w[row][k] =
					mx_vec_load(from + row * line->w_row +
						    k * line->w_column);
		pixel = 0;
		for (; pixel + SLIDE_PIXELS <= line->pixels;
		     pixel += SLIDE_PIXELS)
			slide(line, w, bias, pixel, channel, SLIDE_PIXELS);
		if (pixel + 4 <= line->pixels && SLIDE_PIXELS > 4) {
			slide(line, w, bias, pixel, channel, 4);
			pixel += 4;
		}
		if (channel == last)
			return pixel;
		channel = channel + MX_VEC < last ? channel + MX_VEC : last;
	}
}

static void run_line(const struct mx_depthwise *line)
{
	struct mx_depthwise rest = *line;
	size_t done = 0;

	if (line->columns == 3 && line->rows == 3 &&
	    line->x_step == line->x_column && line->channels >= MX_VEC)
		done = slide_pixels(line);
	rest.pixels -= done;
	rest.x += done * line->x_step;
	rest.out += done * line->out_step;
	if (line->columns == 3)
		pixels(&rest, 3);
	else if (line->columns == 2)
		pixels(&rest, 2);
	else
		pixels(&rest, 0);
}

static void gather(float *to, const float *from, size_t step, size_t channels,
		   size_t pixels)
{
	size_t i, c;

	for (i = 0; i < pixels; i++, from += step, to += channels) {
		for (c = 0; c + MX_VEC <= channels; c += MX_VEC)
			mx_vec_store(to + c, mx_vec_load(from + c));
		for (; c < channels; c++)
			to[c] = from[c];
	}
}

extern const struct mx_simd_depthwise MX_SIMD_TABLE(depthwise);
const struct mx_simd_depthwise MX_SIMD_TABLE(depthwise) = {
	.line = run_line,
	.gather = gather,
};
