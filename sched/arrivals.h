/*
 * Arrivals: scripts without relations, made by gap generators or from a trace.
 *
 * Equal options give equal scripts. Which networks an arrival runs is drawn
 * apart from the gaps: the same seed has the same gaps whatever is picked.
 */
#ifndef MX_SCHED_ARRIVALS_H
#define MX_SCHED_ARRIVALS_H

#include <stdint.h>

struct mx_err;
struct mx_script;

/* How long after an arrival the next one comes; the first comes at once. */
enum mx_gap_kind {
	MX_GAP_BATCH, /* when no job is left */
	MX_GAP_CONSTANT, /* gap_ns */
	MX_GAP_UNIFORM, /* gap_ns to spread_ns */
	MX_GAP_NORMAL, /* mean gap_ns, deviation spread_ns; never below 0 */
	MX_GAP_EXPONENTIAL, /* mean gap_ns: a Poisson process */
	/* Whole milliseconds from a Poisson distribution of mean gap_ns: what
	 * EdgeCaffe's generator does, nearly constant for long gaps. */
	MX_GAP_POISSON_MS,
};

/* The longest gap that may be asked for. */
#define MX_GAP_NS_MAX (UINT64_C(1000000) * 1000000000u)

struct mx_arrivals_opts {
	enum mx_gap_kind kind;
	uint64_t gap_ns; /* at most MX_GAP_NS_MAX, as spread_ns */
	uint64_t spread_ns;
	uint32_t count; /* arrivals */
	uint32_t net_count; /* a job of each, at least 1 */
	uint32_t pick; /* so many of them at random, no two alike; 0: all */
	uint64_t seed;
};

/*
 * A script of opts->count arrivals. mx_script_fini() ends it.
 * Returns 0; -EINVAL if an option is out of range (the message says which);
 * -ENOMEM.
 */
int mx_arrivals_init(struct mx_script *script,
		     const struct mx_arrivals_opts *opts, struct mx_err *err);

struct mx_trace_opts {
	const char *name; /* of the file, for messages */
	/* What networks are called; of two of one name the first is meant. */
	const char *const *nets;
	uint32_t net_count; /* at least 1 */
	uint32_t count; /* no more arrivals than so many; 0: all */
};

/*
 * A script from a trace: an arrival a line, its time in milliseconds from the
 * start, never less than the one before, then the names of the networks it runs
 * (none: all). Empty lines and what follows a '#' do not count.
 * mx_script_fini() ends it.
 *
 * Returns 0; -EBADMSG with name:line; -ENOMEM.
 */
int mx_arrivals_trace(struct mx_script *script, const char *text,
		      const struct mx_trace_opts *opts, struct mx_err *err);

#endif
