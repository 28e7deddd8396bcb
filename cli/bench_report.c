#include "cli/bench_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/json.h"
#include "cli/number.h"
#include "cli/statistics.h"
#include "cli/table.h"
#include "cli/yaml_tree.h"
#include "lib/network.h"

#define MIB (1024.0 * 1024.0)

static const char *state_of(const struct mx_bench_point *point)
{
	return point->cold ? "cold" : "warm";
}

static const char *paging_of(const struct mx_bench_point *point)
{
	return point->paging == MX_BENCH_MMAP ? "mmap" : "plan";
}

static double mean_read_bytes(const struct mx_bench_point *point)
{
	double sum = 0;
	uint32_t i;

	for (i = 0; i < point->sample_count; i++)
		sum += (double)point->read_bytes[i];
	return sum / point->sample_count;
}

void mx_bench_report_fini(struct mx_bench_report *report)
{
	size_t i;

	for (i = 0; i < report->point_count; i++) {
		free(report->points[i].network);
		free(report->points[i].samples_ns);
		free(report->points[i].read_bytes);
		free(report->points[i].layer_ns);
	}
	free(report->points);
	*report = (struct mx_bench_report){.points = NULL};
}

/* The samples stay in the order in which they were measured. */
static int summarise(const struct mx_bench_point *point,
		     struct mx_statistics *stats)
{
	const size_t bytes = point->sample_count * sizeof(uint64_t);
	uint64_t *copy = malloc(bytes);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, point->samples_ns, bytes);
	mx_statistics_init(stats, copy, point->sample_count);
	free(copy);
	return 0;
}

static void heading(struct mx_table *table, const char *const *names)
{
	size_t i;

	for (i = 0; i < table->columns; i++)
		mx_table_cell(table, "%s", names[i]);
}

/* Milliseconds in tables of any kind, so that they can be computed with. */
static void ms_cell(struct mx_table *table, double ns)
{
	mx_table_cell(table, "%.3f", ns / 1e6);
}

static int print_points(const struct mx_bench_report *report,
			enum mx_table_style style)
{
	static const char *const names[] = {
		"network", "threads", "budget MiB", "policy",	"paging",
		"state",   "runs",    "median ms",  "mean ms",	"sd ms",
		"min ms",  "p95 ms",  "p99 ms",	    "read MiB",
	};
	const struct mx_bench_point *point;
	struct mx_statistics stats;
	struct mx_table table;
	size_t i;
	int rc = 0;

	mx_table_init(&table, "lrrlllrrrrrrrr");
	heading(&table, names);
	for (i = 0; !rc && i < report->point_count; i++) {
		point = &report->points[i];
		rc = summarise(point, &stats);
		mx_table_cell(&table, "%s", point->network);
		mx_table_cell(&table, "%" PRIu32, point->threads);
		if (point->budget_bytes)
			mx_table_cell(&table, "%.1f",
				      (double)point->budget_bytes / MIB);
		else
			mx_table_cell(&table, "-");
		mx_table_cell(&table, "%s", point->policy);
		mx_table_cell(&table, "%s", paging_of(point));
		mx_table_cell(&table, "%s", state_of(point));
		mx_table_cell(&table, "%" PRIu32, point->sample_count);
		ms_cell(&table, (double)stats.p50);
		ms_cell(&table, stats.mean);
		ms_cell(&table, stats.sd);
		ms_cell(&table, (double)stats.min);
		ms_cell(&table, (double)stats.p95);
		ms_cell(&table, (double)stats.p99);
		mx_table_cell(&table, "%.1f", mean_read_bytes(point) / MIB);
	}
	if (!rc)
		rc = mx_table_print(&table, stdout, style);
	mx_table_fini(&table);
	return rc;
}

static int print_layers(const struct mx_bench_point *point,
			enum mx_table_style style)
{
	static const char *const names[] = {"network",	"threads", "layer",
					    "operator", "ms",	   "GMAC/s"};
	const struct mx_layer *layer;
	struct mx_table table;
	uint64_t ns;
	uint32_t i;
	int rc;

	mx_table_init(&table, "lrllrr");
	heading(&table, names);
	for (i = 0; i < point->net->layer_count; i++) {
		layer = &point->net->layers[i];
		ns = point->layer_ns[i];
		mx_table_cell(&table, "%s", point->network);
		mx_table_cell(&table, "%" PRIu32, point->threads);
		mx_table_cell(&table, "%s", layer->name);
		mx_table_cell(&table, "%s", layer->op_name);
		ms_cell(&table, (double)ns);
		mx_table_cell(&table, "%.1f",
			      ns ? (double)layer->macs / (double)ns : 0.0);
	}
	rc = mx_table_print(&table, stdout, style);
	mx_table_fini(&table);
	return rc;
}

static int print_tables(const struct mx_bench_report *report,
			enum mx_table_style style)
{
	size_t i;
	int rc;

	rc = print_points(report, style);
	for (i = 0; !rc && i < report->point_count; i++) {
		if (!report->points[i].layer_ns)
			continue;
		printf("\n");
		rc = print_layers(&report->points[i], style);
	}
	return rc;
}

static void json_layers(struct mx_json *json,
			const struct mx_bench_point *point)
{
	const struct mx_layer *layer;
	uint32_t i;

	mx_json_array(json, "layers");
	for (i = 0; i < point->net->layer_count; i++) {
		layer = &point->net->layers[i];
		mx_json_object(json, NULL);
		mx_json_string(json, "name", layer->name);
		mx_json_string(json, "operator", layer->op_name);
		mx_json_u64(json, "mean_ns", point->layer_ns[i]);
		mx_json_u64(json, "macs", layer->macs);
		mx_json_object_end(json);
	}
	mx_json_array_end(json);
}

static int json_point(struct mx_json *json, const struct mx_bench_point *point)
{
	struct mx_statistics stats;
	uint32_t i;

	if (summarise(point, &stats))
		return -ENOMEM;
	mx_json_object(json, NULL);
	mx_json_string(json, "network", point->network);
	mx_json_u64(json, "threads", point->threads);
	if (point->budget_bytes)
		mx_json_u64(json, "budget_bytes", point->budget_bytes);
	else
		mx_json_null(json, "budget_bytes");
	mx_json_string(json, "policy", point->policy);
	mx_json_string(json, "paging", paging_of(point));
	mx_json_string(json, "state", state_of(point));
	mx_json_u64(json, "median_ns", stats.p50);
	mx_json_u64(json, "mean_ns", (uint64_t)stats.mean);
	mx_json_u64(json, "sd_ns", (uint64_t)stats.sd);
	mx_json_u64(json, "min_ns", stats.min);
	mx_json_u64(json, "p95_ns", stats.p95);
	mx_json_u64(json, "p99_ns", stats.p99);
	mx_json_array(json, "samples_ns");
	for (i = 0; i < point->sample_count; i++)
		mx_json_u64(json, NULL, point->samples_ns[i]);
	mx_json_array_end(json);
	mx_json_array(json, "read_bytes");
	for (i = 0; i < point->sample_count; i++)
		mx_json_u64(json, NULL, point->read_bytes[i]);
	mx_json_array_end(json);
	mx_json_u64(json, "major_faults", point->major_faults);
	if (point->layer_ns)
		json_layers(json, point);
	mx_json_object_end(json);
	return 0;
}

static int print_json(const struct mx_bench_report *report)
{
	struct mx_json json;
	size_t i;
	int rc = 0;

	mx_json_init(&json, stdout);
	mx_json_object(&json, NULL);
	mx_json_string(&json, "schema", "memexec.bench/1");
	mx_json_array(&json, "results");
	for (i = 0; !rc && i < report->point_count; i++)
		rc = json_point(&json, &report->points[i]);
	mx_json_array_end(&json);
	mx_json_object_end(&json);
	return rc;
}

int mx_bench_report_print(const struct mx_bench_report *report,
			  enum mx_bench_format format, struct mx_err *err)
{
	int rc;

	switch (format) {
	case MX_BENCH_JSON:
		rc = print_json(report);
		break;
	case MX_BENCH_CSV:
		rc = print_tables(report, MX_TABLE_CSV);
		break;
	case MX_BENCH_MARKDOWN:
		rc = print_tables(report, MX_TABLE_MARKDOWN);
		break;
	default:
		rc = print_tables(report, MX_TABLE_PLAIN);
		break;
	}
	return rc ? mx_fail(err, ENOMEM, "bench: no memory") : 0;
}

/* Has the key @name of @item the value @want? */
static int has_text(const struct mx_yaml *yaml, const struct mx_yaml_node *item,
		    const char *name, const char *want)
{
	const char *text = mx_yaml_text(mx_yaml_get(yaml, item, name));

	return text && !strcmp(text, want);
}

static int is_same(const struct mx_yaml *yaml, const struct mx_yaml_node *item,
		   const struct mx_bench_point *point)
{
	char threads[MX_TEXT_BYTES], budget[MX_TEXT_BYTES] = "null";

	(void)snprintf(threads, sizeof(threads), "%" PRIu32, point->threads);
	if (point->budget_bytes)
		(void)snprintf(budget, sizeof(budget), "%" PRIu64,
			       point->budget_bytes);
	return has_text(yaml, item, "network", point->network) &&
	       has_text(yaml, item, "threads", threads) &&
	       has_text(yaml, item, "budget_bytes", budget) &&
	       has_text(yaml, item, "policy", point->policy) &&
	       has_text(yaml, item, "paging", paging_of(point)) &&
	       has_text(yaml, item, "state", state_of(point));
}

/* The median of the same point in the baseline; 0 if it has none. */
static uint64_t find_median(const struct mx_yaml *yaml,
			    const struct mx_yaml_node *results,
			    const struct mx_bench_point *point)
{
	const struct mx_yaml_node *item;
	const char *median;
	uint64_t value;
	size_t i;

	for (i = 0; i < mx_yaml_count(results); i++) {
		item = mx_yaml_item(yaml, results, i);
		median = mx_yaml_text(mx_yaml_get(yaml, item, "median_ns"));
		if (median && is_same(yaml, item, point) &&
		    !mx_parse_count(median, UINT64_MAX, &value))
			return value;
	}
	return 0;
}

static int compare_point(const struct mx_bench_point *point, uint64_t before,
			 double max_regress, struct mx_err *err)
{
	char now_text[MX_TEXT_BYTES], before_text[MX_TEXT_BYTES];
	struct mx_statistics stats;
	double change;

	if (summarise(point, &stats))
		return mx_fail(err, ENOMEM, "bench: no memory");
	if (!before) {
		(void)fprintf(stderr,
			      "%s, %" PRIu32 " threads: not in the baseline\n",
			      point->network, point->threads);
		return MX_EXIT_NEGATIVE;
	}
	change = (double)stats.p50 / (double)before - 1;
	(void)fprintf(stderr, "%s, %" PRIu32 " threads: %s, was %s: %+.1f %%\n",
		      point->network, point->threads,
		      mx_text_ns(stats.p50, now_text),
		      mx_text_ns(before, before_text), 100 * change);
	return change > max_regress ? MX_EXIT_NEGATIVE : 0;
}

int mx_bench_baseline_read(struct mx_yaml **out, const char *path,
			   struct mx_err *err)
{
	struct mx_yaml *yaml;
	int rc;

	/* JSON is YAML. */
	rc = mx_yaml_read(&yaml, path, err);
	if (rc)
		return rc;
	if (!mx_yaml_count(mx_yaml_get(yaml, mx_yaml_root(yaml), "results"))) {
		mx_yaml_free(yaml);
		return mx_fail(err, EBADMSG, "%s: not what bench --json prints",
			       path);
	}
	*out = yaml;
	return 0;
}

int mx_bench_report_compare(const struct mx_bench_report *report,
			    const struct mx_yaml *baseline, double max_regress,
			    struct mx_err *err)
{
	const struct mx_yaml_node *results =
		mx_yaml_get(baseline, mx_yaml_root(baseline), "results");
	const struct mx_bench_point *point;
	int rc, status = 0;
	size_t i;

	/* What was printed comes first, also where both go to one file. */
	(void)fflush(stdout);
	for (i = 0; i < report->point_count; i++) {
		point = &report->points[i];
		rc = compare_point(point, find_median(baseline, results, point),
				   max_regress, err);
		if (rc < 0)
			return rc;
		if (rc)
			status = rc;
	}
	return status;
}
