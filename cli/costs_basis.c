#include "cli/costs_basis.h"

#include <stdio.h>

#include "cli/json.h"
#include "sched/cost.h"

void mx_costs_basis_init(struct mx_costs_basis *basis,
			 const struct mx_costs *costs,
			 uint64_t given_bytes_per_s)
{
	const struct mx_storage *storage, *slowest = NULL;
	uint32_t i;

	*basis = (struct mx_costs_basis){
		.storage = MX_COSTS_MEASURED,
		.profiled = 1,
	};
	for (i = 0; i < costs->net_count; i++) {
		storage = &costs->nets[i].storage;
		if (!slowest ||
		    storage->read_bytes_per_s < slowest->read_bytes_per_s)
			slowest = storage;
		if (storage->origin != MX_COST_MEASURED)
			basis->storage = MX_COSTS_ASSUMED;
		if (costs->nets[i].origin != MX_COST_MEASURED)
			basis->profiled = 0;
	}
	if (slowest) {
		basis->read_bytes_per_s = slowest->read_bytes_per_s;
		basis->latency_ns = slowest->latency_ns;
	}
	if (given_bytes_per_s)
		basis->storage = MX_COSTS_GIVEN;
}

void mx_costs_basis_text(const struct mx_costs_basis *basis)
{
	static const char *const origins[] = {
		[MX_COSTS_ASSUMED] = "assumed",
		[MX_COSTS_MEASURED] = "measured",
		[MX_COSTS_GIVEN] = "given",
	};

	printf("storage %.1f MB/s (%s)   computing %s",
	       (double)basis->read_bytes_per_s / 1e6, origins[basis->storage],
	       basis->profiled ? "measured" : "estimated");
}

void mx_costs_basis_json(const struct mx_costs_basis *basis,
			 struct mx_json *json)
{
	mx_json_object(json, "storage");
	mx_json_u64(json, "read_bytes_per_s", basis->read_bytes_per_s);
	mx_json_u64(json, "latency_ns", basis->latency_ns);
	mx_json_bool(json, "measured", basis->storage == MX_COSTS_MEASURED);
	mx_json_object_end(json);
	mx_json_bool(json, "profiled", basis->profiled);
}
