/*
 * A script: arrivals, each with jobs that may depend on each other. A director
 * plays it on a driver: it says when arrivals are due, and after each job's
 * end what to release or to cancel. It is the same for both drivers.
 *
 * Context (MASA.md's relations): a job may come `after` others of its arrival.
 *   wait           it is HELD until all of them have finished; prefetched
 *                  according to `chance`
 *   opportunistic  it may start at once, and is cancelled midway
 * When one of them ends and its condition says skip, the job is cancelled, and
 * so is what depends on it, in turn. In a script the answers are injected
 * (`skip`); a pipeline (sched/context.h) asks real outputs.
 */
#ifndef MX_SCHED_SCRIPT_H
#define MX_SCHED_SCRIPT_H

#include <stddef.h>
#include <stdint.h>

struct mx_err;

enum mx_relation_mode {
	MX_RELATION_WAIT,
	MX_RELATION_OPPORTUNISTIC,
};

struct mx_relation {
	uint32_t after; /* index of a job in the same arrival, below its own */
	enum mx_relation_mode mode;
	int skip; /* what the condition will say when that job has finished */
};

struct mx_script_job {
	uint32_t net;
	struct mx_relation *relations;
	uint32_t relation_count;
};

enum mx_arrival_kind {
	MX_ARRIVAL_AT, /* time_ns after the script's begin */
	MX_ARRIVAL_GAP, /* time_ns after the arrival before */
	MX_ARRIVAL_IDLE, /* time_ns after no job of the script is left */
};

struct mx_script_arrival {
	enum mx_arrival_kind kind;
	uint64_t time_ns;
	struct mx_script_job *jobs;
	uint32_t job_count;
};

struct mx_script {
	struct mx_script_arrival *arrivals; /* in order of time */
	uint32_t arrival_count;
};

/* Frees everything it points to. */
void mx_script_fini(struct mx_script *script);
/* An arrival at the end, with room for @job_count jobs (zeroed): its pointer,
 * good until the next call, or NULL without memory. */
struct mx_script_arrival *mx_script_add(struct mx_script *script,
					uint32_t job_count);

/* What a director tells its driver to do. Each returns 0 or -errno. */
struct mx_director_ops {
	/* A job comes: of arrival @arrival, job @job of it. The driver keeps
	 * the pair and gives it back in mx_director_ended(). */
	int (*submit)(void *user, uint32_t arrival, uint32_t job, int held,
		      uint64_t arrival_ns);
	int (*release)(void *user, uint32_t arrival, uint32_t job);
	int (*cancel)(void *user, uint32_t arrival, uint32_t job);
};

struct mx_director;
/* Returns 0; -EINVAL if the script makes no sense (the message says where);
 * -ENOMEM. @script and @ops outlive it. */
int mx_director_new(struct mx_director **out, const struct mx_script *script,
		    const struct mx_director_ops *ops, void *user,
		    struct mx_err *err);
void mx_director_free(struct mx_director *director);

/* When the next arrival is due (MX_TIME_NEVER: none, or it waits for jobs to
 * end): at or before that, call mx_director_advance(). */
uint64_t mx_director_due(const struct mx_director *director);
/* The time is @now_ns since the script's begin: submit what is due. */
int mx_director_advance(struct mx_director *director, uint64_t now_ns);
/* A job has ended. */
int mx_director_ended(struct mx_director *director, uint32_t arrival,
		      uint32_t job, int cancelled, uint64_t now_ns);
/* Nothing is left to come, and nothing is running. */
int mx_director_is_over(const struct mx_director *director);

#endif
