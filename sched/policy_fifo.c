/*
 * fifo: the plain rule. Jobs are admitted in the order of arrival, as soon as
 * there is room; a free worker helps the oldest that is ready, so that jobs
 * fill each other's stalls; the job that is least ahead (in bytes) reads next;
 * what is needed last is evicted first.
 *
 * A use is bytes: what the job that needs the unit has to go through before
 * it. What no RUNNING job needs comes after all that, first what a WAITING one
 * will need.
 *
 * Invariants:
 *
 *  (1) Every RUNNING job has a seat (job->tag), which is in its network's list.
 *  (2) Of the units from the job's next step on, those below the seat's
 *      next_unit are not ABSENT.
 *  (3) heads has, for each network, the id of its first WAITING job.
 */
#include "sched/policy.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/err.h"
#include "pager/residency.h"
#include "sched/board.h"
#include "sched/minima.h"

/* More jobs at once do not fill more stalls. */
#define SEATS 16
/* A further job is admitted when its activations leave room to read that many
 * units ahead. */
#define ROOM_UNITS 8
#define WANTED_LATER (UINT64_C(1) << 62)
#define WANTED_BY_NOBODY (UINT64_C(1) << 63)

struct seat {
	struct mx_board_job *job; /* NULL: free */
	struct seat *next; /* of the network's */
	uint32_t next_unit;
};

struct home {
	struct seat *seats;
	uint64_t *begin_bytes; /* of each unit: the sizes of those before */
	uint32_t *unit_at; /* the first unit needed from each step on */
};

struct fifo {
	struct seat seats[SEATS];
	struct home *homes;
	uint32_t net_count;
	struct mx_minima heads;
};

static const struct mx_board_net *net_at(const struct mx_board *board,
					 uint32_t net)
{
	return &mx_board_opts_of(board)->nets[net];
}

static int init_home(struct home *home, const struct mx_board_net *net)
{
	uint32_t unit = net->unit_count;
	uint32_t i;

	home->begin_bytes =
		calloc((size_t)net->unit_count + 1, sizeof(uint64_t));
	home->unit_at = calloc((size_t)net->step_count + 1, sizeof(uint32_t));
	if (!home->begin_bytes || !home->unit_at)
		return -ENOMEM;
	for (i = 0; i < net->unit_count; i++)
		home->begin_bytes[i + 1] =
			home->begin_bytes[i] + net->units[i].size_bytes;
	home->unit_at[net->step_count] = unit;
	for (i = net->step_count; i-- > 0;) {
		if (net->steps[i].unit != MX_STEP_NONE)
			unit = net->steps[i].unit;
		home->unit_at[i] = unit;
	}
	return 0;
}

static void fini(void *state)
{
	struct fifo *fifo = state;
	uint32_t i;

	for (i = 0; fifo->homes && i < fifo->net_count; i++) {
		free(fifo->homes[i].begin_bytes);
		free(fifo->homes[i].unit_at);
	}
	free(fifo->homes);
	mx_minima_fini(&fifo->heads);
	free(fifo);
}

static int init(void **state, const struct mx_board *board, struct mx_err *err)
{
	const struct mx_board_opts *opts = mx_board_opts_of(board);
	struct fifo *fifo;
	uint32_t i;
	int rc;

	fifo = calloc(1, sizeof(*fifo));
	if (!fifo)
		return mx_fail(err, ENOMEM, "no memory for fifo");
	fifo->net_count = opts->net_count;
	fifo->homes = calloc((size_t)opts->net_count + 1, sizeof(*fifo->homes));
	rc = fifo->homes ? mx_minima_init(&fifo->heads, opts->net_count)
			 : -ENOMEM;
	for (i = 0; i < opts->net_count && !rc; i++)
		rc = init_home(&fifo->homes[i], &opts->nets[i]);
	if (rc) {
		fini(fifo);
		return mx_fail(err, ENOMEM, "no memory for fifo");
	}
	*state = fifo;
	return 0;
}

/* The network's WAITING jobs have changed. */
static void update_head(struct fifo *fifo, const struct mx_board *board,
			uint32_t net)
{
	const struct mx_board_job *job = mx_board_waiting(board, net);

	mx_minima_set(&fifo->heads, net, job ? job->id : MX_MINIMA_NONE);
}

/* The oldest of all WAITING jobs. */
static struct mx_board_job *first_waiting(const struct fifo *fifo,
					  const struct mx_board *board)
{
	const uint32_t net = mx_minima_least(&fifo->heads);

	return net < fifo->net_count ? mx_board_waiting(board, net) : NULL;
}

static void take_seat(struct fifo *fifo, struct mx_board_job *job)
{
	struct home *home = &fifo->homes[job->net];
	struct seat *seat = fifo->seats;

	while (seat->job)
		seat++;
	assert(seat < fifo->seats + SEATS);
	*seat = (struct seat){.job = job, .next = home->seats};
	home->seats = seat;
	job->tag = seat;
}

static void leave_seat(struct fifo *fifo, struct mx_board_job *job)
{
	struct seat **at = &fifo->homes[job->net].seats;
	struct seat *seat = job->tag;

	while (*at != seat)
		at = &(*at)->next;
	*at = seat->next;
	seat->job = NULL;
	job->tag = NULL;
}

static void note_dropped(struct fifo *fifo, struct mx_unit_ref ref)
{
	struct seat *seat;

	for (seat = fifo->homes[ref.net].seats; seat; seat = seat->next)
		if (ref.unit < seat->next_unit)
			seat->next_unit = ref.unit;
}

static void event(void *state, const struct mx_board *board,
		  const struct mx_board_event *event)
{
	struct fifo *fifo = state;

	switch (event->kind) {
	case MX_EVENT_ADMITTED:
		take_seat(fifo, event->job);
		break;
	case MX_EVENT_ENDED:
		if (event->job->tag)
			leave_seat(fifo, event->job);
		break;
	case MX_EVENT_DROPPED:
		note_dropped(fifo, event->unit);
		return;
	case MX_EVENT_ARRIVED:
	case MX_EVENT_RELEASED:
		break;
	default:
		return;
	}
	update_head(fifo, board, event->job->net);
}

/* Does the job leave the others, and itself, enough to read ahead? */
static int is_roomy(const struct mx_board *board,
		    const struct mx_board_job *job)
{
	const uint64_t arena_bytes = net_at(board, job->net)->arena_bytes;
	struct mx_residency_totals totals;

	mx_residency_totals(mx_board_residency(board), &totals);
	return totals.capacity_bytes - totals.pinned_bytes -
		       totals.arena_bytes >=
	       arena_bytes + ROOM_UNITS * totals.largest_unit_bytes;
}

static struct mx_board_job *next_help(void *state, const struct mx_board *board)
{
	const uint32_t running = mx_board_running_count(board);
	struct mx_board_job *job = first_waiting(state, board);

	if (job && running < SEATS && (running == 0 || is_roomy(board, job)) &&
	    mx_board_fits(board, job))
		return job;
	for (job = mx_board_running(board); job; job = job->next)
		if (mx_board_is_ready(board, job))
			break;
	return job;
}

/* The first unit that the job has not done with. */
static uint32_t first_unit(const struct home *home,
			   const struct mx_board_job *job)
{
	return home->unit_at[job->next_step -
			     (job->busy_steps > 0 && job->next_step > 0)];
}

/* The use of a unit by a job: UINT64_MAX if it has done with it. */
static uint64_t use_by(const struct home *home, const struct mx_board_job *job,
		       uint32_t unit)
{
	const uint32_t first = first_unit(home, job);

	return unit < first
		       ? UINT64_MAX
		       : home->begin_bytes[unit] - home->begin_bytes[first];
}

/* The seat's job's first ABSENT unit; unit_count: none. */
static uint32_t find_next_unit(const struct home *home, struct seat *seat,
			       const struct mx_board *board)
{
	const uint32_t count = net_at(board, seat->job->net)->unit_count;
	/* What it computes on is there, whether all of that is taken or not. */
	const uint32_t first = home->unit_at[seat->job->next_step];
	struct mx_unit_ref ref = {seat->job->net, seat->next_unit};

	if (ref.unit < first)
		ref.unit = first;
	while (ref.unit < count && mx_residency_state(mx_board_residency(board),
						      ref) != MX_UNIT_ABSENT)
		ref.unit++;
	seat->next_unit = ref.unit;
	return seat->next_unit;
}

static int next_load(void *state, const struct mx_board *board,
		     struct mx_unit_ref *out, uint64_t *use)
{
	struct fifo *fifo = state;
	struct mx_board_job *job;
	int found = 0;

	for (job = mx_board_running(board); job; job = job->next) {
		const struct home *home = &fifo->homes[job->net];
		const uint32_t unit = find_next_unit(home, job->tag, board);
		uint64_t ahead;

		if (unit == net_at(board, job->net)->unit_count || job->status)
			continue;
		ahead = use_by(home, job, unit);
		if (found && ahead >= *use)
			continue;
		*out = (struct mx_unit_ref){job->net, unit};
		*use = ahead;
		found = 1;
	}
	return found;
}

static uint64_t next_use(void *state, const struct mx_board *board,
			 struct mx_unit_ref ref)
{
	const struct fifo *fifo = state;
	const struct home *home = &fifo->homes[ref.net];
	const struct seat *seat;
	uint64_t best = UINT64_MAX;

	for (seat = home->seats; seat; seat = seat->next) {
		const uint64_t use = use_by(home, seat->job, ref.unit);

		if (use < best)
			best = use;
	}
	if (best != UINT64_MAX)
		return best;
	/* When the network runs again its first units are needed first. */
	return home->begin_bytes[ref.unit] +
	       (mx_board_waiting_count(board, ref.net) ? WANTED_LATER
						       : WANTED_BY_NOBODY);
}

const struct mx_policy mx_policy_fifo = {
	.name = "fifo",
	.summary = "jobs in the order of arrival, filling each other's stalls",
	.traits = MX_POLICY_PINS,
	.init = init,
	.fini = fini,
	.event = event,
	.next_help = next_help,
	.next_load = next_load,
	.next_use = next_use,
	.idle_use = WANTED_BY_NOBODY,
};
