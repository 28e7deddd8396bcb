/*
 * What the board knows of a real network: made from its slices, its plan and
 * its costs.
 */
#ifndef MX_SCHED_BOARD_NET_H
#define MX_SCHED_BOARD_NET_H

#include <stdint.h>

#include "sched/board.h"

struct mx_cost_net;
struct mx_err;
struct mx_network;
struct mx_plan_net;

/*
 * @join_bytes: neighbouring units of a layer are taken together up to that
 * size (0: units as the pager reads them; the engine's board needs that), so
 * that a simulation has fewer events. @planned may be NULL: nothing is pinned.
 * mx_board_net_fini() ends it; @net must outlive it. Returns 0 or -ENOMEM.
 */
int mx_board_net_init(struct mx_board_net *out, const struct mx_network *net,
		      const struct mx_plan_net *planned,
		      const struct mx_cost_net *cost, uint64_t join_bytes,
		      struct mx_err *err);
void mx_board_net_fini(struct mx_board_net *net);

/* masa goes by @profile, not by what is known of the network. */
void mx_board_net_set_masa(struct mx_board_net *net,
			   const struct mx_masa_profile *profile);

#endif
