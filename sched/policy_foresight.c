/*
 * foresight, the default: shortest remaining time first, with everything that
 * is known of the future.
 *
 * Jobs of one network that wait together run together: they are a wave. A wave
 * goes through its network's units once, each unit serving all its jobs, every
 * job summing in the order it would alone. Waves have ranks
 * (sched/foresight_order.h); from the ranks follow
 *
 *  - the next load: the first missing unit of the first wave that misses one.
 *    So the storage reads ahead within a wave, then across waves, as far as
 *    there is room that is not needed sooner;
 *  - the next help: the first wave's job that can go on, the most advanced
 *    first: it will end first. When the storage keeps it waiting the others
 *    come up with it on what is there, and when they are too far behind what
 *    they need fills the memory, and nothing is read before they have; so no
 *    unit is read twice. While a whole wave waits, the processor is the next
 *    one's, so that what waits for reads and what computes overlap;
 *  - the next use of a unit: by the rank of the first wave that will come to
 *    it, then by how far it is from there (Belady's rule). Units that nobody
 *    waits for come after all others, by what they are worth for arrivals to
 *    come (sched/foresight_keep.c). Reading ahead beyond a ring does not drive
 *    out what is worth keeping: it would only have to be read again, by jobs
 *    that go first.
 *
 * Waiting. A wave that can be admitted is never served after one that came
 * more than MX_FORESIGHT_AGEING x its own time later, so it waits at most that
 * time and the work that came before its end. One whose arena has no place is
 * behind all that run, whose end gives it one; those that wait for a place and
 * are overdue let nobody else be admitted before them.
 */
#include "sched/policy.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/err.h"
#include "sched/foresight_impl.h"
#include "sched/foresight_order.h"

/*
 * A unit's use: what it is needed for, then when. Needed soon, or worth keeping
 * and needed: its wave's rank and its distance from there. Needed by a job
 * that may never run. Worth keeping. Needed, but beyond the ring. Neither.
 */
#define RANK_SHIFT 44
#define DISTANCE_MAX (((uint64_t)1 << RANK_SHIFT) - 1)
#define CLASS_SHIFT 60
#define LIKELY_USE ((uint64_t)1 << CLASS_SHIFT)
#define KEPT_USE ((uint64_t)2 << CLASS_SHIFT)
#define FAR_USE ((uint64_t)3 << CLASS_SHIFT)
#define IDLE_USE ((uint64_t)4 << CLASS_SHIFT)
/* Jobs and waves at once: more would leave too little to each. */
#define RUNNING_MAX 32
#define WAVES_MAX 6
/* From this chance on, a job that may never run is worth reading for. */
#define LIKELY 0.5f

static void foresight_fini(void *state)
{
	struct mx_foresight *fs = state;
	uint32_t i;

	if (!fs)
		return;
	for (i = 0; fs->nets && i < fs->net_count; i++)
		mx_wave_net_fini(&fs->nets[i]);
	free(fs->nets);
	free(fs->order);
	free(fs->views);
	free(fs);
}

static int foresight_init(void **state, const struct mx_board *board,
			  struct mx_err *err)
{
	const struct mx_board_opts *opts = mx_board_opts_of(board);
	const size_t waves = (size_t)opts->net_count * MX_WAVES_PER_NET + 1;
	struct mx_foresight *fs;
	uint32_t i;
	int rc = 0;

	fs = calloc(1, sizeof(*fs));
	if (!fs)
		return mx_fail(err, ENOMEM, "no memory for foresight");
	fs->board = board;
	fs->memory_bytes = opts->memory_bytes;
	fs->net_count = opts->net_count;
	fs->nets = calloc((size_t)opts->net_count + 1, sizeof(*fs->nets));
	fs->order = calloc(waves, sizeof(struct mx_wave *));
	fs->views = calloc(waves, sizeof(*fs->views));
	if (!fs->nets || !fs->order || !fs->views)
		rc = -ENOMEM;
	for (i = 0; i < opts->net_count && !rc; i++)
		rc = mx_wave_net_init(&fs->nets[i], &opts->nets[i], i);
	if (!rc)
		rc = mx_keep_order(fs);
	if (rc) {
		foresight_fini(fs);
		return mx_fail(err, ENOMEM, "no memory for foresight");
	}
	mx_keep_share(fs);
	*state = fs;
	return 0;
}

/* Jobs that could be in memory at once: more cannot share a pass. */
static uint32_t together(const struct mx_foresight *fs,
			 const struct mx_wave *wave)
{
	const uint64_t arena = wave->net->net->arena_bytes;

	if (fs->memory_bytes == MX_RESIDENCY_UNLIMITED || arena == 0 ||
	    wave->jobs <= fs->memory_bytes / arena)
		return wave->jobs;
	return fs->memory_bytes / arena ? (uint32_t)(fs->memory_bytes / arena)
					: 1;
}

static size_t add_view(struct mx_foresight *fs, struct mx_wave *wave,
		       size_t count)
{
	struct mx_wave_view *view = &fs->views[count];
	const uint32_t jobs = together(fs, wave);

	*view = (struct mx_wave_view){
		.arrival_ns = wave->arrival_ns,
		.read_ns = wave->absent_ns,
		.compute_ns = mx_wave_compute_ns(fs, wave),
		.tail_ns = wave->absent_ns ? mx_wave_tail_ns(fs, wave) : 0,
		.jobs = jobs,
		.blocked = wave->blocked,
		.user = wave,
	};
	if (jobs < wave->jobs)
		view->compute_ns = view->compute_ns / wave->jobs * jobs;
	return count + 1;
}

static int is_overdue(const struct mx_foresight *fs, const struct mx_wave *wave)
{
	const uint64_t now_ns = mx_board_now(fs->board);
	const struct mx_board_net *net = wave->net->net;
	const uint64_t own_ns =
		net->read_ns > net->compute_ns ? net->read_ns : net->compute_ns;

	return now_ns > wave->arrival_ns &&
	       (now_ns - wave->arrival_ns) / MX_FORESIGHT_AGEING > own_ns;
}

int mx_foresight_can_begin(const struct mx_foresight *fs,
			   struct mx_wave_net *net,
			   const struct mx_board_job *job)
{
	return mx_board_running_count(fs->board) < RUNNING_MAX &&
	       mx_board_fits(fs->board, job) &&
	       (mx_wave_joinable(fs, net) ||
		(fs->running_waves < WAVES_MAX && mx_wave_free_slot(net)));
}

/* The pending wave is what waits; it is made and ended here. */
static void refresh_pending(struct mx_foresight *fs, struct mx_wave_net *net)
{
	struct mx_wave *wave = &net->waves[MX_WAVE_PENDING];
	const struct mx_board_job *first =
		mx_board_waiting(fs->board, net->index);

	if (!first) {
		wave->net = NULL;
		return;
	}
	if (!wave->net)
		mx_wave_open(fs, net, wave);
	wave->jobs = (uint32_t)mx_board_waiting_count(fs->board, net->index);
	wave->arrival_ns = first->arrival_ns;
	wave->blocked = !mx_foresight_can_begin(fs, net, first);
	fs->any_blocked |= wave->blocked;
	fs->overdue_waits |= wave->blocked && is_overdue(fs, wave);
}

static void rank(struct mx_foresight *fs)
{
	size_t count = 0;
	uint32_t i, k;

	fs->dirty = 0;
	fs->any_blocked = 0;
	fs->overdue_waits = 0;
	fs->any_overdue = 0;
	for (i = 0; i < fs->net_count; i++)
		refresh_pending(fs, &fs->nets[i]);
	for (i = 0; i < fs->net_count; i++) {
		struct mx_wave *waves = fs->nets[i].waves;

		waves[MX_WAVE_PENDING].blocked |= fs->overdue_waits;
		for (k = 0; k < MX_WAVES_PER_NET; k++) {
			if (!waves[k].net)
				continue;
			count = add_view(fs, &waves[k], count);
			fs->any_overdue |= is_overdue(fs, &waves[k]);
		}
	}
	mx_foresight_order(fs->views, count, mx_board_now(fs->board));
	for (i = 0; i < count; i++) {
		fs->order[i] = fs->views[i].user;
		fs->order[i]->rank = i;
	}
	fs->order_count = (uint32_t)count;
}

static void admitted(struct mx_foresight *fs, struct mx_board_job *job)
{
	struct mx_wave_net *net = &fs->nets[job->net];
	struct mx_wave *wave = mx_wave_joinable(fs, net);

	if (!wave) {
		wave = mx_wave_free_slot(net);
		assert(wave);
		mx_wave_open(fs, net, wave);
		fs->running_waves++;
	}
	job->tag = wave;
	wave->jobs++;
	mx_wave_look_again(fs, wave);
	fs->dirty = 1;
}

static void ended(struct mx_foresight *fs, struct mx_board_job *job)
{
	struct mx_wave *wave = mx_wave_of(job);

	fs->dirty = 1;
	job->tag = NULL;
	if (!wave)
		return;
	assert(wave->jobs > 0);
	if (--wave->jobs == 0)
		mx_wave_close(fs, wave);
	else
		mx_wave_look_again(fs, wave);
}

/* A HELD job that is worth reading for has this for a tag. */
static char likely_tag;

static void held(struct mx_foresight *fs, struct mx_board_job *job)
{
	if (job->chance < LIKELY)
		return;
	job->tag = &likely_tag;
	fs->nets[job->net].likely++;
}

static void not_held(struct mx_foresight *fs, struct mx_board_job *job)
{
	if (job->tag != &likely_tag)
		return;
	job->tag = NULL;
	fs->nets[job->net].likely--;
}

static void arrived(struct mx_foresight *fs, struct mx_board_job *job)
{
	job->tag = NULL;
	if (job->state == MX_JOB_HELD)
		held(fs, job);
	else
		fs->dirty = 1;
}

static void foresight_event(void *state, const struct mx_board *board,
			    const struct mx_board_event *event)
{
	struct mx_foresight *fs = state;
	struct mx_board_job *job = event->job;

	(void)board;
	mx_trial_event(fs, event);
	switch (event->kind) {
	case MX_EVENT_ARRIVED:
		arrived(fs, job);
		break;
	case MX_EVENT_RELEASED:
		not_held(fs, job);
		fs->dirty = 1;
		break;
	case MX_EVENT_ADMITTED:
		admitted(fs, job);
		break;
	case MX_EVENT_LOAD:
		mx_wave_unit_changed(&fs->nets[event->unit.net],
				     event->unit.unit, 0);
		break;
	case MX_EVENT_DROPPED:
		mx_wave_unit_changed(&fs->nets[event->unit.net],
				     event->unit.unit, 1);
		break;
	case MX_EVENT_STEP_DONE:
		if (mx_wave_of(job))
			mx_wave_look_again(fs, mx_wave_of(job));
		break;
	case MX_EVENT_LOADED: /* It may go now, ... */
	case MX_EVENT_LAYER_DONE: /* ... or an arena has shrunk. */
		fs->dirty |= fs->any_blocked;
		break;
	case MX_EVENT_ENDED:
		not_held(fs, job);
		ended(fs, job);
		break;
	default:
		break;
	}
}

static uint64_t distance(const struct mx_wave_net *net, uint32_t from,
			 uint32_t unit)
{
	const uint64_t read = net->read_before[unit] - net->read_before[from];
	const uint64_t compute = net->compute_before[net->first_step[unit]] -
				 net->compute_before[net->first_step[from]];
	const uint64_t ns = read > compute ? read : compute;

	return ns < DISTANCE_MAX ? ns : DISTANCE_MAX;
}

uint64_t mx_foresight_use(const struct mx_wave *wave, uint32_t unit)
{
	return (wave->rank << RANK_SHIFT) +
	       distance(wave->net, wave->unit, unit);
}

/* Is it worth keeping? */
static int is_kept(const struct mx_foresight *fs, const struct mx_wave_net *net,
		   uint32_t unit)
{
	return net->keep_before[unit] < fs->keep_bytes;
}

static uint64_t foresight_next_use(void *state, const struct mx_board *board,
				   struct mx_unit_ref ref)
{
	const struct mx_foresight *fs = state;
	const struct mx_wave_net *net = &fs->nets[ref.net];
	const struct mx_wave *pending = &net->waves[MX_WAVE_PENDING];
	uint64_t least = MX_USE_NEVER;
	uint32_t i;

	(void)board;
	for (i = 0; i < MX_WAVES_PER_NET; i++) {
		const struct mx_wave *wave = &net->waves[i];
		uint64_t use;

		if (!wave->net || ref.unit < wave->unit)
			continue;
		use = mx_foresight_use(wave, ref.unit);
		if ((!pending->net || pending->rank == 0) &&
		    !is_kept(fs, net, ref.unit) &&
		    net->bytes_before[ref.unit] -
				    net->bytes_before[wave->unit] >
			    fs->ring_bytes)
			use += FAR_USE;
		if (use < least)
			least = use;
	}
	if (least != MX_USE_NEVER)
		return least;
	if (net->likely)
		return LIKELY_USE;
	return net->keep_before[ref.unit] +
	       (is_kept(fs, net, ref.unit) ? KEPT_USE : IDLE_USE);
}

/* The first unit of a network that may be wanted, if it is ABSENT. */
static int load_likely(const struct mx_foresight *fs, struct mx_unit_ref *out,
		       uint64_t *use)
{
	uint32_t i, k;

	for (i = 0; i < fs->net_count; i++) {
		const struct mx_wave_net *net = &fs->nets[i];

		for (k = 0; net->likely && k < net->net->unit_count; k++) {
			if (!mx_wave_is_absent(fs, net, k))
				continue;
			*out = mx_wave_ref(net, k);
			*use = LIKELY_USE;
			return 1;
		}
	}
	return 0;
}

/* Does admitting another job leave the others room to read ahead? */
static int leaves_a_ring(const struct mx_foresight *fs,
			 const struct mx_wave_net *net)
{
	struct mx_residency_totals totals;
	uint64_t taken;

	if (fs->memory_bytes == MX_RESIDENCY_UNLIMITED)
		return 1;
	mx_residency_totals(mx_board_residency(fs->board), &totals);
	taken = totals.pinned_bytes + totals.arena_bytes +
		net->net->arena_bytes;
	return taken + fs->ring_bytes <= totals.capacity_bytes;
}

/*
 * The pending wave's first job, if it can be admitted now. The first in rank
 * is admitted as soon as it fits; one that is behind others only when it has
 * something to compute at once and leaves them their ring.
 */
static struct mx_board_job *to_admit(struct mx_foresight *fs,
				     const struct mx_wave *wave)
{
	struct mx_wave_net *net = wave->net;
	struct mx_board_job *job = mx_board_waiting(fs->board, net->index);

	if (!job || !mx_foresight_can_begin(fs, net, job))
		return NULL;
	if (wave->rank > 0 &&
	    (!mx_wave_is_resident(fs, net, mx_wave_unit_at(net, 0)) ||
	     !leaves_a_ring(fs, net)))
		return NULL;
	return job;
}

/* Another job for the wave of @job, if that has only begun: there are few, and
 * a wave begins once, so they may pass one that is overdue. */
static struct mx_board_job *companion(struct mx_foresight *fs,
				      const struct mx_board_job *job)
{
	struct mx_wave_net *net = &fs->nets[job->net];
	struct mx_board_job *other = mx_board_waiting(fs->board, net->index);

	if (!other || mx_wave_of(job)->unit != mx_wave_unit_at(net, 0) ||
	    !mx_foresight_can_begin(fs, net, other) || !leaves_a_ring(fs, net))
		return NULL;
	return other;
}

/* The first in rank, if it waits to be admitted: its place is taken before its
 * units are, so that they do not lie in it. */
static struct mx_board_job *first_admitted(struct mx_foresight *fs)
{
	const struct mx_wave *wave = fs->order_count ? fs->order[0] : NULL;

	if (!wave || !wave->net || wave->blocked ||
	    wave != &wave->net->waves[MX_WAVE_PENDING])
		return NULL;
	return to_admit(fs, wave);
}

/* What has been read ahead for the wave and is not worth keeping: what of the
 * ring it fills. (More than the ring is as good as all.) */
static uint64_t ahead_of(const struct mx_foresight *fs,
			 const struct mx_wave *wave)
{
	const struct mx_wave_net *net = wave->net;
	uint64_t sum = 0;
	uint32_t i;

	if (!net)
		return 0;
	for (i = wave->cursor; i-- > wave->unit && sum <= fs->ring_bytes;)
		if (!is_kept(fs, net, i))
			sum += net->net->units[i].size_bytes;
	return sum;
}

static int foresight_next_load(void *state, const struct mx_board *board,
			       struct mx_unit_ref *out, uint64_t *use)
{
	struct mx_foresight *fs = state;
	uint64_t ahead = 0;
	uint32_t i;
	int found;

	(void)board;
	if (fs->dirty)
		rank(fs);
	/* Nothing keeps the first from being admitted: then its units must not
	 * lie, and fly, where its arena would. */
	if (fs->running_waves == 0 && first_admitted(fs))
		return 0;
	if (mx_moves_try_loads(fs, out, use, &found))
		return found;
	for (i = 0; i < fs->order_count; i++) {
		struct mx_wave *wave = fs->order[i];
		const uint32_t end = wave->net ? wave->net->net->unit_count : 0;

		while (wave->cursor < end &&
		       !mx_wave_is_absent(fs, wave->net, wave->cursor))
			wave->cursor++;
		if (ahead <= fs->ring_bytes)
			ahead += ahead_of(fs, wave);
		if (wave->cursor >= end)
			continue;
		*out = mx_wave_ref(wave->net, wave->cursor);
		*use = mx_foresight_use(wave, wave->cursor);
		/* Kept or not: or it would take the place of what the wave
		 * needs sooner, and that its place in turn. */
		if (ahead > fs->ring_bytes ||
		    wave->net->bytes_before[wave->cursor] -
				    wave->net->bytes_before[wave->unit] >
			    fs->ring_bytes)
			*use += FAR_USE;
		return 1;
	}
	return load_likely(fs, out, use);
}

static int goes_before(const struct mx_board_job *a,
		       const struct mx_board_job *b)
{
	if (mx_wave_of(a)->rank != mx_wave_of(b)->rank)
		return mx_wave_of(a)->rank < mx_wave_of(b)->rank;
	if (a->next_step != b->next_step)
		return a->next_step > b->next_step;
	return a->id < b->id;
}

static struct mx_board_job *first_ready(const struct mx_foresight *fs)
{
	struct mx_board_job *best = NULL;
	struct mx_board_job *job;

	for (job = mx_board_running(fs->board); job; job = job->next)
		if (mx_board_is_ready(fs->board, job) &&
		    (!best || goes_before(job, best)))
			best = job;
	return best;
}

static struct mx_board_job *foresight_next_help(void *state,
						const struct mx_board *board)
{
	struct mx_foresight *fs = state;
	struct mx_board_job *ready;
	struct mx_board_job *other;
	uint32_t i;

	(void)board;
	if (fs->dirty)
		rank(fs);
	other = first_admitted(fs);
	if (other)
		return other;
	if (mx_moves_try_helps(fs, &other))
		return other;
	ready = first_ready(fs);
	for (i = 0; i < fs->order_count && !fs->overdue_waits; i++) {
		const struct mx_wave *wave = fs->order[i];

		if (ready && mx_wave_of(ready)->rank <= i)
			break;
		if (!wave->net || wave != &wave->net->waves[MX_WAVE_PENDING] ||
		    wave->blocked)
			continue;
		other = to_admit(fs, wave);
		if (other)
			return other;
	}
	other = ready ? companion(fs, ready) : NULL;
	return other ? other : ready;
}

const struct mx_policy mx_policy_foresight = {
	.name = "foresight",
	.summary = "shortest remaining time first, one read for all jobs of a "
		   "network, eviction by next use",
	.init = foresight_init,
	.fini = foresight_fini,
	.event = foresight_event,
	.next_help = foresight_next_help,
	.next_load = foresight_next_load,
	.next_use = foresight_next_use,
	.idle_use = FAR_USE,
};
