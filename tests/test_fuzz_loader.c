/*
 * The fuzz target over a generated corpus: a valid structure, cut, spliced and
 * with bytes replaced by values that hurt, by a fixed generator.
 */
#include "tests/model_fixture.h"

#include "tests/fuzz_loader.c"

enum { ROUNDS = 20000, EDITS_MAX = 4 };

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static size_t edit(unsigned char *bytes, size_t size, uint32_t *seed)
{
	static const unsigned char hurtful[] = {0, 1, 0x7f, 0x80, 0xff, 0x2a};
	const size_t at = next_random(seed) % size;
	const size_t from = next_random(seed) % size;
	size_t len = next_random(seed) % 24;

	if (len > size - at)
		len = size - at;
	if (len > size - from)
		len = size - from;
	switch (next_random(seed) % 6) {
	case 0:
		bytes[at] = (unsigned char)next_random(seed);
		break;
	case 1:
		bytes[at] = hurtful[next_random(seed) % sizeof(hurtful)];
		break;
	case 2:
		bytes[at] ^= (unsigned char)(1u << next_random(seed) % 8);
		break;
	case 3:
		memmove(bytes + at, bytes + from, len);
		break;
	case 4: /* a piece is missing */
		memmove(bytes + at, bytes + at + len, size - at - len);
		return size - len > 1 ? size - len : size;
	default: /* a varint of ten bytes */
		memset(bytes + at, 0xff, len);
		break;
	}
	return size;
}

static void mutations_of_a_model_are_survived(void **state)
{
	struct fixture *fx = *state;
	unsigned char *valid;
	unsigned char *bytes;
	uint32_t seed = 20240229;
	size_t size;
	size_t now;
	uint32_t round;
	uint32_t edits;

	fixture_write(fx);
	assert_int_equal(mx_network_pack(&fx->net, &valid, &size, NULL), 0);
	size -= MX_MODEL_TRAILER_BYTES;
	bytes = malloc(size);
	for (round = 0; round < ROUNDS; round++) {
		memcpy(bytes, valid, size);
		now = size;
		edits = 1 + next_random(&seed) % EDITS_MAX;
		while (edits-- > 0)
			now = edit(bytes, now, &seed);
		assert_int_equal(LLVMFuzzerTestOneInput(bytes, now), 0);
	}
	free(bytes);
	free(valid);
}

static void noise_is_survived(void **state)
{
	unsigned char bytes[512];
	uint32_t seed = 7;
	uint32_t round;
	size_t i;

	(void)state;
	assert_int_equal(LLVMFuzzerTestOneInput(NULL, 0), 0);
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < sizeof(bytes); i++)
			bytes[i] = (unsigned char)next_random(&seed);
		/* A tag of ours first, or nothing gets far. */
		bytes[0] = (unsigned char)(next_random(&seed) % 11 * 8 + 2);
		assert_int_equal(LLVMFuzzerTestOneInput(
					 bytes, 1 + next_random(&seed) % 512),
				 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			mutations_of_a_model_are_survived, fixture_setup,
			fixture_teardown),
		cmocka_unit_test(noise_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
