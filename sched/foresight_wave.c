#include "sched/foresight_impl.h"

#include <errno.h>
#include <stdlib.h>

struct mx_wave *mx_wave_of(const struct mx_board_job *job)
{
	return job->state == MX_JOB_HELD || job->state == MX_JOB_WAITING
		       ? NULL
		       : job->tag;
}

struct mx_unit_ref mx_wave_ref(const struct mx_wave_net *net, uint32_t unit)
{
	return (struct mx_unit_ref){.net = net->index, .unit = unit};
}

int mx_wave_is_absent(const struct mx_foresight *fs,
		      const struct mx_wave_net *net, uint32_t unit)
{
	return mx_residency_state(mx_board_residency(fs->board),
				  mx_wave_ref(net, unit)) == MX_UNIT_ABSENT;
}

static void measure(struct mx_wave_net *net)
{
	const struct mx_board_net *of = net->net;
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < of->unit_count; i++) {
		net->read_before[i] = sum;
		net->bytes_before[i + 1] =
			net->bytes_before[i] + of->units[i].size_bytes;
		sum += of->units[i].read_ns;
	}
	net->read_before[of->unit_count] = sum;
	sum = 0;
	for (i = of->step_count; i-- > 0;)
		if (of->steps[i].unit != MX_STEP_NONE)
			net->first_step[of->steps[i].unit] = i;
	for (i = 0; i < of->step_count; i++) {
		net->compute_before[i] = sum;
		sum += of->steps[i].ns;
	}
	net->compute_before[of->step_count] = sum;
}

int mx_wave_net_init(struct mx_wave_net *net, const struct mx_board_net *of,
		     uint32_t index)
{
	net->net = of;
	net->index = index;
	net->read_before =
		calloc((size_t)of->unit_count + 1, sizeof(*net->read_before));
	net->first_step =
		calloc((size_t)of->unit_count + 1, sizeof(*net->first_step));
	net->compute_before = calloc((size_t)of->step_count + 1,
				     sizeof(*net->compute_before));
	net->bytes_before =
		calloc((size_t)of->unit_count + 1, sizeof(*net->bytes_before));
	net->keep_before =
		calloc((size_t)of->unit_count + 1, sizeof(*net->keep_before));
	if (!net->read_before || !net->first_step || !net->compute_before ||
	    !net->bytes_before || !net->keep_before)
		return -ENOMEM;
	measure(net);
	return 0;
}

uint32_t mx_wave_unit_at(const struct mx_wave_net *net, uint32_t step)
{
	const struct mx_board_net *of = net->net;

	while (step < of->step_count && of->steps[step].unit == MX_STEP_NONE)
		step++;
	return step < of->step_count ? of->steps[step].unit : of->unit_count;
}

static uint64_t absent_from(const struct mx_foresight *fs,
			    const struct mx_wave_net *net, uint32_t unit)
{
	uint64_t sum = 0;

	for (; unit < net->net->unit_count; unit++)
		if (mx_wave_is_absent(fs, net, unit))
			sum += net->net->units[unit].read_ns;
	return sum;
}

void mx_wave_open(const struct mx_foresight *fs, struct mx_wave_net *net,
		  struct mx_wave *wave)
{
	*wave = (struct mx_wave){
		.net = net,
		.unit = mx_wave_unit_at(net, 0),
		.arrival_ns = MX_TIME_NEVER,
		.absent_ns = absent_from(fs, net, 0),
	};
}

/* What a unit's coming or going means to the waves that need it. */
void mx_wave_unit_changed(struct mx_wave_net *net, uint32_t unit, int is_back)
{
	const uint64_t ns = net->net->units[unit].read_ns;
	uint32_t i;

	for (i = 0; i < MX_WAVES_PER_NET; i++) {
		struct mx_wave *wave = &net->waves[i];

		if (!wave->net || unit < wave->unit)
			continue;
		if (is_back) {
			wave->absent_ns += ns;
			if (unit < wave->cursor)
				wave->cursor = unit;
		} else {
			wave->absent_ns -=
				ns < wave->absent_ns ? ns : wave->absent_ns;
		}
	}
}

struct mx_wave *mx_wave_joinable(const struct mx_foresight *fs,
				 struct mx_wave_net *net)
{
	const uint32_t first = mx_wave_unit_at(net, 0);
	struct mx_wave *best = NULL;
	uint32_t i;

	for (i = MX_WAVE_PENDING + 1; i < MX_WAVES_PER_NET; i++) {
		struct mx_wave *wave = &net->waves[i];
		uint32_t unit = first;

		if (!wave->net)
			continue;
		while (unit < wave->unit && !mx_wave_is_absent(fs, net, unit))
			unit++;
		if (unit >= wave->unit && (!best || wave->unit < best->unit))
			best = wave;
	}
	return best;
}

struct mx_wave *mx_wave_free_slot(struct mx_wave_net *net)
{
	uint32_t i;

	for (i = MX_WAVE_PENDING + 1; i < MX_WAVES_PER_NET; i++)
		if (!net->waves[i].net)
			return &net->waves[i];
	return NULL;
}

/* What is left to read when the wave's first unit becomes @unit. */
static uint64_t absent_change(const struct mx_foresight *fs,
			      const struct mx_wave *wave, uint32_t unit)
{
	const struct mx_wave_net *net = wave->net;
	uint64_t sum = wave->absent_ns;
	uint32_t i;

	if (unit < wave->unit)
		return absent_from(fs, net, unit);
	for (i = wave->unit; i < unit; i++)
		if (mx_wave_is_absent(fs, net, i))
			sum -= net->net->units[i].read_ns < sum
				       ? net->net->units[i].read_ns
				       : sum;
	return sum;
}

void mx_wave_close(struct mx_foresight *fs, struct mx_wave *wave)
{
	wave->net = NULL;
	fs->running_waves--;
	fs->dirty = 1;
}

/* Another wave at the same place: its jobs are this one's. */
static void merge(struct mx_foresight *fs, struct mx_wave *wave,
		  struct mx_wave *other)
{
	struct mx_board_job *job;

	for (job = mx_board_running(fs->board); job; job = job->next)
		if (mx_wave_of(job) == other)
			job->tag = wave;
	wave->jobs += other->jobs;
	if (other->arrival_ns < wave->arrival_ns)
		wave->arrival_ns = other->arrival_ns;
	mx_wave_close(fs, other);
}

void mx_wave_look_again(struct mx_foresight *fs, struct mx_wave *wave)
{
	struct mx_wave_net *net = wave->net;
	const struct mx_board_job *job;
	uint32_t unit = net->net->unit_count;
	uint32_t i;

	wave->arrival_ns = MX_TIME_NEVER;
	for (job = mx_board_running(fs->board); job; job = job->next) {
		uint32_t at;

		if (mx_wave_of(job) != wave)
			continue;
		if (job->arrival_ns < wave->arrival_ns)
			wave->arrival_ns = job->arrival_ns;
		at = mx_wave_unit_at(net, job->next_step);
		if (at < unit)
			unit = at;
	}
	if (unit == wave->unit)
		return;
	if (unit < wave->unit)
		wave->cursor = unit;
	wave->absent_ns = absent_change(fs, wave, unit);
	wave->unit = unit;
	if (wave->cursor < wave->unit)
		wave->cursor = wave->unit;
	for (i = MX_WAVE_PENDING + 1; i < MX_WAVES_PER_NET; i++)
		if (&net->waves[i] != wave && net->waves[i].net &&
		    net->waves[i].unit == unit)
			merge(fs, wave, &net->waves[i]);
}

uint64_t mx_wave_compute_ns(const struct mx_foresight *fs,
			    const struct mx_wave *wave)
{
	const struct mx_wave_net *net = wave->net;
	const uint64_t whole = net->net->compute_ns;
	const struct mx_board_job *job;
	uint64_t sum = 0;

	if (wave == &net->waves[MX_WAVE_PENDING])
		return wave->jobs * whole;
	for (job = mx_board_running(fs->board); job; job = job->next)
		if (mx_wave_of(job) == wave)
			sum += whole - net->compute_before[job->next_step];
	return sum;
}

uint64_t mx_wave_tail_ns(const struct mx_foresight *fs,
			 const struct mx_wave *wave)
{
	const struct mx_wave_net *net = wave->net;
	uint32_t unit = net->net->unit_count;

	while (unit > wave->unit && !mx_wave_is_absent(fs, net, unit - 1))
		unit--;
	if (unit == wave->unit || unit == 0)
		return 0;
	return net->net->compute_ns -
	       net->compute_before[net->first_step[unit - 1]];
}

void mx_wave_net_fini(struct mx_wave_net *net)
{
	free(net->read_before);
	free(net->first_step);
	free(net->compute_before);
	free(net->bytes_before);
	free(net->keep_before);
}

int mx_wave_is_resident(const struct mx_foresight *fs,
			const struct mx_wave_net *net, uint32_t unit)
{
	return unit >= net->net->unit_count ||
	       mx_residency_state(mx_board_residency(fs->board),
				  mx_wave_ref(net, unit)) == MX_UNIT_RESIDENT;
}
