/*
 * Which slices stay in memory between passes.
 *
 * Of several networks those with the least to read are pinned first, whole as
 * long as they fit: when the shortest job goes first, what it does not wait
 * for is saved by everyone behind it, so that the mean response is least.
 *
 * Within the first that does not fit whole every byte that is pinned saves one
 * read a pass, whichever it is; what differs is where the others have to be
 * waited for. So slices with the least computing for their bytes are pinned
 * first (those that stream then hide behind their own layers' computing), and
 * among equals they are spread evenly, as FlexInfer (2025) found best, so that
 * what streams never comes in a lump.
 */
#ifndef MX_SCHED_PIN_H
#define MX_SCHED_PIN_H

#include <stdint.h>

struct mx_err;
struct mx_plan;

/*
 * Mark up to @room_bytes of @plan's slices pinned, all of a unit together, and
 * set pinned_bytes. Returns 0 or -ENOMEM.
 */
int mx_pin_choose(struct mx_plan *plan, uint64_t room_bytes,
		  struct mx_err *err);

#endif
