#include "cli/totals.h"

#include <unistd.h>

#include "cli/json.h"

#define HOST_BYTES 256

void mx_totals_json(struct mx_json *json, const struct mx_totals *totals)
{
	const struct mx_statistics *response = &totals->response;
	const struct mx_usage *usage = &totals->usage;

	mx_json_u64(json, "makespan_ns", totals->makespan_ns);
	mx_json_u64(json, "mean_response_ns", (uint64_t)response->mean);
	mx_json_u64(json, "p50_response_ns", response->p50);
	mx_json_u64(json, "p95_response_ns", response->p95);
	mx_json_u64(json, "p99_response_ns", response->p99);
	mx_json_u64(json, "max_response_ns", response->max);
	mx_json_u64(json, "read_bytes", usage->read_bytes);
	mx_json_u64(json, "required_read_bytes", usage->required_read_bytes);
	mx_json_u64(json, "peak_charge_bytes", usage->peak_charge_bytes);
	mx_json_u64(json, "peak_anonymous_bytes", usage->peak_anonymous_bytes);
	mx_json_u64(json, "budget_bytes", usage->budget_bytes);
	mx_json_u64(json, "major_faults", usage->major_faults);
}

void mx_totals_how_json(struct mx_json *json, const struct mx_totals_how *how)
{
	mx_json_string(json, "policy", how->policy);
	mx_json_string(json, "io", how->io);
	mx_json_string(json, "wall", how->wall);
	mx_json_u64(json, "threads", how->threads);
}

void mx_totals_begin_json(struct mx_json *json, const char *schema)
{
	char host[HOST_BYTES] = "";

	(void)gethostname(host, sizeof(host) - 1);
	mx_json_string(json, "schema", schema);
	mx_json_string(json, "host", host);
}
