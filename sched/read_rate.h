/*
 * Read rate: does the storage read as fast as the networks' costs say? What
 * reads should have taken is held against how long they were in flight, and
 * the networks are corrected when that is far off. So that a policy weighs
 * reading against computing by what the storage does, and not by what somebody
 * assumed of it.
 *
 * Threads: one at a time.
 */
#ifndef MX_SCHED_READ_RATE_H
#define MX_SCHED_READ_RATE_H

#include <stdint.h>

struct mx_board_net;

/* So much is read before it is judged again. */
#define MX_READ_RATE_BYTES ((uint64_t)16 << 20)
/* What is off by less stays. */
#define MX_READ_RATE_TOLERANCE 1.5

struct mx_read_rate {
	uint64_t expected_ns; /* of the reads since it was last judged */
	uint64_t bytes; /* they read */
	uint64_t busy_ns; /* the storage's, when it was last judged */
};

/* A read of @bytes is over that should have taken @expected_ns. Returns 1 when
 * it is time for mx_read_rate_judge(). */
int mx_read_rate_add(struct mx_read_rate *rate, uint64_t bytes,
		     uint64_t expected_ns);

/*
 * Reads were in flight for @busy_ns, all in all. Returns by what factor read
 * times are to be multiplied: 1 if they are good enough.
 */
double mx_read_rate_judge(struct mx_read_rate *rate, uint64_t busy_ns);

/* Multiply the read times of a network by @factor. */
void mx_read_rate_apply(struct mx_board_net *net, double factor);

#endif
