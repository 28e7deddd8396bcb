/*
 * OpenBLAS, the only door to it. The library is loaded on request and not by
 * the linker, because it chooses its kernels in its constructor from the
 * environment: Debian's 0.3.21 takes an AVX-512 CPU newer than itself for a
 * Haswell and runs at half speed. mx_blas_open() sets OPENBLAS_CORETYPE and
 * OPENBLAS_NUM_THREADS=1 for the moment of loading, where the user has not
 * set them. (When the process has OpenBLAS already, its choice stands.) It
 * also sets OpenBLAS to one thread for the whole process. A build without
 * threads (Debian's libopenblas0-serial) is not safe for several callers: its
 * calls are let in one by one; the pthread build's run side by side.
 */
#ifndef MX_LIB_BLAS_H
#define MX_LIB_BLAS_H

#include <stddef.h>

struct mx_err;

/*
 * Row-major. gemm: c[m][n] = beta * c + a[m][k] * b^T, b being [n][k]
 * (trans_b) or a * b, b being [k][n]. gemv: y[m] = beta * y + a[m][n] * x.
 * One thread; any number of threads may call.
 */
struct mx_blas {
	void (*gemm_nt)(size_t m, size_t n, size_t k, const float *a,
			size_t lda, const float *b, size_t ldb, float beta,
			float *c, size_t ldc);
	void (*gemm_nn)(size_t m, size_t n, size_t k, const float *a,
			size_t lda, const float *b, size_t ldb, float beta,
			float *c, size_t ldc);
	void (*gemv)(size_t m, size_t n, const float *a, size_t lda,
		     const float *x, float beta, float *y);
	const char *core; /* the kernels in use, "SkylakeX" */
	const char *config; /* what the library says of itself */
	const char *choice; /* who chose: "OpenBLAS", "memexec", "user" */
};

/*
 * Load OpenBLAS once for the process; later calls give the same table. The
 * first call changes the environment for a moment: call it before other
 * threads read or write the environment. The table lives as long as the
 * process.
 *
 * Returns 0, or -ENOSYS if there is no OpenBLAS (the message names Debian's
 * package).
 */
int mx_blas_open(const struct mx_blas **out, struct mx_err *err);

#endif
