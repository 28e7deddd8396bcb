/* wrap: calloc */
#include "lib/arena.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/err.h"
#include "lib/network.h"
#include "tests/check.h"

static int calls_until_failure = -1;

void *__real_calloc(size_t count, size_t each);
void *__wrap_calloc(size_t count, size_t each);

void *__wrap_calloc(size_t count, size_t each)
{
	if (calls_until_failure >= 0 && calls_until_failure-- == 0)
		return NULL;
	return __real_calloc(count, each);
}

#define MOST 64

/* A network with only what the arena looks at. */
struct skeleton {
	struct mx_network net;
	struct mx_tensor tensors[MOST];
	struct mx_layer layers[MOST];
	uint32_t in[MOST][2];
	uint32_t out[MOST];
	struct mx_input input;
	uint32_t output;
};

static void add_tensor(struct skeleton *s, size_t elems)
{
	const uint32_t i = s->net.tensor_count++;

	s->tensors[i] = (struct mx_tensor){
		.shape = {1, {elems}},
		.root = i,
	};
}

static void add_layer(struct skeleton *s, uint32_t a, uint32_t b, uint32_t out)
{
	const uint32_t i = s->net.layer_count++;

	s->in[i][0] = a;
	s->in[i][1] = b;
	s->out[i] = out;
	s->layers[i].in = s->in[i];
	s->layers[i].in_count = b == MX_NONE ? 1 : 2;
	s->layers[i].out = &s->out[i];
	s->layers[i].out_count = 1;
}

static void begin(struct skeleton *s)
{
	*s = (struct skeleton){0};
	s->net.tensors = s->tensors;
	s->net.layers = s->layers;
	s->net.inputs = &s->input;
	s->net.input_count = 1;
	s->net.outputs = &s->output;
	s->net.output_count = 1;
}

static void assert_no_live_overlap(const struct mx_arena *arena,
				   const struct skeleton *s)
{
	uint32_t i, k;

	for (i = 0; i < s->net.tensor_count; i++)
		for (k = 0; k < i; k++) {
			const size_t a = arena->offset_bytes[i];
			const size_t b = arena->offset_bytes[k];

			if (!arena->size_bytes[i] || !arena->size_bytes[k] ||
			    arena->first_layer[i] > arena->last_layer[k] ||
			    arena->first_layer[k] > arena->last_layer[i])
				continue;
			assert_true(a + arena->size_bytes[i] <= b ||
				    b + arena->size_bytes[k] <= a);
		}
}

static void a_chain_needs_its_largest_pair(void **state)
{
	static const size_t elems[] = {16, 1600, 320, 160, 16};
	struct skeleton s;
	struct mx_arena arena;
	uint32_t i;

	(void)state;
	begin(&s);
	for (i = 0; i < 5; i++)
		add_tensor(&s, elems[i]);
	for (i = 0; i < 4; i++)
		add_layer(&s, i, MX_NONE, i + 1);
	s.output = 4;
	assert_int_equal(mx_arena_init(&arena, &s.net, NULL), 0);
	assert_no_live_overlap(&arena, &s);
	assert_int_equal(arena.lower_bound_bytes, (1600 + 320) * 4);
	assert_int_equal(arena.peak_layer, 1);
	assert_int_equal(arena.total_bytes, arena.lower_bound_bytes);
	mx_arena_fini(&arena);
}

static void a_tensor_in_anothers_memory_takes_none(void **state)
{
	struct skeleton s;
	struct mx_arena arena;

	(void)state;
	begin(&s);
	add_tensor(&s, 100);
	add_tensor(&s, 100);
	add_tensor(&s, 100);
	s.tensors[2].root = 1;
	add_layer(&s, 0, MX_NONE, 1);
	add_layer(&s, 1, MX_NONE, 2);
	s.output = 2;
	assert_int_equal(mx_arena_init(&arena, &s.net, NULL), 0);
	assert_int_equal(arena.size_bytes[2], 0);
	assert_int_equal(arena.size_bytes[1], 448);
	assert_int_equal(arena.total_bytes, 2 * 448);
	mx_arena_fini(&arena);
}

static void random_graphs_never_overlap(void **state)
{
	struct skeleton s;
	struct mx_arena arena;
	uint32_t seed = 1;
	int round;
	uint32_t i;

	(void)state;
	for (round = 0; round < 50; round++) {
		begin(&s);
		add_tensor(&s, 50);
		for (i = 1; i < MOST; i++) {
			seed = seed * 1103515245u + 12345u;
			add_tensor(&s, 1 + (seed >> 16) % 5000);
			add_layer(&s, (seed >> 8) % i, i - 1, i);
		}
		s.output = MOST - 1;
		assert_int_equal(mx_arena_init(&arena, &s.net, NULL), 0);
		assert_no_live_overlap(&arena, &s);
		assert_true(arena.total_bytes >= arena.lower_bound_bytes);
		assert_true(arena.total_bytes <= 2 * arena.lower_bound_bytes);
		mx_arena_fini(&arena);
	}
}

static void no_memory_is_an_error_at_every_call(void **state)
{
	struct skeleton s;
	struct mx_arena arena;
	struct mx_err err;
	int n;

	(void)state;
	begin(&s);
	s.net.name = (char *)(uintptr_t) "net";
	add_tensor(&s, 10);
	add_tensor(&s, 10);
	add_layer(&s, 0, MX_NONE, 1);
	s.output = 1;
	for (n = 0;; n++) {
		int rc;

		calls_until_failure = n;
		rc = mx_arena_init(&arena, &s.net, &err);
		calls_until_failure = -1;
		if (rc == 0)
			break;
		assert_int_equal(rc, -ENOMEM);
		assert_string_equal(err.text,
				    "net: no memory to plan activations");
		assert_null(arena.offset_bytes);
	}
	assert_int_equal(n, 7);
	mx_arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chain_needs_its_largest_pair),
		cmocka_unit_test(a_tensor_in_anothers_memory_takes_none),
		cmocka_unit_test(random_graphs_never_overlap),
		cmocka_unit_test(no_memory_is_an_error_at_every_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
