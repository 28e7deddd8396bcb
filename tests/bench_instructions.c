/*
 * One run of one network on the calling thread, for scripts/check-instructions
 * to count its instructions: mx_frame_run_all() is called once.
 *
 * Usage: bench_instructions DIR
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/arena.h"
#include "lib/blas.h"
#include "lib/err.h"
#include "lib/frame.h"
#include "lib/network.h"
#include "lib/simd.h"
#include "lib/view.h"
#include "loader/mxload.h"

/* Any values that are not all alike. */
static int fill(const struct mx_view *view)
{
	const size_t elems = mx_shape_elems(&view->shape);
	float *values = malloc((elems + 1) * sizeof(*values));
	size_t i;

	if (!values)
		return -1;
	for (i = 0; i < elems; i++)
		values[i] = (float)(i % 97) / 97 - 0.3f;
	mx_view_load(view, values);
	free(values);
	return 0;
}

static int run(struct mx_network *net, struct mx_err *err)
{
	const struct mx_blas *blas;
	struct mx_arena arena = {0};
	struct mx_frame *frame = NULL;
	uint32_t i;
	int rc;

	rc = mx_network_bind(net, err);
	if (!rc)
		rc = mx_arena_init(&arena, net, err);
	if (!rc)
		rc = mx_frame_new(&frame, net, &arena, NULL, err);
	if (!rc)
		rc = mx_blas_open(&blas, err);
	for (i = 0; !rc && i < net->input_count; i++)
		rc = fill(mx_frame_view(frame, net->inputs[i].tensor));
	if (!rc)
		rc = mx_frame_run_all(frame, blas, mx_simd_best(), err);
	mx_frame_free(frame);
	mx_arena_fini(&arena);
	return rc;
}

int main(int argc, char **argv)
{
	struct mx_model *model = NULL;
	struct mx_err err = {""};
	int rc;

	if (argc != 2) {
		fprintf(stderr, "usage: bench_instructions DIR\n");
		return 2;
	}
	rc = mx_model_open(&model, argv[1], &err);
	if (!rc)
		rc = run(mx_model_network(model), &err);
	mx_model_close(model);
	if (rc)
		fprintf(stderr, "bench_instructions: %s\n", err.text);
	else
		printf("%s\n", mx_simd_best()->isa);
	return rc ? 1 : 0;
}
