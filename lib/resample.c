#include "lib/resample.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"

/* Entries of a table: 192 MiB. No sensible network comes near. */
#define ENTRIES_MAX ((size_t)1 << 24)

/*
 * From output to input indices as a fraction. A scale that is out / in rounded
 * to a float means that ratio: the fraction is exact then, where the quotient
 * would put what belongs on an element beside it.
 */
struct step {
	double num;
	double den;
};

static struct step step_of(const struct mx_resample_axis *axis)
{
	const double in = (double)axis->in;
	const double out = (double)axis->out;

	if (axis->scale == 0.0 || (float)axis->scale == (float)(out / in))
		return (struct step){in, out};
	return (struct step){1.0, axis->scale};
}

/* Where output index @i lies between the input's elements. */
static double source_of(const struct mx_resample_rule *rule,
			const struct mx_resample_axis *axis, size_t i)
{
	const struct step step = step_of(axis);
	const double in = (double)axis->in;
	const double out = (double)axis->out;
	const double span = axis->roi_end - axis->roi_begin;
	const double half = ((double)i + 0.5) * step.num / step.den;

	switch (rule->coordinates) {
	case MX_RESAMPLE_ASYMMETRIC:
		return (double)i * step.num / step.den;
	case MX_RESAMPLE_ALIGN_CORNERS:
		if (axis->out == 1)
			return 0.0;
		return (double)i * (in - 1.0) / (out - 1.0);
	case MX_RESAMPLE_PYTORCH_HALF_PIXEL:
		return axis->out == 1 ? 0.0 : half - 0.5;
	case MX_RESAMPLE_TF_HALF_PIXEL_FOR_NN:
		return half;
	case MX_RESAMPLE_TF_CROP_AND_RESIZE:
		if (axis->out == 1)
			return 0.5 * (axis->roi_begin + axis->roi_end) *
			       (in - 1.0);
		return axis->roi_begin * (in - 1.0) +
		       (double)i * span * (in - 1.0) / (out - 1.0);
	case MX_RESAMPLE_HALF_PIXEL_SYMMETRIC:
		return 0.5 * in * (1.0 - out * step.num / step.den / in) +
		       half - 0.5;
	default:
		return half - 0.5;
	}
}

static int is_identity(const struct mx_resample_rule *rule,
		       const struct mx_resample_axis *axis)
{
	const struct step step = step_of(axis);

	return axis->in == axis->out && step.num == step.den &&
	       rule->coordinates != MX_RESAMPLE_TF_HALF_PIXEL_FOR_NN &&
	       rule->coordinates != MX_RESAMPLE_TF_CROP_AND_RESIZE;
}

static double round_source(enum mx_resample_round round, double source)
{
	switch (round) {
	case MX_RESAMPLE_ROUND_PREFER_CEIL:
		return floor(source + 0.5);
	case MX_RESAMPLE_FLOOR:
		return floor(source);
	case MX_RESAMPLE_CEIL:
		return ceil(source);
	default:
		return ceil(source - 0.5);
	}
}

static size_t clamp_index(double index, size_t in)
{
	if (!(index > 0.0))
		return 0;
	return index < (double)in ? (size_t)index : in - 1;
}

/* The filter's value at @distance from the source. */
static double filter(const struct mx_resample_rule *rule, double distance)
{
	const double a = rule->cubic;
	const double x = fabs(distance);

	if (rule->mode == MX_RESAMPLE_LINEAR)
		return x < 1.0 ? 1.0 - x : 0.0;
	if (x <= 1.0)
		return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
	if (x < 2.0)
		return ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a;
	return 0.0;
}

/* How wide the filter is made: 1, or below it where the size shrinks. */
static double squeeze_of(const struct mx_resample_rule *rule,
			 const struct mx_resample_axis *axis)
{
	const struct step step = step_of(axis);

	if (!rule->antialias || step.den >= step.num)
		return 1.0;
	return step.den / step.num;
}

static double taps_of(const struct mx_resample_rule *rule,
		      const struct mx_resample_axis *axis)
{
	const double support = rule->mode == MX_RESAMPLE_LINEAR ? 1.0 : 2.0;

	if (rule->mode == MX_RESAMPLE_NEAREST)
		return 1.0;
	return 2.0 * ceil(support / squeeze_of(rule, axis));
}

/* The taps of one output index, symmetric around its source. */
static void fill_taps(const struct mx_resample_rule *rule,
		      const struct mx_resample_axis *axis, double source,
		      size_t taps, size_t *index, float *weight)
{
	const double squeeze = squeeze_of(rule, axis);
	const double first = floor(source) - (double)(taps / 2) + 1.0;
	const double last = (double)axis->in - 1.0;
	double all = 0.0, inside = 0.0;
	size_t t;

	for (t = 0; t < taps; t++) {
		const double at = first + (double)t;
		const double w = filter(rule, (at - source) * squeeze);

		all += w;
		if (at >= 0.0 && at <= last)
			inside += w;
	}
	for (t = 0; t < taps; t++) {
		const double at = first + (double)t;
		const double w = filter(rule, (at - source) * squeeze);
		const int is_in = at >= 0.0 && at <= last;

		index[t] = clamp_index(at, axis->in);
		if (!rule->exclude_outside || inside == 0.0)
			weight[t] = (float)(w / all);
		else
			weight[t] = is_in ? (float)(w / inside) : 0.0f;
	}
}

static void fill(struct mx_resample_table *table,
		 const struct mx_resample_rule *rule,
		 const struct mx_resample_axis *axis)
{
	const double room = (double)table->taps + 1.0;
	const double last = (double)axis->in - 1.0;
	size_t i;

	for (i = 0; i < axis->out; i++) {
		size_t *index = table->index + i * table->taps;
		float *weight = table->weight + i * table->taps;
		double source = source_of(rule, axis, i);

		if (table->outside)
			table->outside[i] = source < 0.0 || source > last;
		if (rule->mode == MX_RESAMPLE_NEAREST) {
			source = round_source(rule->round, source);
			index[0] = clamp_index(source, axis->in);
			weight[0] = 1.0f;
			continue;
		}
		/* Farther out all taps repeat the border anyway. */
		source = fmin(fmax(source, -room), last + room);
		fill_taps(rule, axis, source, table->taps, index, weight);
	}
}

int mx_resample_init(struct mx_resample_table *table,
		     const struct mx_resample_rule *rule,
		     const struct mx_resample_axis *axis, struct mx_err *err)
{
	const double taps = taps_of(rule, axis);

	if (is_identity(rule, axis))
		return 0;
	if (!(taps * (double)axis->out <= (double)ENTRIES_MAX))
		return mx_fail(err, EBADMSG, "%zu to %zu elements is too much",
			       axis->in, axis->out);
	table->taps = (size_t)taps;
	table->index = calloc(axis->out * table->taps, sizeof(*table->index));
	table->weight = calloc(axis->out * table->taps, sizeof(*table->weight));
	if (rule->coordinates == MX_RESAMPLE_TF_CROP_AND_RESIZE)
		table->outside = calloc(axis->out, sizeof(*table->outside));
	if (!table->index || !table->weight ||
	    (rule->coordinates == MX_RESAMPLE_TF_CROP_AND_RESIZE &&
	     !table->outside))
		return mx_fail(err, ENOMEM, "no memory to resize %zu elements",
			       axis->out);
	fill(table, rule, axis);
	return 0;
}

void mx_resample_fini(struct mx_resample_table *table)
{
	free(table->index);
	free(table->weight);
	free(table->outside);
	memset(table, 0, sizeof(*table));
}
