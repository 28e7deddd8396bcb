#include "cli/plan_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/costs_basis.h"
#include "cli/footprint.h"
#include "cli/json.h"
#include "cli/number.h"
#include "cli/session.h"
#include "cli/table.h"
#include "lib/network.h"
#include "lib/size.h"
#include "sched/cost.h"

#define MIB (1024.0 * 1024.0)

/* The task whose network is number @index: those that share one are none of
 * the engine's. */
static const struct mx_task *task_at(const struct mx_plan_report *report,
				     uint32_t index)
{
	const struct mx_task *task = report->session->tasks;

	while (task->sharer || index--)
		task++;
	return task;
}

static const char *layer_name(const struct mx_network *net, uint32_t layer)
{
	return layer < net->layer_count ? net->layers[layer].name : "-";
}

/* What a plan reads in a pass: in the first one everything. */
static uint64_t streamed_bytes(const struct mx_plan *plan, uint32_t index)
{
	return plan->streaming ? plan->nets[index].weight_bytes -
					 plan->nets[index].pinned_bytes
			       : 0;
}

const char *mx_plan_reason(const struct mx_plan *plan,
			   const struct mx_costs *costs, uint32_t index,
			   uint32_t layer, char text[MX_PLAN_REASON_BYTES])
{
	const struct mx_cost_net *cost = &costs->nets[index];
	const struct mx_layer *one = &plan->nets[index].net->layers[layer];
	uint64_t pinned = 0;
	double hidden;
	uint32_t i;

	for (i = 0; plan->nets[index].pinned && i < one->slice_count; i++)
		pinned += plan->nets[index].pinned[one->first_slice + i] != 0;
	if (!one->slice_count)
		return "has no weights";
	if (!plan->streaming)
		return "stays: no limit that it would meet";
	if (pinned == one->slice_count)
		return plan->ring_bytes ? "stays: saves reading it again"
					: "stays: all weights fit";
	if (plan->opts.passes < 2)
		return "streams: runs once, nothing would come back";
	hidden = (double)cost->layer_ns[layer] / 1e9 *
		 (double)cost->storage.read_bytes_per_s /
		 (double)one->weight_bytes;
	(void)snprintf(text, MX_PLAN_REASON_BYTES,
		       "%s: its computing hides %.0f %% of its reading",
		       pinned ? "streams in part" : "streams",
		       hidden < 1 ? 100 * hidden : 100.0);
	return text;
}

static uint64_t pinned_in(const struct mx_plan_net *one,
			  const struct mx_layer *layer)
{
	uint64_t bytes = 0;
	uint32_t i;

	for (i = 0; i < layer->slice_count; i++)
		if (one->pinned[layer->first_slice + i])
			bytes += one->net->slices[layer->first_slice + i]
					 .size_bytes;
	return bytes;
}

static void heading(struct mx_table *table, const char *const *names)
{
	size_t i;

	for (i = 0; i < table->columns; i++)
		mx_table_cell(table, "%s", names[i]);
}

static int print_reasons(const struct mx_plan_report *report,
			 const struct mx_plan_point *point, uint32_t index)
{
	static const char *const names[] = {
		"#", "layer", "weights", "stays", "read", "compute", "why"};
	const struct mx_cost_net *cost = &report->costs->nets[index];
	const struct mx_plan_net *one = &point->plan.nets[index];
	char text[MX_TEXT_BYTES], reason[MX_PLAN_REASON_BYTES];
	const struct mx_layer *layer;
	struct mx_table table;
	uint32_t i;
	int rc;

	printf("\n%s\n", task_at(report, index)->name);
	mx_table_init(&table, "rlrrrrl");
	heading(&table, names);
	for (i = 0; i < one->net->layer_count; i++) {
		layer = &one->net->layers[i];
		mx_table_cell(&table, "%" PRIu32, i);
		mx_table_cell(&table, "%s", layer->name);
		mx_table_cell(&table, "%s",
			      mx_text_bytes(layer->weight_bytes, text));
		mx_table_cell(&table, "%s",
			      mx_text_bytes(pinned_in(one, layer), text));
		mx_table_cell(
			&table, "%s",
			mx_text_ns(
				(uint64_t)((double)layer->weight_bytes * 1e9 /
					   (double)cost->storage
						   .read_bytes_per_s),
				text));
		mx_table_cell(&table, "%s",
			      mx_text_ns(cost->layer_ns[i], text));
		mx_table_cell(&table, "%s",
			      mx_plan_reason(&point->plan, report->costs, index,
					     i, reason));
	}
	rc = mx_table_print(&table, stdout, MX_TABLE_PLAIN);
	mx_table_fini(&table);
	return rc;
}

static void print_machine(const struct mx_plan_report *report)
{
	mx_costs_basis_text(report->basis);
	printf("   threads %" PRIu32 "   page %ld KiB\n",
	       report->costs->threads, sysconf(_SC_PAGESIZE) / 1024);
}

static void add_network(struct mx_table *table,
			const struct mx_plan_report *report,
			const struct mx_plan_point *point, uint32_t index,
			const struct mx_footprint *sums)
{
	const struct mx_plan_net *one = &point->plan.nets[index];
	char text[MX_TEXT_BYTES];

	mx_table_cell(table, "%s", task_at(report, index)->name);
	mx_table_cell(table, "%s", mx_text_bytes(one->weight_bytes, text));
	mx_table_cell(table, "%s",
		      sums->largest_layer == MX_NONE
			      ? "-"
			      : layer_name(one->net, sums->largest_layer));
	mx_table_cell(table, "%s",
		      mx_text_bytes(sums->largest_layer_bytes, text));
	mx_table_cell(table, "%s", mx_text_bytes(one->activation_bytes, text));
	mx_table_cell(table, "%s", mx_text_bytes(one->scratch_bytes, text));
	mx_table_cell(table, "%s", mx_text_bytes(one->pinned_bytes, text));
	mx_table_cell(table, "%s", mx_text_ns(point->alone_ns[index], text));
	mx_table_cell(table, "%s",
		      mx_text_ns(point->forecast.nets[index].finish_ns, text));
}

static int print_networks(const struct mx_plan_report *report,
			  const struct mx_plan_point *point, struct mx_err *err)
{
	static const char *const names[] = {
		"",	  "weights",	 "largest layer",
		"",	  "activations", "scratch",
		"pinned", "cold, alone", "in the mix"};
	struct mx_footprint sums;
	struct mx_table table;
	uint32_t i;
	int rc = 0;

	mx_table_init(&table, "lrlrrrrrr");
	heading(&table, names);
	for (i = 0; !rc && i < point->plan.net_count; i++) {
		rc = mx_footprint_init(&sums, point->plan.nets[i].net, err);
		if (!rc)
			add_network(&table, report, point, i, &sums);
	}
	if (!rc)
		rc = mx_table_print(&table, stdout, MX_TABLE_PLAIN);
	mx_table_fini(&table);
	return rc;
}

/* "minimum 41.3 MiB (conv1_2 of vgg19: ...)": what a refusal would say. */
static void print_minimum(const struct mx_plan_report *report)
{
	const struct mx_plan *least = report->least;
	const struct mx_plan_net *one = &least->nets[least->minimum_net];
	uint64_t activations = 0, pair = 0;
	uint32_t i;

	for (i = 0; i < least->net_count; i++) {
		activations = mx_u64_max(activations,
					 least->nets[i].activation_bytes);
		pair = mx_u64_max(pair, least->nets[i].pair_bytes);
	}
	printf("minimum %.1f MiB (%s of %s: activations %.1f + slices %.1f + "
	       "scratch %.1f + inputs, outputs %.1f + fixed %.1f)\n",
	       (double)least->minimum_bytes / MIB,
	       layer_name(one->net, one->peak_layer),
	       task_at(report, least->minimum_net)->name,
	       (double)activations / MIB, (double)pair / MIB,
	       (double)least->scratch_bytes / MIB,
	       (double)least->array_bytes / MIB,
	       (double)least->opts.fixed_bytes / MIB);
}

static const char *bound_by(const struct mx_forecast *forecast)
{
	return forecast->read_bound_ns > forecast->compute_bound_ns
		       ? "I/O"
		       : "computing";
}

static void print_account(const struct mx_plan_report *report,
			  const struct mx_plan_point *point)
{
	char makespan[MX_TEXT_BYTES], bound[MX_TEXT_BYTES];
	char budget[MX_TEXT_BYTES], read[MX_TEXT_BYTES];
	const struct mx_plan *plan = &point->plan;

	printf("budget %s%s: feasible, predicted peak %.1f MiB (activations "
	       "%.1f + weights in flight %.1f + pinned %.1f + scratch %.1f + "
	       "inputs, outputs %.1f + fixed %.1f)\n",
	       mx_text_bytes(point->budget_bytes, budget),
	       report->asked ? "" : " (80 % of what is available)",
	       (double)plan->predicted_peak_bytes / MIB,
	       (double)plan->activation_bytes / MIB,
	       (double)plan->ring_bytes / MIB,
	       (double)(plan->weights_bytes - plan->ring_bytes) / MIB,
	       (double)plan->scratch_bytes / MIB,
	       (double)plan->array_bytes / MIB,
	       (double)plan->opts.fixed_bytes / MIB);
	print_minimum(report);
	printf("makespan %s, lower bound %s (%s), read %s\n",
	       mx_text_ns(point->forecast.makespan_ns, makespan),
	       mx_text_ns(point->forecast.lower_bound_ns, bound),
	       bound_by(&point->forecast),
	       mx_text_bytes(point->forecast.read_bytes, read));
}

static void print_optimal(const struct mx_plan_report *report,
			  const struct mx_plan_point *point)
{
	const struct mx_plan_optimal *optimal = &point->optimal;
	char best[MX_TEXT_BYTES], bound[MX_TEXT_BYTES], played[MX_TEXT_BYTES];

	if (!optimal->task_count)
		return;
	printf("optimum of %" PRIu32 " tasks (layers joined, one arrival): "
	       "mean response %s",
	       optimal->task_count, mx_text_ns(optimal->response_ns, best));
	if (optimal->bound_ns < optimal->response_ns)
		printf(" found, at least %s",
		       mx_text_ns(optimal->bound_ns, bound));
	printf("; %s %s (%.3f)\n", report->policy,
	       mx_text_ns(optimal->policy_ns, played),
	       (double)optimal->policy_ns / (double)optimal->response_ns);
}

static int print_curve(const struct mx_plan_report *report)
{
	static const char *const names[] = {"budget",	"predicted peak",
					    "pinned",	"read",
					    "makespan", "lower bound"};
	const struct mx_plan_point *point;
	char text[MX_TEXT_BYTES];
	struct mx_table table;
	size_t i, k;
	int rc;

	mx_table_init(&table, "rrrrrr");
	heading(&table, names);
	for (i = 0; i < report->point_count; i++) {
		point = &report->points[i];
		mx_table_cell(&table, "%s",
			      mx_text_bytes(point->budget_bytes, text));
		if (!point->feasible) {
			mx_table_cell(&table, "too small");
			for (k = 2; k < table.columns; k++)
				mx_table_cell(&table, "-");
			continue;
		}
		mx_table_cell(
			&table, "%s",
			mx_text_bytes(point->plan.predicted_peak_bytes, text));
		mx_table_cell(&table, "%s",
			      mx_text_bytes(point->plan.weights_bytes -
						    point->plan.ring_bytes,
					    text));
		mx_table_cell(&table, "%s",
			      mx_text_bytes(point->forecast.read_bytes, text));
		mx_table_cell(&table, "%s",
			      mx_text_ns(point->forecast.makespan_ns, text));
		mx_table_cell(&table, "%s",
			      mx_text_ns(point->forecast.lower_bound_ns, text));
	}
	rc = mx_table_print(&table, stdout, MX_TABLE_PLAIN);
	mx_table_fini(&table);
	if (!rc)
		print_minimum(report);
	return rc;
}

int mx_plan_report_text(const struct mx_plan_report *report, struct mx_err *err)
{
	const struct mx_plan_point *point;
	uint32_t k;
	size_t i;
	int rc = 0;

	print_machine(report);
	if (report->point_count > 1)
		rc = print_curve(report);
	for (i = 0; !rc && i < report->point_count; i++) {
		point = &report->points[i];
		if (!point->feasible)
			continue;
		if (report->point_count == 1) {
			rc = print_networks(report, point, err);
			print_account(report, point);
			print_optimal(report, point);
		} else if (report->explain) {
			printf("\n");
			print_account(report, point);
		}
		for (k = 0; !rc && report->explain && k < point->plan.net_count;
		     k++)
			rc = print_reasons(report, point, k);
	}
	return rc ? mx_fail(err, ENOMEM, "plan: no memory") : 0;
}

static void json_layers(struct mx_json *json,
			const struct mx_plan_report *report,
			const struct mx_plan_point *point, uint32_t index)
{
	const struct mx_plan_net *one = &point->plan.nets[index];
	char reason[MX_PLAN_REASON_BYTES];
	const struct mx_layer *layer;
	uint32_t i;

	mx_json_array(json, "layers");
	for (i = 0; i < one->net->layer_count; i++) {
		layer = &one->net->layers[i];
		mx_json_object(json, NULL);
		mx_json_string(json, "name", layer->name);
		mx_json_u64(json, "weight_bytes", layer->weight_bytes);
		mx_json_u64(json, "pinned_bytes", pinned_in(one, layer));
		mx_json_u64(json, "compute_ns",
			    report->costs->nets[index].layer_ns[i]);
		mx_json_string(json, "reason",
			       mx_plan_reason(&point->plan, report->costs,
					      index, i, reason));
		mx_json_object_end(json);
	}
	mx_json_array_end(json);
}

static int json_network(struct mx_json *json,
			const struct mx_plan_report *report,
			const struct mx_plan_point *point, uint32_t index,
			struct mx_err *err)
{
	const struct mx_plan_net *one = &point->plan.nets[index];
	const struct mx_forecast_net *net = NULL;
	struct mx_footprint sums;
	int rc;

	rc = mx_footprint_init(&sums, one->net, err);
	if (rc)
		return rc;
	mx_json_object(json, NULL);
	mx_json_string(json, "network", task_at(report, index)->name);
	mx_json_u64(json, "weight_bytes", one->weight_bytes);
	mx_json_string(json, "largest_layer",
		       sums.largest_layer == MX_NONE
			       ? NULL
			       : layer_name(one->net, sums.largest_layer));
	mx_json_u64(json, "largest_layer_bytes", sums.largest_layer_bytes);
	mx_json_u64(json, "activation_bytes", one->activation_bytes);
	mx_json_u64(json, "activation_lower_bound_bytes",
		    one->activation_bound_bytes);
	mx_json_string(json, "peak_layer",
		       layer_name(one->net, one->peak_layer));
	mx_json_u64(json, "scratch_bytes", one->scratch_bytes);
	mx_json_u64(json, "slice_pair_bytes", one->pair_bytes);
	mx_json_u64(json, "pinned_bytes", one->pinned_bytes);
	mx_json_u64(json, "streamed_bytes",
		    streamed_bytes(&point->plan, index));
	if (point->feasible)
		net = &point->forecast.nets[index];
	mx_json_u64(json, "compute_ns", report->costs->nets[index].compute_ns);
	if (net) {
		mx_json_u64(json, "alone_ns", point->alone_ns[index]);
		mx_json_u64(json, "start_ns", net->start_ns);
		mx_json_u64(json, "finish_ns", net->finish_ns);
		mx_json_u64(json, "stall_ns", net->stall_ns);
	}
	if (report->explain)
		json_layers(json, report, point, index);
	mx_json_object_end(json);
	return 0;
}

static void json_peak(struct mx_json *json, const struct mx_plan *plan)
{
	mx_json_u64(json, "predicted_peak_bytes", plan->predicted_peak_bytes);
	mx_json_object(json, "peak");
	mx_json_u64(json, "activation_bytes", plan->activation_bytes);
	mx_json_u64(json, "scratch_bytes", plan->scratch_bytes);
	mx_json_u64(json, "in_flight_bytes", plan->ring_bytes);
	mx_json_u64(json, "pinned_bytes",
		    plan->weights_bytes - plan->ring_bytes);
	mx_json_u64(json, "array_bytes", plan->array_bytes);
	mx_json_u64(json, "fixed_bytes", plan->opts.fixed_bytes);
	mx_json_object_end(json);
}

static void json_times(struct mx_json *json, const struct mx_forecast *forecast)
{
	mx_json_u64(json, "predicted_makespan_ns", forecast->makespan_ns);
	mx_json_u64(json, "first_pass_ns", forecast->first_pass_ns);
	mx_json_u64(json, "later_pass_ns", forecast->later_pass_ns);
	mx_json_u64(json, "lower_bound_ns", forecast->lower_bound_ns);
	mx_json_u64(json, "compute_bound_ns", forecast->compute_bound_ns);
	mx_json_u64(json, "read_bound_ns", forecast->read_bound_ns);
	mx_json_u64(json, "predicted_read_bytes", forecast->read_bytes);
}

static void json_optimal(struct mx_json *json,
			 const struct mx_plan_optimal *optimal)
{
	if (!optimal->task_count)
		return;
	mx_json_object(json, "optimal");
	mx_json_u64(json, "tasks", optimal->task_count);
	mx_json_bool(json, "proven", optimal->bound_ns == optimal->response_ns);
	mx_json_u64(json, "mean_response_ns", optimal->response_ns);
	mx_json_u64(json, "lower_bound_ns", optimal->bound_ns);
	mx_json_u64(json, "policy_mean_response_ns", optimal->policy_ns);
	mx_json_u64(json, "states", optimal->state_count);
	mx_json_object_end(json);
}

/* The keys of one budget, into the object that is open. */
static int json_point(struct mx_json *json, const struct mx_plan_report *report,
		      const struct mx_plan_point *point, struct mx_err *err)
{
	uint32_t i;
	int rc = 0;

	mx_json_u64(json, "budget_bytes", point->budget_bytes);
	mx_json_bool(json, "feasible", point->feasible);
	if (point->feasible) {
		json_peak(json, &point->plan);
		json_times(json, &point->forecast);
		json_optimal(json, &point->optimal);
	} else {
		mx_json_string(json, "reason", point->why.text);
	}
	mx_json_array(json, "networks");
	for (i = 0; !rc && i < point->plan.net_count; i++)
		rc = json_network(json, report, point, i, err);
	mx_json_array_end(json);
	return rc;
}

static void json_machine(struct mx_json *json,
			 const struct mx_plan_report *report)
{
	mx_costs_basis_json(report->basis, json);
	mx_json_u64(json, "threads", report->costs->threads);
	mx_json_u64(json, "repeat", report->least->opts.passes);
	mx_json_string(json, "policy", report->policy);
}

int mx_plan_report_json(const struct mx_plan_report *report, struct mx_err *err)
{
	struct mx_json json;
	size_t i;
	int rc = 0;

	mx_json_init(&json, stdout);
	mx_json_object(&json, NULL);
	mx_json_string(&json, "schema", "memexec.plan/1");
	json_machine(&json, report);
	mx_json_u64(&json, "minimum_budget_bytes",
		    report->least->minimum_bytes);
	if (report->point_count == 1) {
		rc = json_point(&json, report, &report->points[0], err);
	} else {
		mx_json_array(&json, "points");
		for (i = 0; !rc && i < report->point_count; i++) {
			mx_json_object(&json, NULL);
			rc = json_point(&json, report, &report->points[i], err);
			mx_json_object_end(&json);
		}
		mx_json_array_end(&json);
	}
	mx_json_object_end(&json);
	return rc;
}
