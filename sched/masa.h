/*
 * masa's choice, after Cox et al., "Masa: Responsive Multi-DNN Inference on the
 * Edge", PerCom 2021, as the published code makes it.
 *
 * Tasks are in two pools, EXECs in one, LOADs and INITs in the other, each by
 * (mean time of the network, kind EXEC < LOAD < INIT, order of arrival). A free
 * worker takes
 *
 *   the first EXEC, if there is one; else
 *   the first of the others of which one holds: no network is active, what it
 *   requires is free, it requires nothing
 *
 * A LOAD requires nothing; an INIT its network's peak, which is taken from what
 * is free and given back when the job ends; so a network is admitted as a whole
 * and then loads ahead without bound. Of the budget 4.87 MB are kept for the
 * framework at the start. There is no ageing: small networks that keep coming
 * starve large ones. One that is larger than the budget runs when nothing else
 * is active, and swaps.
 *
 * An INIT whose activations have no place now (sched/tasks.h) is passed over
 * as one is whose peak is not free: the published code would swap there.
 */
#ifndef MX_SCHED_MASA_H
#define MX_SCHED_MASA_H

#include <stdint.h>

#include "sched/board.h"
#include "sched/minima.h"

#define MX_MASA_FRAMEWORK_BYTES 4870000

/* The INITs of the pool, and the account. */
struct mx_masa {
	const struct mx_board_net *nets;
	uint32_t net_count;
	uint32_t *by_key; /* networks by mean time */
	uint32_t *place; /* of each network in by_key */
	/* By place: the peak of a network that has an INIT, MX_MINIMA_NONE of
	 * one that has not. */
	struct mx_minima required;
	uint64_t *first_id; /* by network: of its first INIT */
	int64_t free_bytes;
	uint32_t active_count; /* networks, one for each job */
};

/* @budget_bytes may be MX_RESIDENCY_UNLIMITED. mx_masa_fini() ends it. Returns
 * 0 or -ENOMEM. */
int mx_masa_init(struct mx_masa *masa, const struct mx_board_net *nets,
		 uint32_t net_count, uint64_t budget_bytes);
/* A zeroed one is fine. */
void mx_masa_fini(struct mx_masa *masa);

/* The network's first INIT is that of job @id; MX_MINIMA_NONE: it has none. */
void mx_masa_waits(struct mx_masa *masa, uint32_t net, uint64_t id);
/* The INIT of a job of the network is taken; a job of it has ended. */
void mx_masa_admit(struct mx_masa *masa, uint32_t net);
void mx_masa_end(struct mx_masa *masa, uint32_t net);

/* Is there place for a job of the network? */
typedef int mx_masa_fits_fn(void *user, uint32_t net);

/* What the rule takes. */
enum mx_masa_choice {
	MX_MASA_NOTHING,
	MX_MASA_EXEC, /* the first of its pool */
	MX_MASA_LOAD, /* the first of all LOADs */
	MX_MASA_INIT, /* the first of *@net */
};

/*
 * The rule. The first EXEC is of network @exec_net and the first LOAD of
 * @load_net, MX_STEP_NONE: there is none.
 */
enum mx_masa_choice mx_masa_pick(const struct mx_masa *masa, uint32_t exec_net,
				 uint32_t load_net, mx_masa_fits_fn *fits,
				 void *user, uint32_t *net);

#endif
