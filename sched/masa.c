#include "sched/masa.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static uint64_t key_of(const struct mx_masa *masa, uint32_t net)
{
	return masa->nets[net].masa_key_ns;
}

/* by_key[], stable: networks in the order of their numbers among equals. */
static void sort_by_key(struct mx_masa *masa)
{
	uint32_t i, k;

	for (i = 0; i < masa->net_count; i++) {
		for (k = i; k > 0 &&
			    key_of(masa, masa->by_key[k - 1]) > key_of(masa, i);
		     k--)
			masa->by_key[k] = masa->by_key[k - 1];
		masa->by_key[k] = i;
	}
	for (i = 0; i < masa->net_count; i++)
		masa->place[masa->by_key[i]] = i;
}

int mx_masa_init(struct mx_masa *masa, const struct mx_board_net *nets,
		 uint32_t net_count, uint64_t budget_bytes)
{
	*masa = (struct mx_masa){
		.nets = nets,
		.net_count = net_count,
		.free_bytes = (budget_bytes < INT64_MAX ? (int64_t)budget_bytes
							: INT64_MAX) -
			      MX_MASA_FRAMEWORK_BYTES,
		.by_key = calloc((size_t)net_count + 1, sizeof(uint32_t)),
		.place = calloc((size_t)net_count + 1, sizeof(uint32_t)),
		.first_id = calloc((size_t)net_count + 1, sizeof(uint64_t)),
	};
	if (!masa->by_key || !masa->place || !masa->first_id ||
	    mx_minima_init(&masa->required, net_count)) {
		mx_masa_fini(masa);
		return -ENOMEM;
	}
	sort_by_key(masa);
	return 0;
}

void mx_masa_fini(struct mx_masa *masa)
{
	mx_minima_fini(&masa->required);
	free(masa->first_id);
	free(masa->place);
	free(masa->by_key);
	*masa = (struct mx_masa){0};
}

void mx_masa_waits(struct mx_masa *masa, uint32_t net, uint64_t id)
{
	masa->first_id[net] = id;
	mx_minima_set(&masa->required, masa->place[net],
		      id == MX_MINIMA_NONE ? MX_MINIMA_NONE
					   : masa->nets[net].masa_peak_bytes);
}

void mx_masa_admit(struct mx_masa *masa, uint32_t net)
{
	masa->free_bytes -= (int64_t)masa->nets[net].masa_peak_bytes;
	masa->active_count++;
}

void mx_masa_end(struct mx_masa *masa, uint32_t net)
{
	assert(masa->active_count > 0);
	masa->free_bytes += (int64_t)masa->nets[net].masa_peak_bytes;
	masa->active_count--;
}

/* The first INIT in the pool's order that may be taken; MX_STEP_NONE: none. */
static uint32_t first_init(const struct mx_masa *masa, mx_masa_fits_fn *fits,
			   void *user)
{
	/* What requires nothing may be taken even when less than that is
	 * free. */
	const uint64_t limit = masa->active_count == 0 ? MX_MINIMA_NONE - 1
			       : masa->free_bytes > 0
				       ? (uint64_t)masa->free_bytes
				       : 0;
	uint32_t best = MX_STEP_NONE;
	uint32_t at, net;

	for (at = mx_minima_find(&masa->required, 0, limit);
	     at < masa->net_count;
	     at = mx_minima_find(&masa->required, at + 1, limit)) {
		net = masa->by_key[at];
		if (best != MX_STEP_NONE &&
		    key_of(masa, net) != key_of(masa, best))
			break;
		if (fits(user, net) &&
		    (best == MX_STEP_NONE ||
		     masa->first_id[net] < masa->first_id[best]))
			best = net;
	}
	return best;
}

enum mx_masa_choice mx_masa_pick(const struct mx_masa *masa, uint32_t exec_net,
				 uint32_t load_net, mx_masa_fits_fn *fits,
				 void *user, uint32_t *net)
{
	if (exec_net != MX_STEP_NONE)
		return MX_MASA_EXEC;
	*net = first_init(masa, fits, user);
	if (load_net != MX_STEP_NONE &&
	    (*net == MX_STEP_NONE ||
	     key_of(masa, load_net) <= key_of(masa, *net)))
		return MX_MASA_LOAD;
	return *net != MX_STEP_NONE ? MX_MASA_INIT : MX_MASA_NOTHING;
}
