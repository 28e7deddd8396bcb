#include "cli/version.h"

#include <stdio.h>

#include "lib/blas.h"
#include "lib/simd.h"
#include "loader/mxload.h"

int mx_version_print(int verbose, struct mx_err *err)
{
	const struct mx_blas *blas;
	int rc;

	printf("memexec %s\n", mx_load_version());
	if (!verbose)
		return 0;
	printf("model format %d\n", MX_MODEL_FORMAT);
	printf("kernels %s\n", mx_simd_best()->isa);
	rc = mx_blas_open(&blas, err);
	if (rc)
		return rc;
	printf("OpenBLAS core %s, chosen by %s\n", blas->core, blas->choice);
	printf("OpenBLAS config %s\n", blas->config);
	return 0;
}
