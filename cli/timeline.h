/*
 * A timeline: what the simulator does with one arrival of all networks of a
 * plan, cold, by a policy; what is drawn (cli/gantt.h, cli/dot.h).
 */
#ifndef MX_CLI_TIMELINE_H
#define MX_CLI_TIMELINE_H

#include <stddef.h>
#include <stdint.h>

struct mx_err;
struct mx_network;
struct mx_plan_board;

enum mx_span_kind {
	MX_SPAN_INIT, /* admitted: no time */
	MX_SPAN_LOAD,
	MX_SPAN_EXEC,
	MX_SPAN_KINDS,
};

/* What of one layer was read, or computed, without a break. */
struct mx_span {
	enum mx_span_kind kind;
	uint32_t net;
	uint32_t layer; /* INIT: 0 */
	uint64_t begin_ns;
	uint64_t end_ns;
	uint64_t size_bytes; /* LOAD: read */
};

/* From at_ns on so many bytes of weights and activations are in use. */
struct mx_memory_point {
	uint64_t at_ns;
	uint64_t bytes;
};

struct mx_timeline {
	/* By end. LOADs do not overlap; EXECs do not. */
	struct mx_span *spans;
	size_t span_count, span_room;
	struct mx_memory_point *points; /* by time */
	size_t point_count, point_room;
	uint64_t end_ns;
	uint64_t peak_bytes;
};

/* What is drawn. */
struct mx_picture {
	const struct mx_timeline *timeline;
	const struct mx_network *const *nets; /* as the timeline's */
	const char *const *names; /* of the networks */
	uint32_t net_count;
	const char *policy;
	uint64_t memory_bytes; /* or MX_RESIDENCY_UNLIMITED */
};

/*
 * mx_timeline_fini() ends it. @policy is the name of one. Returns 0, -ENOMEM,
 * or what mx_simulate() returns.
 */
int mx_timeline_init(struct mx_timeline *timeline,
		     const struct mx_plan_board *board, const char *policy,
		     struct mx_err *err);
void mx_timeline_fini(struct mx_timeline *timeline);

#endif
