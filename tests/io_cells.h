/*
 * What bench_io compares: ways to bring a file's bytes, each with a back end, a
 * depth and a size of slices; and what was measured of each, as a table or as
 * JSON. A program that includes this dies of what it cannot do.
 */
#ifndef MX_TESTS_IO_CELLS_H
#define MX_TESTS_IO_CELLS_H

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/number.h"
#include "pager/reader.h"

#define ROUNDS_MAX 32
#define CELLS_MAX 512
#define LIST_MAX 16
#define WORD_BYTES 16
#define MEGA 1e6
#define MEBI 1048576.0

/* What a way does, beside its name. */
enum traits {
	WAY_MAPS = 1 << 0, /* uses the file's mapping, not buffers */
	WAY_READS = 1 << 1, /* through a reader */
	WAY_ADVISES = 1 << 2, /* POSIX_FADV_WILLNEED first */
	WAY_DIRECT = 1 << 3,
	WAY_FIXED = 1 << 4, /* registered buffers */
	WAY_HUGE = 1 << 5, /* in huge pages */
};

struct way {
	const char *name;
	unsigned traits;
};

static const struct way ways[] = {
	{"touch", WAY_MAPS},
	{"pread", WAY_READS},
	{"populate", WAY_MAPS | WAY_READS},
	{"willneed", WAY_MAPS | WAY_READS | WAY_ADVISES},
	{"direct", WAY_READS | WAY_DIRECT},
	{"fixed", WAY_READS | WAY_DIRECT | WAY_FIXED},
	{"huge", WAY_READS | WAY_DIRECT | WAY_HUGE},
	{"hugefix", WAY_READS | WAY_DIRECT | WAY_FIXED | WAY_HUGE},
};

/* What is measured. */
enum metric {
	SECONDS,
	CPU_SECONDS,
	PEAK_BYTES, /* NAN: not known */
	READ_BYTES,
	MAJOR_FAULTS, /* the consumer's, while it uses slices */
	METRICS
};

struct cell {
	const struct way *way;
	char io[WORD_BYTES]; /* "-" without a reader */
	uint32_t depth;
	size_t slice_bytes;
	double sample[METRICS][ROUNDS_MAX];
	double median[METRICS]; /* once settle() has been called */
};

/* Every combination, and what was measured. */
struct cells {
	struct cell cell[CELLS_MAX];
	size_t count;
	size_t rounds;
	size_t size_bytes; /* that one measurement brings */
};

__attribute__((format(printf, 1, 2), noreturn)) static void die(
	const char *format, ...)
{
	va_list args;

	fprintf(stderr, "bench_io: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	exit(1);
}

/* Append a cell, in its plainest form, unless it is there or makes no sense. */
static void add_cell(struct cells *cells, const struct way *way, const char *io,
		     uint64_t depth, uint64_t slice_bytes)
{
	struct cell *cell = &cells->cell[cells->count];
	size_t i;

	if (!(way->traits & WAY_READS))
		io = "-";
	if (strcmp(io, "-") == 0 || strcmp(io, "sync") == 0)
		depth = 1;
	if (way->traits & WAY_FIXED && strcmp(io, "uring") != 0)
		return;
	for (i = 0; i < cells->count; i++)
		if (cells->cell[i].way == way &&
		    strcmp(cells->cell[i].io, io) == 0 &&
		    cells->cell[i].depth == depth &&
		    cells->cell[i].slice_bytes == slice_bytes)
			return;
	if (cells->count == CELLS_MAX)
		die("more than %d combinations", CELLS_MAX);
	cell->way = way;
	snprintf(cell->io, sizeof(cell->io), "%s", io);
	cell->depth = (uint32_t)depth;
	cell->slice_bytes = slice_bytes;
	cells->count++;
}

/* Cut @text at @mark into at most LIST_MAX words. Returns how many. */
static size_t cut(char *text, const char *mark, char *words[LIST_MAX])
{
	size_t count = 0;
	char *word;

	while ((word = strsep(&text, mark))) {
		if (count == LIST_MAX || !*word)
			die("a list of 1 to %d words is needed", LIST_MAX);
		words[count++] = word;
	}
	return count;
}

static const struct way *find_way(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strcmp(ways[i].name, name) == 0)
			return &ways[i];
	die("no way '%s'", name);
}

/* WAYS:BACK-ENDS:DEPTHS:SLICES, each with each. */
static void add_cells(struct cells *cells, const char *spec)
{
	char *part[LIST_MAX], *way[LIST_MAX], *io[LIST_MAX], *size[LIST_MAX];
	char *text = strdup(spec);
	uint64_t depth[LIST_MAX], bytes;
	size_t way_count, io_count, depth_count, size_count, w, b, d, s;

	if (!text || cut(text, ":", part) != 4 ||
	    mx_parse_counts(part[2], MX_READS_MAX, depth, LIST_MAX,
			    &depth_count))
		die("'%s' is not WAYS:BACK-ENDS:DEPTHS:SLICES", spec);
	way_count = cut(part[0], ",", way);
	io_count = cut(part[1], ",", io);
	size_count = cut(part[3], ",", size);
	for (s = 0; s < size_count; s++) {
		if (mx_parse_size(size[s], &bytes) || bytes == 0 ||
		    bytes % MX_READ_ALIGN_BYTES || bytes > UINT32_MAX / 2)
			die("'%s' is no size of a slice", size[s]);
		for (w = 0; w < way_count; w++)
			for (b = 0; b < io_count; b++)
				for (d = 0; d < depth_count; d++)
					add_cell(cells, find_way(way[w]), io[b],
						 depth[d], bytes);
	}
	free(text);
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Reduce the rounds to medians. Samples get sorted. */
static void settle(struct cells *cells)
{
	struct cell *cell;
	size_t i, m;

	for (i = 0; i < cells->count; i++) {
		cell = &cells->cell[i];
		for (m = 0; m < METRICS; m++) {
			qsort(cell->sample[m], cells->rounds,
			      sizeof(cell->sample[m][0]), by_value);
			cell->median[m] = cell->sample[m][cells->rounds / 2];
		}
	}
}

/* "12.3", or @none for what is not known. */
static const char *number(double value, int digits, const char *none,
			  char text[MX_TEXT_BYTES])
{
	if (isnan(value))
		return none;
	snprintf(text, MX_TEXT_BYTES, "%.*f", digits, value);
	return text;
}

static void print_table(const struct cells *cells)
{
	char peak[MX_TEXT_BYTES];
	const struct cell *cell;
	const double *median;
	size_t i;

	printf("%-8s %-8s %5s %7s %8s %8s %7s %9s %8s %7s\n", "way", "io",
	       "depth", "slice-K", "s", "MB/s", "CPU-s", "peak-MiB", "read-MB",
	       "faults");
	for (i = 0; i < cells->count; i++) {
		cell = &cells->cell[i];
		median = cell->median;
		printf("%-8s %-8s %5u %7zu %8.3f %8.1f %7.3f %9s %8.1f %7.0f\n",
		       cell->way->name, cell->io, cell->depth,
		       cell->slice_bytes >> 10, median[SECONDS],
		       (double)cells->size_bytes / median[SECONDS] / MEGA,
		       median[CPU_SECONDS],
		       number(median[PEAK_BYTES] / MEBI, 1, "-", peak),
		       median[READ_BYTES] / MEGA, median[MAJOR_FAULTS]);
	}
}

static void print_json(const struct cells *cells, FILE *out)
{
	char peak[MX_TEXT_BYTES];
	const struct cell *cell;
	const double *median;
	size_t i;

	fprintf(out, "{\"bytes\": %zu, \"rounds\": %zu, \"cells\": [",
		cells->size_bytes, cells->rounds);
	for (i = 0; i < cells->count; i++) {
		cell = &cells->cell[i];
		median = cell->median;
		fprintf(out,
			"%s\n {\"way\": \"%s\", \"io\": \"%s\", \"depth\": %u, "
			"\"slice_bytes\": %zu, \"seconds\": %.6f, "
			"\"mb_per_second\": %.1f, \"cpu_seconds\": %.6f, "
			"\"peak_bytes\": %s, \"read_bytes\": %.0f, "
			"\"major_faults\": %.0f}",
			i ? "," : "", cell->way->name, cell->io, cell->depth,
			cell->slice_bytes, median[SECONDS],
			(double)cells->size_bytes / median[SECONDS] / MEGA,
			median[CPU_SECONDS],
			number(median[PEAK_BYTES], 0, "null", peak),
			median[READ_BYTES], median[MAJOR_FAULTS]);
	}
	fprintf(out, "\n]}\n");
}

#endif
