#include "sched/foresight_rollout.h"

#include <math.h>
#include <string.h>

#define WORTH 1e-6
/* What is read before its turn may have to be read again, for want of room in
 * a row, which is not played here: it must gain more than that. Without it 57
 * units are read again in 1000 small instances, with it 18. */
#define SKIP_COST 1.01
#define PERMUTED 4
#define NOBODY UINT32_MAX

static const struct mx_board_step *step_at(const struct mx_rollout *r,
					   const struct mx_rollout_job *job,
					   uint32_t step)
{
	return &r->nets[job->net]->steps[step];
}

static uint32_t slot_of(const struct mx_rollout *r,
			const struct mx_rollout_job *job, uint32_t unit)
{
	return r->first_unit[job->net] + unit;
}

static uint64_t size_of(const struct mx_rollout *r, uint32_t slot)
{
	uint32_t net = r->net_count - 1;

	while (r->first_unit[net] > slot)
		net--;
	return r->nets[net]->units[slot - r->first_unit[net]].size_bytes;
}

static uint32_t slot_count(const struct mx_rollout *r)
{
	return r->first_unit[r->net_count - 1] +
	       r->nets[r->net_count - 1]->unit_count;
}

/* The slot of the step that is computed; NOBODY: none. */
static uint32_t held_by(const struct mx_rollout *r,
			const struct mx_rollout_job *job)
{
	uint32_t unit;

	if (!job->busy_ns || job->next_step == 0)
		return NOBODY;
	unit = step_at(r, job, job->next_step - 1)->unit;
	return unit == MX_STEP_NONE ? NOBODY : slot_of(r, job, unit);
}

/*
 * When each unit is needed next: the place of the first job in the order that
 * needs it, then the step. UINT32_MAX: by nobody. 0: it is held.
 */
static void find_uses(const struct mx_rollout *r, const uint8_t *order,
		      uint32_t *use)
{
	uint32_t i, k;

	memset(use, 0xff, MX_ROLLOUT_UNITS * sizeof(*use));
	for (i = r->job_count; i-- > 0;) {
		const struct mx_rollout_job *job = &r->jobs[order[i]];

		for (k = r->nets[job->net]->step_count; k-- > job->next_step;) {
			const uint32_t unit = step_at(r, job, k)->unit;

			if (unit != MX_STEP_NONE)
				use[slot_of(r, job, unit)] = (i + 1) << 16 | k;
		}
	}
	for (i = 0; i < r->job_count; i++)
		if (held_by(r, &r->jobs[i]) != NOBODY)
			use[held_by(r, &r->jobs[i])] = 0;
}

static uint64_t arenas(const struct mx_rollout *r)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < r->job_count; i++)
		sum += r->jobs[i].arena_bytes;
	return sum;
}

/* Free @bytes beside what is needed no later than @limit. Returns 1 or 0. */
static int make_room(struct mx_rollout *r, const uint32_t *use, uint64_t bytes,
		     uint32_t limit)
{
	const uint32_t count = slot_count(r);
	uint64_t used = arenas(r);
	uint64_t stays = used;
	uint32_t i;

	for (i = 0; i < count; i++) {
		if (r->state[i] == MX_UNIT_ABSENT)
			continue;
		if (r->state[i] == MX_UNIT_RESIDENT && use[i] == UINT32_MAX) {
			r->state[i] = MX_UNIT_ABSENT;
			continue;
		}
		used += size_of(r, i);
		if (r->state[i] == MX_UNIT_LOADING || use[i] <= limit)
			stays += size_of(r, i);
	}
	if (stays + bytes > r->capacity_bytes)
		return 0;
	while (used + bytes > r->capacity_bytes) {
		uint32_t last = NOBODY;

		for (i = 0; i < count; i++)
			if (r->state[i] == MX_UNIT_RESIDENT && use[i] > limit &&
			    (last == NOBODY || use[i] > use[last]))
				last = i;
		if (last == NOBODY)
			return 0;
		r->state[last] = MX_UNIT_ABSENT;
		used -= size_of(r, last);
	}
	return 1;
}

static int fits(const struct mx_rollout *r, const struct mx_rollout_job *job)
{
	return job->admitted || arenas(r) + r->nets[job->net]->arena_bytes +
						r->largest_unit_bytes <=
					r->capacity_bytes;
}

/* Begin the job's next step if that can be. Returns 1 or 0. */
static int help(struct mx_rollout *r, const uint8_t *order, uint32_t index)
{
	struct mx_rollout_job *job = &r->jobs[index];
	const struct mx_board_net *net = r->nets[job->net];
	uint32_t use[MX_ROLLOUT_UNITS];
	uint32_t unit;

	if (job->busy_ns || job->next_step == net->step_count || !fits(r, job))
		return 0;
	unit = net->steps[job->next_step].unit;
	if (unit != MX_STEP_NONE &&
	    r->state[slot_of(r, job, unit)] != MX_UNIT_RESIDENT)
		return 0;
	if (!job->admitted) {
		find_uses(r, order, use);
		if (unit != MX_STEP_NONE)
			use[slot_of(r, job, unit)] = 0;
		if (!make_room(r, use, net->arena_bytes, 0))
			return 0;
		job->admitted = 1;
		job->arena_bytes = net->arena_bytes;
	}
	job->busy_ns = net->steps[job->next_step].ns;
	if (!job->busy_ns)
		job->busy_ns = 1;
	job->next_step++;
	return 1;
}

/* The job's first missing unit but @skip: its step; NOBODY: none. */
static uint32_t missing(const struct mx_rollout *r,
			const struct mx_rollout_job *job, uint32_t skip)
{
	const struct mx_board_net *net = r->nets[job->net];
	uint32_t i;

	for (i = job->next_step; i < net->step_count; i++)
		if (net->steps[i].unit != MX_STEP_NONE &&
		    r->state[slot_of(r, job, net->steps[i].unit)] ==
			    MX_UNIT_ABSENT &&
		    net->steps[i].last_of_unit && skip-- == 0)
			return i;
	return NOBODY;
}

/* Returns 1 when a read has begun. */
static int load(struct mx_rollout *r, const uint8_t *order, uint32_t index,
		uint32_t skip)
{
	const struct mx_rollout_job *job = &r->jobs[index];
	const struct mx_board_net *net = r->nets[job->net];
	const uint32_t step = missing(r, job, skip);
	uint32_t use[MX_ROLLOUT_UNITS];
	uint32_t slot;

	if (step == NOBODY)
		return 0;
	slot = slot_of(r, job, net->steps[step].unit);
	find_uses(r, order, use);
	if (!make_room(r, use, size_of(r, slot), use[slot]))
		return 0;
	r->state[slot] = MX_UNIT_LOADING;
	r->load_ns =
		net->units[net->steps[step].unit].read_ns + net->latency_ns;
	return 1;
}

/* The plain rule's read: those that can begin first, then the others. */
static void load_first(struct mx_rollout *r, const uint8_t *order)
{
	uint32_t i;
	int round;

	for (round = 0; round < 2; round++)
		for (i = 0; i < r->job_count; i++) {
			const struct mx_rollout_job *job = &r->jobs[order[i]];

			if (fits(r, job) == round ||
			    missing(r, job, 0) == NOBODY)
				continue;
			load(r, order, order[i], 0);
			return;
		}
}

static void finish_step(struct mx_rollout *r, struct mx_rollout_job *job,
			uint64_t now_ns)
{
	const struct mx_board_net *net = r->nets[job->net];

	if (job->next_step == net->step_count) {
		job->finish_ns = now_ns;
		job->arena_bytes = 0;
		return;
	}
	job->arena_bytes =
		net->layers[net->steps[job->next_step].layer].arena_bytes;
}

/* To the next end of a read or a step. Returns what it takes; 0: nothing is
 * being done. */
static uint64_t advance(struct mx_rollout *r, uint64_t now_ns)
{
	uint64_t least = r->load_ns ? r->load_ns : UINT64_MAX;
	uint32_t i;

	for (i = 0; i < r->job_count; i++)
		if (r->jobs[i].busy_ns && r->jobs[i].busy_ns < least)
			least = r->jobs[i].busy_ns;
	if (least == UINT64_MAX)
		return 0;
	if (r->load_ns && !(r->load_ns -= least))
		for (i = 0; i < slot_count(r); i++)
			if (r->state[i] == MX_UNIT_LOADING)
				r->state[i] = MX_UNIT_RESIDENT;
	for (i = 0; i < r->job_count; i++)
		if (r->jobs[i].busy_ns && !(r->jobs[i].busy_ns -= least))
			finish_step(r, &r->jobs[i], now_ns + least);
	return least;
}

static uint32_t busy_count(const struct mx_rollout *r)
{
	uint32_t count = 0;
	uint32_t i;

	for (i = 0; i < r->job_count; i++)
		count += r->jobs[i].busy_ns != 0;
	return count;
}

static int is_over(const struct mx_rollout *r)
{
	uint32_t i;

	for (i = 0; i < r->job_count; i++)
		if (r->jobs[i].busy_ns ||
		    r->jobs[i].next_step < r->nets[r->jobs[i].net]->step_count)
			return 0;
	return 1;
}

double mx_rollout_cost(const struct mx_rollout *rollout, const uint8_t *order,
		       struct mx_rollout_move move)
{
	struct mx_rollout r = *rollout;
	uint64_t now_ns = 0;
	double sum = 0;
	uint32_t i;

	while (!is_over(&r)) {
		uint64_t took;

		const int idles = move.kind == MX_ROLLOUT_HELP &&
				  move.job >= MX_ROLLOUT_JOBS;

		if (move.kind == MX_ROLLOUT_HELP && !idles &&
		    !help(&r, order, move.job))
			return INFINITY;
		for (i = 0; i < r.job_count && busy_count(&r) < r.processors;
		     i++)
			if (!idles)
				help(&r, order, order[i]);
		if (move.kind == MX_ROLLOUT_LOAD &&
		    move.job < MX_ROLLOUT_JOBS &&
		    !load(&r, order, move.job, move.skip))
			return INFINITY;
		if (!r.load_ns && move.kind != MX_ROLLOUT_LOAD)
			load_first(&r, order);
		move.kind = MX_ROLLOUT_PLAIN;
		took = advance(&r, now_ns);
		if (!took)
			return INFINITY;
		now_ns += took;
	}
	for (i = 0; i < r.job_count; i++)
		sum += (double)r.jobs[i].finish_ns;
	return sum;
}

struct search {
	const struct mx_rollout *rollout;
	uint8_t order[MX_ROLLOUT_JOBS];
	uint8_t best[MX_ROLLOUT_JOBS];
	double cost;
};

static void try_order(struct search *search)
{
	static const struct mx_rollout_move plain = {.kind = MX_ROLLOUT_PLAIN};
	const double cost =
		mx_rollout_cost(search->rollout, search->order, plain);

	if (cost < search->cost * (1 - WORTH)) {
		search->cost = cost;
		memcpy(search->best, search->order, sizeof(search->best));
	}
}

static void swap(uint8_t *order, uint32_t i, uint32_t k)
{
	const uint8_t kept = order[i];

	order[i] = order[k];
	order[k] = kept;
}

static void permute(struct search *search, uint32_t fixed)
{
	uint32_t i;

	if (fixed + 1 >= search->rollout->job_count) {
		try_order(search);
		return;
	}
	for (i = fixed; i < search->rollout->job_count; i++) {
		swap(search->order, fixed, i);
		permute(search, fixed + 1);
		swap(search->order, fixed, i);
	}
}

void mx_rollout_order(const struct mx_rollout *rollout, uint8_t *order)
{
	struct search search = {.rollout = rollout, .cost = INFINITY};
	uint32_t i;

	memcpy(search.order, order, rollout->job_count);
	memcpy(search.best, order, rollout->job_count);
	try_order(&search);
	if (rollout->job_count <= PERMUTED)
		permute(&search, 0);
	for (i = 0; rollout->job_count > PERMUTED && i + 1 < rollout->job_count;
	     i++) {
		memcpy(search.order, search.best, rollout->job_count);
		swap(search.order, i, i + 1);
		try_order(&search);
	}
	memcpy(order, search.best, rollout->job_count);
}

/* The move, then the order as it is, or with its job in front. */
static double judge(const struct mx_rollout *rollout, const uint8_t *order,
		    struct mx_rollout_move move)
{
	double cost = mx_rollout_cost(rollout, order, move);
	uint8_t turned[MX_ROLLOUT_JOBS];
	uint32_t count = 1;
	double other;
	uint32_t i;

	if (move.job >= MX_ROLLOUT_JOBS || order[0] == move.job)
		return cost;
	turned[0] = (uint8_t)move.job;
	for (i = 0; i < rollout->job_count; i++)
		if (order[i] != move.job)
			turned[count++] = order[i];
	other = mx_rollout_cost(rollout, turned, move);
	return other < cost ? other : cost;
}

uint32_t mx_rollout_choose(const struct mx_rollout *rollout,
			   const uint8_t *order,
			   const struct mx_rollout_move *moves, uint32_t count)
{
	double least = INFINITY;
	uint32_t best = 0;
	uint32_t i;

	for (i = 0; i < count; i++) {
		const double cost = judge(rollout, order, moves[i]) *
				    (moves[i].skip ? SKIP_COST : 1);

		if (cost < least * (1 - WORTH) ||
		    (least == INFINITY && cost < least)) {
			least = cost;
			best = i;
		}
	}
	return best;
}
