#include "sched/arrivals.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "sched/script.h"

#define NS_PER_MS 1000000u
/* exp(-256) is a normal number, so that products down to it lose nothing. */
#define POISSON_MEAN_MAX 256.0
#define TURN 6.283185307179586
#define NAME_BYTES_MAX 256

/* SplitMix64 (Steele, Lea and Flood, 2014). */
struct generator {
	uint64_t state;
};

static uint64_t next_u64(struct generator *generator)
{
	uint64_t z = generator->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* In (0, 1]: its logarithm is finite. */
static double next_unit(struct generator *generator)
{
	return (double)((next_u64(generator) >> 11) + 1) * 0x1p-53;
}

/* By counting how many numbers multiply to exp(-mean); a sum of Poisson
 * numbers is one of the sum of their means, which keeps each in range. */
static uint64_t next_poisson(struct generator *generator, double mean)
{
	uint64_t count = 0;
	double part, end, product;

	for (; mean > 0; mean -= part) {
		part = mean < POISSON_MEAN_MAX ? mean : POISSON_MEAN_MAX;
		end = exp(-part);
		for (product = next_unit(generator); product > end; count++)
			product *= next_unit(generator);
	}
	return count;
}

static double next_gap(const struct mx_arrivals_opts *opts,
		       struct generator *generator)
{
	const double gap = (double)opts->gap_ns;
	const double spread = (double)opts->spread_ns;
	double radius;

	switch (opts->kind) {
	case MX_GAP_BATCH:
		return 0;
	case MX_GAP_CONSTANT:
		return gap;
	case MX_GAP_UNIFORM:
		return gap + (spread - gap) * next_unit(generator);
	case MX_GAP_NORMAL:
		/* Box and Muller, 1958. */
		radius = sqrt(-2 * log(next_unit(generator)));
		return gap + spread * radius * cos(TURN * next_unit(generator));
	case MX_GAP_EXPONENTIAL:
		return -gap * log(next_unit(generator));
	case MX_GAP_POISSON_MS:
		return (double)next_poisson(generator, gap / NS_PER_MS) *
		       NS_PER_MS;
	}
	return 0;
}

/* The first @count of @order are drawn from all. */
static void draw(struct generator *generator, uint32_t *order, uint32_t count,
		 uint32_t of)
{
	uint32_t i, k, taken;

	for (i = 0; i < count; i++) {
		k = i + (uint32_t)(next_u64(generator) % (of - i));
		taken = order[k];
		order[k] = order[i];
		order[i] = taken;
	}
}

static int add_all(struct mx_script *script,
		   const struct mx_arrivals_opts *opts, uint32_t *order)
{
	/* Two streams of numbers from one seed. */
	struct generator gaps = {opts->seed}, picks = {~opts->seed};
	const uint32_t job_count = opts->pick ? opts->pick : opts->net_count;
	struct mx_script_arrival *arrival;
	double gap, now = 0;
	uint32_t i, k;

	for (i = 0; i < opts->count; i++) {
		if (opts->pick)
			draw(&picks, order, job_count, opts->net_count);
		arrival = mx_script_add(script, job_count);
		if (!arrival)
			return -ENOMEM;
		for (k = 0; k < job_count; k++)
			arrival->jobs[k].net = order[k];
		if (opts->kind == MX_GAP_BATCH) {
			arrival->kind = MX_ARRIVAL_IDLE;
			continue;
		}
		arrival->kind = MX_ARRIVAL_AT;
		arrival->time_ns = (uint64_t)now;
		gap = next_gap(opts, &gaps);
		now += gap > 0 ? gap : 0;
	}
	return 0;
}

static int check(const struct mx_arrivals_opts *opts, struct mx_err *err)
{
	if (opts->gap_ns > MX_GAP_NS_MAX || opts->spread_ns > MX_GAP_NS_MAX)
		return mx_fail(err, EINVAL, "arrivals: a gap is too long");
	if (opts->kind == MX_GAP_UNIFORM && opts->spread_ns < opts->gap_ns)
		return mx_fail(err, EINVAL,
			       "arrivals: the longest gap is below the "
			       "shortest");
	if (opts->pick > opts->net_count)
		return mx_fail(err, EINVAL,
			       "arrivals: %" PRIu32 " networks to pick of "
			       "%" PRIu32,
			       opts->pick, opts->net_count);
	return 0;
}

int mx_arrivals_init(struct mx_script *script,
		     const struct mx_arrivals_opts *opts, struct mx_err *err)
{
	uint32_t *order, i;
	int rc;

	assert(opts->net_count);
	rc = check(opts, err);
	if (rc)
		return rc;
	order = calloc(opts->net_count, sizeof(*order));
	if (!order)
		return mx_fail(err, ENOMEM, "arrivals: no memory");
	for (i = 0; i < opts->net_count; i++)
		order[i] = i;
	*script = (struct mx_script){.arrival_count = 0};
	rc = add_all(script, opts, order);
	free(order);
	if (!rc)
		return 0;
	mx_script_fini(script);
	return mx_fail(err, ENOMEM, "arrivals: no memory");
}

/* ---- traces ---- */

struct line {
	const struct mx_trace_opts *opts;
	const char *at; /* what is left of it */
	const char *end;
	uint64_t number; /* for messages */
};

static int is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == ',';
}

/* The next word: its length, 0 at the end. */
static size_t next_word(struct line *line, const char **word)
{
	while (line->at < line->end && is_blank(*line->at))
		line->at++;
	*word = line->at;
	while (line->at < line->end && !is_blank(*line->at))
		line->at++;
	return (size_t)(line->at - *word);
}

static int parse_time(const struct line *line, const char *word, size_t bytes,
		      uint64_t *out, struct mx_err *err)
{
	char text[NAME_BYTES_MAX];
	char *end = text;
	double ms = -1;

	if (bytes < sizeof(text)) {
		memcpy(text, word, bytes);
		text[bytes] = '\0';
		ms = strtod(text, &end);
	}
	/* Not NaN either. */
	if (end == text || *end || !(ms >= 0) ||
	    !(ms <= (double)(MX_GAP_NS_MAX / NS_PER_MS)))
		return mx_fail(
			err, EBADMSG, "%s:%" PRIu64 ": %.*s is no time in ms",
			line->opts->name, line->number, (int)bytes, word);
	*out = (uint64_t)llround(ms * NS_PER_MS);
	return 0;
}

static int find_net(const struct line *line, const char *word, size_t bytes,
		    uint32_t *out, struct mx_err *err)
{
	const struct mx_trace_opts *opts = line->opts;
	uint32_t i;

	for (i = 0; i < opts->net_count; i++)
		if (strlen(opts->nets[i]) == bytes &&
		    !memcmp(opts->nets[i], word, bytes)) {
			*out = i;
			return 0;
		}
	return mx_fail(err, EBADMSG,
		       "%s:%" PRIu64 ": %.*s is none of the networks given",
		       opts->name, line->number, (int)bytes, word);
}

static int parse_line(struct mx_script *script, struct line line,
		      uint64_t *last_ns, struct mx_err *err)
{
	struct line names;
	struct mx_script_arrival *arrival;
	const char *word;
	uint64_t time_ns = 0;
	uint32_t count = 0, i;
	size_t bytes;
	int rc;

	bytes = next_word(&line, &word);
	if (!bytes)
		return 0;
	rc = parse_time(&line, word, bytes, &time_ns, err);
	if (rc)
		return rc;
	if (time_ns < *last_ns)
		return mx_fail(err, EBADMSG,
			       "%s:%" PRIu64 ": %.*s ms is before the arrival "
			       "above",
			       line.opts->name, line.number, (int)bytes, word);
	*last_ns = time_ns;
	for (names = line; next_word(&names, &word);)
		count++;
	arrival = mx_script_add(script, count ? count : line.opts->net_count);
	if (!arrival)
		return mx_fail(err, ENOMEM, "%s: no memory", line.opts->name);
	arrival->kind = MX_ARRIVAL_AT;
	arrival->time_ns = time_ns;
	for (i = 0; i < arrival->job_count; i++)
		arrival->jobs[i].net = i;
	for (i = 0; !rc && i < count; i++) {
		bytes = next_word(&line, &word);
		rc = find_net(&line, word, bytes, &arrival->jobs[i].net, err);
	}
	return rc;
}

int mx_arrivals_trace(struct mx_script *script, const char *text,
		      const struct mx_trace_opts *opts, struct mx_err *err)
{
	struct line line = {.opts = opts, .at = text};
	const char *next;
	uint64_t last_ns = 0;
	int rc = 0;

	assert(opts->net_count);
	*script = (struct mx_script){.arrival_count = 0};
	while (!rc && *line.at &&
	       (!opts->count || script->arrival_count < opts->count)) {
		next = line.at + strcspn(line.at, "\n");
		line.end = line.at + strcspn(line.at, "#\n");
		line.number++;
		rc = parse_line(script, line, &last_ns, err);
		line.at = *next ? next + 1 : next;
	}
	if (!rc && !script->arrival_count)
		rc = mx_fail(err, EBADMSG, "%s: has no arrivals", opts->name);
	if (rc)
		mx_script_fini(script);
	return rc;
}
