/* wrap: calloc mmap */
#include "lib/frame.h"

#include <errno.h>
#include <math.h>

#include "lib/arena.h"
#include "lib/blas.h"
#include "lib/simd.h"
#include "tests/tiny_network.h"

static int calls_until_failure = -1;

static int fails(void)
{
	return calls_until_failure >= 0 && calls_until_failure-- == 0;
}

void *__real_calloc(size_t count, size_t each);
void *__wrap_calloc(size_t count, size_t each);
void *__real_mmap(void *at, size_t bytes, int protection, int flags, int fd,
		  off_t offset);
void *__wrap_mmap(void *at, size_t bytes, int protection, int flags, int fd,
		  off_t offset);

void *__wrap_calloc(size_t count, size_t each)
{
	return fails() ? NULL : __real_calloc(count, each);
}

void *__wrap_mmap(void *at, size_t bytes, int protection, int flags, int fd,
		  off_t offset)
{
	return fails() ? MAP_FAILED
		       : __real_mmap(at, bytes, protection, flags, fd, offset);
}

static void load(const struct mx_frame *frame)
{
	float input[TINY_IN];
	size_t i;

	for (i = 0; i < TINY_IN; i++)
		input[i] = tiny_input(i);
	mx_view_load(mx_frame_view(frame, 0), input);
}

static void a_frame_computes_the_network(void **state)
{
	struct tiny tiny;
	struct mx_arena arena;
	struct mx_frame *frame;
	const struct mx_blas *blas;
	float input[TINY_IN];
	double want[TINY_OUT];
	float got[TINY_OUT];
	size_t i;

	(void)state;
	tiny_open(&tiny);
	for (i = 0; i < TINY_IN; i++)
		input[i] = tiny_input(i);
	tiny_reference(input, want);
	assert_int_equal(mx_blas_open(&blas, NULL), 0);
	assert_int_equal(mx_arena_init(&arena, &tiny.net, NULL), 0);
	assert_int_equal(mx_frame_new(&frame, &tiny.net, &arena, NULL, NULL),
			 0);
	load(frame);
	assert_int_equal(mx_frame_run_all(frame, blas, mx_simd_best(), NULL),
			 0);
	mx_view_store(mx_frame_view(frame, 3), got);
	for (i = 0; i < TINY_OUT; i++)
		assert_true(fabs((double)got[i] - want[i]) <
			    1e-4 * fabs(want[i]) + 1e-4);
	mx_frame_free(frame);
	mx_arena_fini(&arena);
	tiny_close(&tiny);
}

static void memory_may_be_the_callers(void **state)
{
	struct tiny tiny;
	struct mx_arena arena;
	struct mx_frame *frame;
	void *memory;

	(void)state;
	tiny_open(&tiny);
	assert_int_equal(mx_arena_init(&arena, &tiny.net, NULL), 0);
	memory = aligned_alloc(MX_ARENA_ALIGN_BYTES, arena.total_bytes);
	assert_non_null(memory);
	assert_int_equal(mx_frame_new(&frame, &tiny.net, &arena, memory, NULL),
			 0);
	assert_in_range((uintptr_t)mx_frame_view(frame, 1)->data,
			(uintptr_t)memory,
			(uintptr_t)memory + arena.total_bytes - 1);
	/* In place: the same memory. */
	assert_ptr_equal(mx_frame_view(frame, 1)->data,
			 mx_frame_view(frame, 2)->data);
	mx_frame_free(frame);
	free(memory);
	mx_arena_fini(&arena);
	tiny_close(&tiny);
}

static void no_memory_is_an_error_at_every_call(void **state)
{
	struct tiny tiny;
	struct mx_arena arena;
	struct mx_frame *frame;
	struct mx_err err;
	int n;

	(void)state;
	tiny_open(&tiny);
	assert_int_equal(mx_arena_init(&arena, &tiny.net, NULL), 0);
	for (n = 0;; n++) {
		int rc;

		calls_until_failure = n;
		rc = mx_frame_new(&frame, &tiny.net, &arena, NULL, &err);
		calls_until_failure = -1;
		if (rc == 0)
			break;
		assert_int_equal(rc, -ENOMEM);
	}
	assert_int_equal(n, 5);
	mx_frame_free(frame);
	mx_arena_fini(&arena);
	tiny_close(&tiny);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_computes_the_network),
		cmocka_unit_test(memory_may_be_the_callers),
		cmocka_unit_test(no_memory_is_an_error_at_every_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
