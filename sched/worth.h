/*
 * Which of a network's units are the most worth keeping, for the plan (pin.c)
 * and for foresight (foresight_keep.c): those with the least computing for
 * their bytes, in steps of a factor of two, and among equals spread evenly, as
 * FlexInfer (2025) found best.
 */
#ifndef MX_SCHED_WORTH_H
#define MX_SCHED_WORTH_H

#include <stdint.h>

/* The whole part of the logarithm to base 2; of 0: 0. */
static inline uint32_t mx_worth_log2(uint64_t x)
{
	uint32_t n = 0;

	while (x >>= 1)
		n++;
	return n;
}

/* A unit's place among equals: the bits of its index reversed. */
static inline uint32_t mx_worth_spread(uint32_t index)
{
	uint32_t out = 0;
	int i;

	for (i = 0; i < 32; i++)
		out |= (index >> i & 1) << (31 - i);
	return out;
}

#endif
