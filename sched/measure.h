/*
 * Measuring what forecasts rest on: each layer's time for 1 .. n threads,
 * through the engine. (A storage's: sched/probe.h.)
 *
 * Threads: the functions keep no state; each call makes engines of its own.
 * What else runs on the machine is measured along.
 */
#ifndef MX_SCHED_MEASURE_H
#define MX_SCHED_MEASURE_H

#include <stddef.h>
#include <stdint.h>

struct mx_err;
struct mx_log;
struct mx_network;

/* Called before each run; non-zero stops the measuring. */
typedef int mx_measure_progress_fn(void *user, uint32_t done, uint32_t total);

struct mx_measure_opts {
	uint32_t threads; /* measure 1 .. threads; at least 1 */
	uint32_t repeats; /* runs for each, beside one to warm up; at least 1 */
	uint64_t budget_bytes; /* as struct mx_engine_opts */
	const char *io; /* likewise */
	const struct mx_log *log;
	mx_measure_progress_fn *progress; /* NULL: none */
	void *progress_user;
};

/*
 * Measure every layer of bound, mapped network @net: layer_count values for 1
 * thread, then for 2, ... into @layer_ns (threads * layer_count values). Each
 * is the wall-clock time in nanoseconds that the layer takes that many workers
 * when its weights are there, of the repeat whose computing took the median
 * time; at least 1.
 *
 * Returns 0; -ECANCELED if @progress says stop; what mx_engine_open(),
 * mx_engine_start() or a job return.
 */
int mx_measure_layers(const struct mx_network *net,
		      const struct mx_measure_opts *opts, uint64_t *layer_ns,
		      struct mx_err *err);

/*
 * From the worker time of each layer (mx_job_layer_ns()) to its wall-clock
 * time with @threads workers: the even share, longer by what chunks that do
 * not divide evenly cost (mx_cost_imbalance()); all then scaled so that they
 * add up to @total_ns, the wall-clock time of them together, unless that is 0.
 * @worker_ns and @wall_ns may be the same array. Values are at least 1.
 */
void mx_measure_spread(const struct mx_network *net, const uint64_t *worker_ns,
		       uint32_t threads, uint64_t total_ns, uint64_t *wall_ns);

#endif
