/* wrap: dlopen */
#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/blas.h"
#include "lib/err.h"

#define CORE_VARIABLE "OPENBLAS_CORETYPE"
#define THREADS_VARIABLE "OPENBLAS_NUM_THREADS"

void *__real_dlopen(const char *file, int flags);
void *__wrap_dlopen(const char *file, int flags);

/* What the next loading sees and does. */
static struct {
	int fails;
	char core[32];
	char threads[32];
} loading;

static void note(char out[32], const char *name)
{
	const char *value = getenv(name);

	(void)snprintf(out, 32, "%s", value ? value : "(unset)");
}

void *__wrap_dlopen(const char *file, int flags)
{
	if (flags & RTLD_NOLOAD)
		return loading.fails ? NULL : __real_dlopen(file, flags);
	note(loading.core, CORE_VARIABLE);
	note(loading.threads, THREADS_VARIABLE);
	return loading.fails ? __real_dlopen("no-such-library.so", RTLD_NOW)
			     : __real_dlopen(file, flags);
}

/* OpenBLAS is loaded once in a process: each way to load it gets its own. */
static int in_a_child(int (*check)(void))
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(check());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Checks return the number of the claim that fails, 0 if none does. */
static int check_defaults(void)
{
	const struct mx_blas *blas = NULL, *again = NULL;

	unsetenv(CORE_VARIABLE);
	unsetenv(THREADS_VARIABLE);
	if (mx_blas_open(&blas, NULL) || mx_blas_open(&again, NULL))
		return 1;
	if (blas != again)
		return 2;
	if (strcmp(loading.threads, "1"))
		return 3;
	if (getenv(CORE_VARIABLE) || getenv(THREADS_VARIABLE))
		return 4;
	/* Either the CPU has AVX-512 and memexec chose, or it did not. */
	if (strcmp(blas->choice, "memexec") == 0)
		return strcmp(loading.core, "SKYLAKEX") ? 5 : 0;
	if (strcmp(blas->choice, "OpenBLAS"))
		return 6;
	return strcmp(loading.core, "(unset)") ? 7 : 0;
}

static void loading_lends_the_environment(void **state)
{
	(void)state;
	assert_int_equal(in_a_child(check_defaults), 0);
}

static int check_user(void)
{
	const struct mx_blas *blas = NULL;

	setenv(CORE_VARIABLE, "Haswell", 1);
	setenv(THREADS_VARIABLE, "2", 1);
	if (mx_blas_open(&blas, NULL))
		return 1;
	if (strcmp(loading.core, "Haswell") || strcmp(loading.threads, "2"))
		return 2;
	if (strcmp(getenv(CORE_VARIABLE), "Haswell") ||
	    strcmp(getenv(THREADS_VARIABLE), "2"))
		return 3;
	return strcmp(blas->choice, "user") ? 4 : 0;
}

static void what_the_user_set_stands(void **state)
{
	(void)state;
	assert_int_equal(in_a_child(check_user), 0);
}

static int check_loaded(void)
{
	const struct mx_blas *blas = NULL;

	if (!__real_dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL))
		return 1;
	if (mx_blas_open(&blas, NULL))
		return 2;
	if (loading.core[0])
		return 3;
	return strcmp(blas->choice, "OpenBLAS") ? 4 : 0;
}

static void a_library_that_is_loaded_already_is_taken_as_it_is(void **state)
{
	(void)state;
	assert_int_equal(in_a_child(check_loaded), 0);
}

static int check_missing(void)
{
	const struct mx_blas *blas = NULL;
	struct mx_err err;
	int i;

	loading.fails = 1;
	for (i = 0; i < 2; i++) {
		err.text[0] = '\0';
		if (mx_blas_open(&blas, &err) != -ENOSYS)
			return 1;
		if (!strstr(err.text, "no-such-library.so") ||
		    !strstr(err.text, "libopenblas0-pthread"))
			return 2;
		if (blas)
			return 3;
	}
	return 0;
}

static void without_openblas_the_package_is_named(void **state)
{
	(void)state;
	assert_int_equal(in_a_child(check_missing), 0);
}

static float *fill(size_t count, uint32_t seed)
{
	float *values = malloc(count * sizeof(*values) + 1);
	size_t i;

	assert_non_null(values);
	for (i = 0; i < count; i++) {
		seed = seed * 1664525u + 1013904223u;
		values[i] = (float)(seed >> 8) / 16777216.0f - 0.5f;
	}
	return values;
}

struct product {
	size_t m, n, k, lda, ldb, ldc;
	float beta;
};

/* c = beta * c + a * b, b transposed or not, compared with doubles. What is
 * there is a NaN if beta is 0, and gaps in rows stay. */
static void expect_product(const struct mx_blas *blas, const struct product *p,
			   int is_transposed)
{
	const size_t b_rows = is_transposed ? p->n : p->k;
	float *a = fill(p->m * p->lda, 1);
	float *b = fill(b_rows * p->ldb, 2);
	float *c = fill(p->m * p->ldc, 3);
	float *old = fill(p->m * p->ldc, 3);
	size_t i, j, l;

	for (i = 0; p->beta == 0 && i < p->m; i++)
		for (j = 0; j < p->n; j++)
			c[i * p->ldc + j] = NAN;
	(is_transposed ? blas->gemm_nt : blas->gemm_nn)(
		p->m, p->n, p->k, a, p->lda, b, p->ldb, p->beta, c, p->ldc);
	for (i = 0; i < p->m; i++) {
		for (j = 0; j < p->n; j++) {
			double sum =
				p->beta == 0
					? 0
					: (double)p->beta *
						  (double)old[i * p->ldc + j];

			for (l = 0; l < p->k; l++)
				sum += (double)a[i * p->lda + l] *
				       (double)(is_transposed
							? b[j * p->ldb + l]
							: b[l * p->ldb + j]);
			assert_true(fabs((double)c[i * p->ldc + j] - sum) <
				    1e-5);
		}
		assert_memory_equal(c + i * p->ldc + p->n,
				    old + i * p->ldc + p->n,
				    (p->ldc - p->n) * sizeof(*c));
	}
	free(a);
	free(b);
	free(c);
	free(old);
}

static void gemm_matches_the_definition(void **state)
{
	static const struct product cases[] = {
		{1, 1, 1, 1, 1, 1, 0},
		{5, 7, 9, 9, 9, 7, 0},
		{5, 7, 9, 11, 13, 10, 1},
		{33, 65, 127, 127, 127, 65, 0.5f},
		{64, 48, 300, 300, 300, 48, 0},
		{3, 4, 0, 1, 4, 5, 0},
		{3, 4, 0, 1, 4, 5, 1},
		{0, 4, 3, 3, 4, 4, 0},
	};
	const struct mx_blas *blas = *state;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct product p = cases[i];

		expect_product(blas, &p, 1);
		if (p.ldb < p.n)
			p.ldb = p.n;
		expect_product(blas, &p, 0);
	}
}

static void gemv_matches_the_definition(void **state)
{
	static const struct {
		size_t m, n, lda;
		float beta;
	} cases[] = {{1, 1, 1, 0},	  {7, 9, 9, 0}, {40, 333, 340, 1},
		     {129, 64, 64, 0.5f}, {4, 0, 1, 0}, {4, 0, 1, 1}};
	const struct mx_blas *blas = *state;
	size_t c, i, l;

	for (c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		float *a = fill(cases[c].m * cases[c].lda, 1);
		float *x = fill(cases[c].n, 2);
		float *y = fill(cases[c].m, 3);

		for (i = 0; cases[c].beta == 0 && i < cases[c].m; i++)
			y[i] = NAN;
		blas->gemv(cases[c].m, cases[c].n, a, cases[c].lda, x,
			   cases[c].beta, y);
		for (i = 0; i < cases[c].m; i++) {
			float *old = fill(cases[c].m, 3);
			double sum = (double)cases[c].beta * (double)old[i];

			for (l = 0; l < cases[c].n; l++)
				sum += (double)a[i * cases[c].lda + l] *
				       (double)x[l];
			assert_true(fabs((double)y[i] - sum) < 1e-5);
			free(old);
		}
		free(a);
		free(x);
		free(y);
	}
}

enum { ROUNDS = 60, WORKERS = 4, SIZE = 160 };

struct worker {
	const struct mx_blas *blas;
	pthread_barrier_t *start;
	const float *a, *b, *c_alone, *y_alone;
	unsigned wrong;
};

static void *work(void *user)
{
	struct worker *worker = user;
	float *c = fill(SIZE * SIZE, 5);
	float *y = fill(SIZE, 6);
	unsigned i;

	pthread_barrier_wait(worker->start);
	for (i = 0; i < ROUNDS; i++) {
		worker->blas->gemm_nt(SIZE, SIZE, SIZE, worker->a, SIZE,
				      worker->b, SIZE, 0, c, SIZE);
		worker->blas->gemv(SIZE, SIZE, worker->a, SIZE, worker->b, 0,
				   y);
		worker->wrong += memcmp(c, worker->c_alone,
					SIZE * SIZE * sizeof(*c)) != 0;
		worker->wrong +=
			memcmp(y, worker->y_alone, SIZE * sizeof(*y)) != 0;
	}
	free(c);
	free(y);
	return NULL;
}

static void threads_get_the_bits_of_one(void **state)
{
	const struct mx_blas *blas = *state;
	float *a = fill(SIZE * SIZE, 1), *b = fill(SIZE * SIZE, 2);
	float *c = fill(SIZE * SIZE, 3), *y = fill(SIZE, 4);
	struct worker workers[WORKERS];
	pthread_t threads[WORKERS];
	pthread_barrier_t start;
	int i;

	blas->gemm_nt(SIZE, SIZE, SIZE, a, SIZE, b, SIZE, 0, c, SIZE);
	blas->gemv(SIZE, SIZE, a, SIZE, b, 0, y);
	assert_int_equal(pthread_barrier_init(&start, NULL, WORKERS), 0);
	for (i = 0; i < WORKERS; i++) {
		workers[i] = (struct worker){blas, &start, a, b, c, y, 0};
		assert_int_equal(
			pthread_create(&threads[i], NULL, work, &workers[i]),
			0);
	}
	for (i = 0; i < WORKERS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(workers[i].wrong, 0);
	}
	pthread_barrier_destroy(&start);
	free(a);
	free(b);
	free(c);
	free(y);
}

static int open_blas(void **state)
{
	const struct mx_blas *blas;

	if (mx_blas_open(&blas, NULL))
		return -1;
	*state = (void *)(uintptr_t)blas;
	return 0;
}

int main(void)
{
	/* The first four need a process in which nothing is loaded. */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loading_lends_the_environment),
		cmocka_unit_test(what_the_user_set_stands),
		cmocka_unit_test(
			a_library_that_is_loaded_already_is_taken_as_it_is),
		cmocka_unit_test(without_openblas_the_package_is_named),
		cmocka_unit_test_setup(gemm_matches_the_definition, open_blas),
		cmocka_unit_test_setup(gemv_matches_the_definition, open_blas),
		cmocka_unit_test_setup(threads_get_the_bits_of_one, open_blas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
