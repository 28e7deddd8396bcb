/*
 * Checked sizes: every number that comes from a model goes through here
 * before it meets malloc, mmap or a loop.
 */
#ifndef MX_LIB_SIZE_H
#define MX_LIB_SIZE_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

/* *@out = @a * @b. Returns 0, or -EOVERFLOW and leaves *@out alone. */
static inline int mx_size_mul(size_t a, size_t b, size_t *out)
{
	size_t product;

	if (__builtin_mul_overflow(a, b, &product))
		return -EOVERFLOW;
	*out = product;
	return 0;
}

/* *@out = @a + @b. Returns 0, or -EOVERFLOW and leaves *@out alone. */
static inline int mx_size_add(size_t a, size_t b, size_t *out)
{
	size_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return -EOVERFLOW;
	*out = sum;
	return 0;
}

/* As mx_size_mul(), for sizes in files. */
static inline int mx_u64_mul(uint64_t a, uint64_t b, uint64_t *out)
{
	uint64_t product;

	if (__builtin_mul_overflow(a, b, &product))
		return -EOVERFLOW;
	*out = product;
	return 0;
}

/* As mx_size_add(), for sizes in files. */
static inline int mx_u64_add(uint64_t a, uint64_t b, uint64_t *out)
{
	uint64_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return -EOVERFLOW;
	*out = sum;
	return 0;
}

/* @a / @b rounded up; @b is not 0. */
static inline size_t mx_size_div_up(size_t a, size_t b)
{
	return a / b + (a % b != 0);
}

/* @a rounded up to a multiple of @unit; the caller knows that it fits. */
static inline size_t mx_size_round_up(size_t a, size_t unit)
{
	return mx_size_div_up(a, unit) * unit;
}

static inline size_t mx_size_min(size_t a, size_t b)
{
	return a < b ? a : b;
}

static inline size_t mx_size_max(size_t a, size_t b)
{
	return a > b ? a : b;
}

static inline uint64_t mx_u64_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t mx_u64_max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

#endif
