/*
 * foresight's own account: networks, and the waves that go through them.
 * Shared by policy_foresight.c (the answers) and foresight_wave.c.
 */
#ifndef MX_SCHED_FORESIGHT_IMPL_H
#define MX_SCHED_FORESIGHT_IMPL_H

#include <stddef.h>
#include <stdint.h>

#include "sched/foresight_order.h"
#include "sched/foresight_rollout.h"
#include "sched/policy.h"

#define MX_WAVES_PER_NET 8
/* The wave of jobs that are not admitted yet. */
#define MX_WAVE_PENDING 0

struct mx_wave_net;

struct mx_wave {
	struct mx_wave_net *net; /* NULL: free */
	uint32_t jobs; /* that run; MX_WAVE_PENDING: that wait */
	uint32_t unit; /* the first that it still needs */
	uint32_t cursor; /* no unit before it is ABSENT */
	uint64_t absent_ns; /* to read what is ABSENT from `unit` on */
	uint64_t arrival_ns; /* of its oldest job */
	uint64_t rank;
	int blocked;
};

struct mx_wave_net {
	const struct mx_board_net *net;
	uint32_t index;
	uint64_t *read_before; /* of each unit: to read all before it */
	uint64_t *bytes_before; /* of each unit: of all before it */
	uint64_t *compute_before; /* of each step: to compute all before it */
	uint32_t *first_step; /* of each unit */
	uint32_t likely; /* HELD jobs that are worth reading for */
	/* Of each unit: the bytes that are more worth keeping. */
	uint64_t *keep_before;
	struct mx_wave waves[MX_WAVES_PER_NET];
};

struct mx_foresight {
	const struct mx_board *board;
	struct mx_wave_net *nets;
	uint32_t net_count;
	uint64_t memory_bytes;
	/* What is read ahead before other things stay that nobody waits for. */
	uint64_t ring_bytes;
	/* Of what nobody waits for, as much is worth keeping. */
	uint64_t keep_bytes;
	/* Waves with jobs, by rank; the pending ones among them. */
	struct mx_wave **order;
	uint32_t order_count;
	struct mx_wave_view *views;
	uint32_t running_waves;
	int dirty; /* ranks have to be found again */
	int any_blocked;
	/* For rollouts: until when the storage and the steps being computed
	 * take; NULL: no step. */
	uint64_t reads_end_ns;
	const struct mx_board_job *busy[MX_ROLLOUT_JOBS];
	uint64_t busy_end_ns[MX_ROLLOUT_JOBS];
	/* One that has no place has waited too long: nobody else begins. */
	int overdue_waits;
	int any_overdue;
};

/* The wave of a job; NULL: it does not run. */
struct mx_wave *mx_wave_of(const struct mx_board_job *job);

struct mx_unit_ref mx_wave_ref(const struct mx_wave_net *net, uint32_t unit);

int mx_wave_is_absent(const struct mx_foresight *fs,
		      const struct mx_wave_net *net, uint32_t unit);

/* Returns 0 or -ENOMEM; either way mx_wave_net_fini() ends it. */
int mx_wave_net_init(struct mx_wave_net *net, const struct mx_board_net *of,
		     uint32_t index);
void mx_wave_net_fini(struct mx_wave_net *net);

/*
 * What stays when nobody waits for it: the memory, less the activations of a
 * job and a ring for the units that come and go.
 */
void mx_keep_share(struct mx_foresight *fs);

/* Fill in all networks' keep_before. Returns 0 or -ENOMEM. */
int mx_keep_order(struct mx_foresight *fs);

/* The first unit that a job at @step needs; unit_count: none. */
uint32_t mx_wave_unit_at(const struct mx_wave_net *net, uint32_t step);

/* Is the unit there (or past the last)? */
int mx_wave_is_resident(const struct mx_foresight *fs,
			const struct mx_wave_net *net, uint32_t unit);

/* Make @wave one of @net that begins, with no jobs yet. */
void mx_wave_open(const struct mx_foresight *fs, struct mx_wave_net *net,
		  struct mx_wave *wave);

/* Its last job has ended, or gone to another wave. */
void mx_wave_close(struct mx_foresight *fs, struct mx_wave *wave);

/* A read of the unit has begun; or (@is_back) it is ABSENT again. */
void mx_wave_unit_changed(struct mx_wave_net *net, uint32_t unit, int is_back);

/* A wave that a job which begins now can join: nobody in it is further than
 * the first unit, or all that they have used is there still. NULL: none. */
struct mx_wave *mx_wave_joinable(const struct mx_foresight *fs,
				 struct mx_wave_net *net);

/* Room for another wave, or NULL. */
struct mx_wave *mx_wave_free_slot(struct mx_wave_net *net);

/* Find again where the wave's least advanced job is, and when its oldest
 * came. Waves that have come to the same place become one. */
void mx_wave_look_again(struct mx_foresight *fs, struct mx_wave *wave);

/* What its jobs have still to compute, together. */
uint64_t mx_wave_compute_ns(const struct mx_foresight *fs,
			    const struct mx_wave *wave);

/* Of one job: the computing after its last missing unit has come. */
uint64_t mx_wave_tail_ns(const struct mx_foresight *fs,
			 const struct mx_wave *wave);

/*
 * Could the job be admitted, if it were first? What cannot be is behind
 * everything that runs: else what is kept for it could stop the others, whose
 * end it waits for.
 */
int mx_foresight_can_begin(const struct mx_foresight *fs,
			   struct mx_wave_net *net,
			   const struct mx_board_job *job);
/* When the wave will come to the unit. */
uint64_t mx_foresight_use(const struct mx_wave *wave, uint32_t unit);
/* Try out what to read next (foresight_moves.c). Returns 1 if that has decided,
 * with *@found and, if so, the read; 0: the plain rule is asked. */
int mx_moves_try_loads(struct mx_foresight *fs, struct mx_unit_ref *out,
		       uint64_t *use, int *found);
/* ... and whom to help: *@found, or NULL for nobody. */
int mx_moves_try_helps(struct mx_foresight *fs, struct mx_board_job **found);

/*
 * Rollouts (sched/foresight_rollout.h) of a board with few steps left, where
 * trying moves out costs little against what it can save.
 */
struct mx_trial {
	struct mx_rollout rollout;
	struct mx_board_job *jobs[MX_ROLLOUT_JOBS]; /* the rollout's */
	uint8_t order[MX_ROLLOUT_JOBS]; /* by rank */
};

/* Note what is being read and computed. */
void mx_trial_event(struct mx_foresight *fs,
		    const struct mx_board_event *event);

/* The board as it is now: 1, or 0 if a trial is not worth its while. */
int mx_trial_init(struct mx_trial *trial, const struct mx_foresight *fs);

/* Something is being read or computed: waiting is a move too. */
int mx_trial_can_wait(const struct mx_trial *trial);

#endif
