#include "sched/pin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/network.h"
#include "pager/units.h"
#include "sched/plan.h"
#include "sched/worth.h"

/* A unit that could be pinned. */
struct candidate {
	uint32_t net;
	uint64_t net_bytes; /* what that network reads */
	uint32_t first_slice;
	uint32_t slice_count;
	uint64_t size_bytes;
	uint32_t intensity; /* log2 of multiply-accumulates a byte */
	uint32_t spread; /* its index, bits reversed */
};

static int by_worth(const void *a, const void *b)
{
	const struct candidate *x = a;
	const struct candidate *y = b;

	if (x->net_bytes != y->net_bytes)
		return x->net_bytes < y->net_bytes ? -1 : 1;
	if (x->net != y->net)
		return x->net < y->net ? -1 : 1;
	if (x->intensity != y->intensity)
		return x->intensity < y->intensity ? -1 : 1;
	return x->spread < y->spread ? -1 : x->spread > y->spread;
}

static int list_units(const struct mx_plan *plan, uint32_t index,
		      struct candidate **list, size_t *count,
		      struct mx_err *err)
{
	const struct mx_network *net = plan->nets[index].net;
	struct candidate *more;
	struct mx_units units;
	uint32_t i;
	int rc;

	rc = mx_units_init(&units, net, err);
	if (rc)
		return rc;
	more = reallocarray(*list, *count + units.count + 1, sizeof(*more));
	if (!more) {
		mx_units_fini(&units);
		return mx_fail(err, ENOMEM, "%s: no memory for a plan",
			       net->name);
	}
	*list = more;
	for (i = 0; i < units.count; i++) {
		const struct mx_unit *unit = &units.unit[i];
		const struct mx_layer *layer =
			&net->layers[net->slices[unit->first_slice].layer];

		more[(*count)++] = (struct candidate){
			.net = index,
			.net_bytes = units.total_bytes,
			.first_slice = unit->first_slice,
			.slice_count = unit->slice_count,
			.size_bytes = unit->size_bytes,
			.intensity = mx_worth_log2(layer->macs /
						   (layer->weight_bytes + 1)),
			.spread = mx_worth_spread(i),
		};
	}
	mx_units_fini(&units);
	return 0;
}

int mx_pin_choose(struct mx_plan *plan, uint64_t room_bytes, struct mx_err *err)
{
	struct candidate *list = NULL;
	size_t count = 0;
	size_t i;
	uint32_t k;
	int rc = 0;

	if (room_bytes == 0)
		return 0;
	for (k = 0; k < plan->net_count && !rc; k++)
		rc = list_units(plan, k, &list, &count, err);
	if (rc)
		goto done;
	qsort(list, count, sizeof(*list), by_worth);
	for (i = 0; i < count; i++) {
		struct mx_plan_net *one = &plan->nets[list[i].net];

		if (list[i].size_bytes > room_bytes)
			continue;
		room_bytes -= list[i].size_bytes;
		one->pinned_bytes += list[i].size_bytes;
		memset(one->pinned + list[i].first_slice, 1,
		       list[i].slice_count);
	}
done:
	free(list);
	return rc;
}
