#include "lib/blas.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"

#define LIBRARY "libopenblas.so.0"
#define PACKAGE "libopenblas0-pthread"
#define CORE_VARIABLE "OPENBLAS_CORETYPE"
#define THREADS_VARIABLE "OPENBLAS_NUM_THREADS"
/* The best kernels that every OpenBLAS with AVX-512 has. */
#define AVX512_CORE "SKYLAKEX"

/* CBLAS's numbers: the interface is C's, but its header is not needed. */
enum { ROW_MAJOR = 101 };
enum { NO_TRANS = 111, TRANS = 112 };

typedef void (*sgemm_fn)(int order, int trans_a, int trans_b, int m, int n,
			 int k, float alpha, const float *a, int lda,
			 const float *b, int ldb, float beta, float *c,
			 int ldc);
typedef void (*sgemv_fn)(int order, int trans, int m, int n, float alpha,
			 const float *a, int lda, const float *x, int incx,
			 float beta, float *y, int incy);

/*
 * Written by load() under pthread_once() and constant from then on: OpenBLAS
 * is one for the process, whoever asks for it.
 */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static sgemm_fn sgemm;
static sgemv_fn sgemv;
static struct mx_blas table;
static char failure[MX_ERR_BYTES];

/*
 * OpenBLAS built without threads hands its packing buffers out without a lock:
 * with Debian's 0.3.21 about one of 100 products of size 60 was wrong when four
 * threads called it (the pthread build: none). There one may call at a time.
 */
static int is_serial_build;
static pthread_mutex_t serial_lock = PTHREAD_MUTEX_INITIALIZER;

static void enter(void)
{
	if (is_serial_build)
		pthread_mutex_lock(&serial_lock);
}

static void leave(void)
{
	if (is_serial_build)
		pthread_mutex_unlock(&serial_lock);
}

/* Sizes that CBLAS takes; it complains of a 0 among them. */
static int fits(size_t a, size_t b, size_t c)
{
	return a - 1 < INT_MAX && b - 1 < INT_MAX && c - 1 < INT_MAX;
}

/*
 * OpenBLAS counts in int. What is larger cannot be fast anyway, but a shape
 * from a file must not be able to make it wrong.
 */
static void gemm_by_hand(size_t m, size_t n, size_t k, const float *a,
			 size_t lda, const float *b, size_t b_row, size_t b_col,
			 float beta, float *c, size_t ldc)
{
	size_t i, j, l;

	for (i = 0; i < m; i++)
		for (j = 0; j < n; j++) {
			float sum = beta == 0 ? 0 : beta * c[i * ldc + j];

			for (l = 0; l < k; l++)
				sum += a[i * lda + l] *
				       b[l * b_row + j * b_col];
			c[i * ldc + j] = sum;
		}
}

static void gemm_nt(size_t m, size_t n, size_t k, const float *a, size_t lda,
		    const float *b, size_t ldb, float beta, float *c,
		    size_t ldc)
{
	if (!fits(m, n, k) || !fits(lda, ldb, ldc)) {
		gemm_by_hand(m, n, k, a, lda, b, 1, ldb, beta, c, ldc);
		return;
	}
	enter();
	sgemm(ROW_MAJOR, NO_TRANS, TRANS, (int)m, (int)n, (int)k, 1, a,
	      (int)lda, b, (int)ldb, beta, c, (int)ldc);
	leave();
}

static void gemm_nn(size_t m, size_t n, size_t k, const float *a, size_t lda,
		    const float *b, size_t ldb, float beta, float *c,
		    size_t ldc)
{
	if (!fits(m, n, k) || !fits(lda, ldb, ldc)) {
		gemm_by_hand(m, n, k, a, lda, b, ldb, 1, beta, c, ldc);
		return;
	}
	enter();
	sgemm(ROW_MAJOR, NO_TRANS, NO_TRANS, (int)m, (int)n, (int)k, 1, a,
	      (int)lda, b, (int)ldb, beta, c, (int)ldc);
	leave();
}

static void gemv(size_t m, size_t n, const float *a, size_t lda, const float *x,
		 float beta, float *y)
{
	if (!fits(m, n, lda)) {
		gemm_by_hand(m, 1, n, a, lda, x, 1, 1, beta, y, 1);
		return;
	}
	/*
	 * Some versions scale y by 0 with a multiplication, which keeps the
	 * NaNs of memory that nobody has written yet.
	 */
	if (beta == 0)
		memset(y, 0, m * sizeof(*y));
	enter();
	sgemv(ROW_MAJOR, NO_TRANS, (int)m, (int)n, 1, a, (int)lda, x, 1,
	      beta == 0 ? 1 : beta, y, 1);
	leave();
}

static int cpu_has_avx512(void)
{
#if defined(__x86_64__)
	return __builtin_cpu_supports("avx512f") &&
	       __builtin_cpu_supports("avx512dq") &&
	       __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512vl") &&
	       __builtin_cpu_supports("avx512cd");
#else
	return 0;
#endif
}

/* Set @name if the user has not. Returns 1 if it was set here. */
static int lend(const char *name, const char *value)
{
	return !getenv(name) && setenv(name, value, 1) == 0;
}

/* Load the library with the environment as it should be for its constructor,
 * and say in the table who chose the kernels. */
static void *load_library(void)
{
	void *library;
	int core = 0, threads;

	library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
	if (library) {
		table.choice = "OpenBLAS";
		return library;
	}
	table.choice = getenv(CORE_VARIABLE) ? "user" : "OpenBLAS";
	if (cpu_has_avx512())
		core = lend(CORE_VARIABLE, AVX512_CORE);
	threads = lend(THREADS_VARIABLE, "1");
	library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (core) {
		table.choice = "memexec";
		unsetenv(CORE_VARIABLE);
	}
	if (threads)
		unsetenv(THREADS_VARIABLE);
	return library;
}

/* A symbol as a function pointer, which ISO C does not convert to. */
static void find(void *library, const char *name, void *out)
{
	void *symbol = dlsym(library, name);

	memcpy(out, &symbol, sizeof(symbol));
}

static void load(void)
{
	char *(*get_core)(void);
	char *(*get_config)(void);
	void (*set_threads)(int);
	int (*get_parallel)(void);
	void *library;

	library = load_library();
	if (!library) {
		(void)snprintf(failure, sizeof(failure),
			       "OpenBLAS: %s (Debian: apt install %s)",
			       dlerror(), PACKAGE);
		return;
	}
	find(library, "cblas_sgemm", &sgemm);
	find(library, "cblas_sgemv", &sgemv);
	find(library, "openblas_get_corename", &get_core);
	find(library, "openblas_get_config", &get_config);
	find(library, "openblas_set_num_threads", &set_threads);
	find(library, "openblas_get_parallel", &get_parallel);
	if (!sgemm || !sgemv) {
		(void)snprintf(failure, sizeof(failure),
			       "OpenBLAS: %s has no CBLAS (Debian: apt install "
			       "%s)",
			       LIBRARY, PACKAGE);
		return;
	}
	if (set_threads)
		set_threads(1);
	is_serial_build = !get_parallel || get_parallel() == 0;
	table.core = get_core ? get_core() : "unknown";
	table.config = get_config ? get_config() : "unknown";
	table.gemm_nt = gemm_nt;
	table.gemm_nn = gemm_nn;
	table.gemv = gemv;
}

int mx_blas_open(const struct mx_blas **out, struct mx_err *err)
{
	pthread_once(&once, load);
	if (failure[0])
		return mx_fail(err, ENOSYS, "%s", failure);
	*out = &table;
	return 0;
}
