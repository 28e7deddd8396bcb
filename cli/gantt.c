#include "cli/gantt.h"

#include <inttypes.h>
#include <stdint.h>

#include "cli/number.h"
#include "cli/timeline.h"
#include "lib/network.h"
#include "pager/residency.h"

/* All in the picture's pixels. */
#define LEFT 150.0
#define CHART 1000.0
#define RIGHT 30.0
#define TOP 40.0
#define ROW 44.0
#define BAR 18.0
#define MEMORY 120.0
#define BOTTOM 40.0
#define TICKS 10
/* Thinner is not seen. */
#define THIN 0.3
/* A turn of the colour wheel that keeps any few networks apart. */
#define HUE_STEP 137u
#define HUES 360u

struct gantt {
	const struct mx_picture *picture;
	FILE *out;
	double ns; /* that the chart is wide */
	double bytes; /* that the memory's chart is high */
};

static void text(FILE *out, const char *value)
{
	for (; *value; value++) {
		if (*value == '<')
			(void)fputs("&lt;", out);
		else if (*value == '&')
			(void)fputs("&amp;", out);
		else if ((unsigned char)*value >= ' ')
			(void)fputc(*value, out);
	}
}

static double x_of(const struct gantt *gantt, uint64_t at_ns)
{
	return LEFT + (double)at_ns / gantt->ns * CHART;
}

static double rows_end(const struct gantt *gantt)
{
	return TOP + ROW * gantt->picture->net_count;
}

static double y_of(const struct gantt *gantt, uint64_t bytes)
{
	return rows_end(gantt) + MEMORY - (double)bytes / gantt->bytes * MEMORY;
}

static void write_span(const struct gantt *gantt, const struct mx_span *span)
{
	static const char *const kinds[] = {"INIT", "LOAD", "EXEC"};
	const struct mx_picture *picture = gantt->picture;
	const double x = x_of(gantt, span->begin_ns);
	const int is_load = span->kind == MX_SPAN_LOAD;
	const double width = x_of(gantt, span->end_ns) - x;
	char begin[MX_TEXT_BYTES], end[MX_TEXT_BYTES], size[MX_TEXT_BYTES];

	if (span->kind == MX_SPAN_INIT)
		return;
	(void)fprintf(gantt->out,
		      "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" "
		      "height=\"%.1f\" fill=\"hsl(%u,60%%,%u%%)\"><title>",
		      x, TOP + ROW * span->net + (is_load ? 2 : 3 + BAR),
		      width > THIN ? width : THIN, BAR,
		      span->net * HUE_STEP % HUES, is_load ? 70u : 45u);
	text(gantt->out, picture->names[span->net]);
	(void)fprintf(gantt->out, ": %s ", kinds[span->kind]);
	text(gantt->out, picture->nets[span->net]->layers[span->layer].name);
	if (is_load)
		(void)fprintf(gantt->out, ", %s",
			      mx_text_bytes(span->size_bytes, size));
	(void)fprintf(gantt->out, ", %s to %s</title></rect>\n",
		      mx_text_ns(span->begin_ns, begin),
		      mx_text_ns(span->end_ns, end));
}

static void write_rows(const struct gantt *gantt)
{
	const struct mx_timeline *timeline = gantt->picture->timeline;
	size_t i;

	for (i = 0; i < gantt->picture->net_count; i++) {
		(void)fprintf(gantt->out, "<text x=\"4\" y=\"%.1f\">",
			      TOP + ROW * (double)i + 26);
		text(gantt->out, gantt->picture->names[i]);
		(void)fputs("</text>\n", gantt->out);
	}
	for (i = 0; i < timeline->span_count; i++)
		write_span(gantt, &timeline->spans[i]);
}

/* A line across the memory's chart with its name. */
static void write_level(const struct gantt *gantt, const char *name,
			uint64_t bytes)
{
	char size[MX_TEXT_BYTES];

	(void)fprintf(gantt->out,
		      "<path d=\"M%.1f %.1fh%.1f\" stroke=\"red\" "
		      "stroke-dasharray=\"4\"/>\n<text x=\"4\" y=\"%.1f\">%s "
		      "%s</text>\n",
		      LEFT, y_of(gantt, bytes), CHART, y_of(gantt, bytes) + 4,
		      name, mx_text_bytes(bytes, size));
}

static void write_memory(const struct gantt *gantt)
{
	const struct mx_timeline *timeline = gantt->picture->timeline;
	const uint64_t memory_bytes = gantt->picture->memory_bytes;
	const struct mx_memory_point *point;
	size_t i;

	(void)fprintf(gantt->out, "<path fill=\"silver\" d=\"M%.1f %.1f", LEFT,
		      y_of(gantt, 0));
	for (i = 0; i < timeline->point_count; i++) {
		point = &timeline->points[i];
		/* Of one moment the last is what stays. */
		if (i + 1 < timeline->point_count &&
		    point[1].at_ns == point->at_ns)
			continue;
		(void)fprintf(gantt->out, "H%.2fV%.2f",
			      x_of(gantt, point->at_ns),
			      y_of(gantt, point->bytes));
	}
	(void)fprintf(gantt->out, "H%.1fV%.1fz\"/>\n", LEFT + CHART,
		      y_of(gantt, 0));
	if (memory_bytes == MX_RESIDENCY_UNLIMITED)
		write_level(gantt, "peak", timeline->peak_bytes);
	else
		write_level(gantt, "memory", memory_bytes);
}

/* 1, 2 or 5 times a power of ten. */
static uint64_t tick_ns(const struct gantt *gantt)
{
	uint64_t tick = 1;

	while ((double)tick * TICKS < gantt->ns) {
		if ((double)tick * 2 * TICKS >= gantt->ns)
			return tick * 2;
		if ((double)tick * 5 * TICKS >= gantt->ns)
			return tick * 5;
		tick *= 10;
	}
	return tick;
}

static void write_axis(const struct gantt *gantt)
{
	const double bottom = rows_end(gantt) + MEMORY;
	const uint64_t tick = tick_ns(gantt);
	char when[MX_TEXT_BYTES];
	uint64_t at_ns;

	for (at_ns = 0; (double)at_ns <= gantt->ns; at_ns += tick)
		(void)fprintf(gantt->out,
			      "<path d=\"M%.1f %.1fV%.1f\" stroke=\"#ddd\"/>\n"
			      "<text x=\"%.1f\" y=\"%.1f\" "
			      "text-anchor=\"middle\">%s</text>\n",
			      x_of(gantt, at_ns), TOP, bottom,
			      x_of(gantt, at_ns), bottom + 16,
			      mx_text_ns(at_ns, when));
}

void mx_gantt_write(const struct mx_picture *picture, FILE *out)
{
	const struct mx_timeline *timeline = picture->timeline;
	struct gantt gantt = {.picture = picture, .out = out};
	const uint64_t high_bytes =
		picture->memory_bytes == MX_RESIDENCY_UNLIMITED
			? timeline->peak_bytes
			: picture->memory_bytes;
	char end[MX_TEXT_BYTES];

	gantt.ns = timeline->end_ns ? (double)timeline->end_ns : 1;
	gantt.bytes = high_bytes ? (double)high_bytes : 1;
	(void)fprintf(out,
		      "<svg xmlns=\"http://www.w3.org/2000/svg\" "
		      "width=\"%.0f\" height=\"%.0f\" "
		      "font-family=\"sans-serif\" font-size=\"12\">\n"
		      "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>"
		      "\n<text x=\"%.1f\" y=\"20\">",
		      LEFT + CHART + RIGHT, rows_end(&gantt) + MEMORY + BOTTOM,
		      LEFT);
	text(out, picture->policy);
	(void)fprintf(out,
		      ": %s; light: reading, dark: computing, grey: memory"
		      "</text>\n",
		      mx_text_ns(timeline->end_ns, end));
	write_axis(&gantt);
	write_rows(&gantt);
	write_memory(&gantt);
	(void)fputs("</svg>\n", out);
}
