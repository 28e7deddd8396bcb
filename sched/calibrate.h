/*
 * Calibrating the cost model: this machine's rates, in some milliseconds and
 * with at most MX_CALIBRATE_BYTES_MAX of memory, so that it can be done inside
 * a small budget before anything else.
 */
#ifndef MX_SCHED_CALIBRATE_H
#define MX_SCHED_CALIBRATE_H

#include <stddef.h>
#include <stdint.h>

struct mx_err;
struct mx_rates;

#define MX_CALIBRATE_BYTES_MAX ((size_t)1 << 20)

/*
 * Measure what @threads threads reach together, threads > 0: arithmetic by a
 * small convolution, computed directly, on the calling thread, times @threads;
 * memory by that many
 * threads, started for it, that read a buffer dropped from the caches. What
 * else runs on the machine is measured along.
 *
 * Returns 0, -ENOMEM, or -EAGAIN when threads cannot be had.
 */
int mx_calibrate(uint32_t threads, struct mx_rates *rates, struct mx_err *err);

#endif
