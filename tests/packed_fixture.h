/*
 * The model fixture's structure as model.pb has it, and the means to make a
 * changed one pass for whole.
 */
#ifndef MX_TESTS_PACKED_FIXTURE_H
#define MX_TESTS_PACKED_FIXTURE_H

#include "tests/model_fixture.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "loader/model_impl.h"

/* The fixture's bytes, the caller's. */
static inline unsigned char *fixture_packed(struct fixture *fx, size_t *size)
{
	unsigned char *bytes;

	fixture_write(fx);
	assert_int_equal(mx_network_pack(&fx->net, &bytes, size, NULL), 0);
	return bytes;
}

/* Make the trailer right, as an attacker would. */
static inline void fixture_sign(unsigned char *bytes, size_t size)
{
	uint64_t hash = XXH3_64bits(bytes, size - MX_MODEL_TRAILER_BYTES);
	size_t i;

	bytes[size - MX_MODEL_TRAILER_BYTES] = MX_MODEL_HASH_TAG;
	for (i = size - MX_MODEL_TRAILER_BYTES + 1; i < size; i++, hash >>= 8)
		bytes[i] = (unsigned char)hash;
}

#endif
