#include "lib/frame.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "lib/network.h"
#include "lib/size.h"

/*
 * Invariants, from mx_frame_new() to mx_frame_free():
 *
 *  (1) view[t] looks at memory[offset of t's root ...]; nothing moves.
 *  (2) layer_view[first_view[l] ...] are copies of the views of layer l's
 *      inputs, then outputs, so that running a part looks nothing up.
 */
struct mx_frame {
	const struct mx_network *net;
	unsigned char *memory;
	size_t owned_bytes; /* of memory; 0: it is the caller's */
	struct mx_view *view;
	struct mx_view *layer_view;
	size_t *first_view;
};

static int make_views(struct mx_frame *frame, const struct mx_arena *arena)
{
	const struct mx_network *net = frame->net;
	size_t total = 0;
	uint32_t i, k;

	for (i = 0; i < net->layer_count; i++)
		total += (size_t)net->layers[i].in_count +
			 net->layers[i].out_count;
	frame->view =
		calloc((size_t)net->tensor_count + 1, sizeof(*frame->view));
	frame->layer_view = calloc(total + 1, sizeof(*frame->layer_view));
	frame->first_view = calloc((size_t)net->layer_count + 1,
				   sizeof(*frame->first_view));
	if (!frame->view || !frame->layer_view || !frame->first_view)
		return -ENOMEM;
	for (i = 0; i < net->tensor_count; i++) {
		const struct mx_tensor *tensor = &net->tensors[i];

		mx_view_init(
			&frame->view[i], tensor,
			(float *)(void *)(frame->memory +
					  arena->offset_bytes[tensor->root]));
	}
	total = 0;
	for (i = 0; i < net->layer_count; i++) {
		const struct mx_layer *layer = &net->layers[i];

		frame->first_view[i] = total;
		for (k = 0; k < layer->in_count; k++)
			frame->layer_view[total++] = frame->view[layer->in[k]];
		for (k = 0; k < layer->out_count; k++)
			frame->layer_view[total++] = frame->view[layer->out[k]];
	}
	return 0;
}

int mx_frame_new(struct mx_frame **out, const struct mx_network *net,
		 const struct mx_arena *arena, void *memory, struct mx_err *err)
{
	const size_t bytes = mx_size_max(arena->total_bytes, 1);
	struct mx_frame *frame;

	frame = calloc(1, sizeof(*frame));
	if (!frame)
		return mx_fail(err, ENOMEM, "%s: no memory", net->name);
	frame->net = net;
	if (!memory) {
		/* Populated now: over a limit, anonymous memory that is
		 * touched later is a SIGKILL in the middle of a run. */
		memory =
			mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		if (memory == MAP_FAILED)
			goto fail;
		frame->owned_bytes = bytes;
	}
	frame->memory = memory;
	if (make_views(frame, arena))
		goto fail;
	*out = frame;
	return 0;

fail:
	mx_frame_free(frame);
	return mx_fail(err, ENOMEM,
		       "%s: no memory for %zu bytes of activations", net->name,
		       arena->total_bytes);
}

void mx_frame_free(struct mx_frame *frame)
{
	if (!frame)
		return;
	if (frame->owned_bytes)
		munmap(frame->memory, frame->owned_bytes);
	free(frame->view);
	free(frame->layer_view);
	free(frame->first_view);
	free(frame);
}

const struct mx_view *mx_frame_view(const struct mx_frame *frame,
				    uint32_t tensor)
{
	assert(tensor < frame->net->tensor_count);
	return &frame->view[tensor];
}

size_t mx_layer_part_count(const struct mx_layer *layer)
{
	return layer->block_count * layer->tile_count;
}

void mx_frame_run(const struct mx_frame *frame,
		  const struct mx_frame_work *work)
{
	const struct mx_layer *layer = &frame->net->layers[work->layer];
	const struct mx_view *views =
		frame->layer_view + frame->first_view[work->layer];
	const struct mx_op_args args = {
		.layer = layer,
		.in = views,
		.out = views + layer->in_count,
		.weights = work->weights,
		.first_block = work->first_block,
		.scratch = work->scratch,
		.blas = work->blas,
		.simd = work->simd,
	};

	assert(work->parts.begin <= work->parts.end &&
	       work->parts.end <= mx_layer_part_count(layer));
	layer->op->run(&args, work->parts);
}

int mx_frame_run_all(const struct mx_frame *frame, const struct mx_blas *blas,
		     const struct mx_simd *simd, struct mx_err *err)
{
	const struct mx_network *net = frame->net;
	struct mx_frame_work work = {.blas = blas, .simd = simd};
	size_t most = MX_ARENA_ALIGN_BYTES;
	uint32_t i;

	for (i = 0; i < net->layer_count; i++)
		most = mx_size_max(most, net->layers[i].scratch_bytes);
	work.scratch =
		aligned_alloc(MX_ARENA_ALIGN_BYTES,
			      mx_size_round_up(most, MX_ARENA_ALIGN_BYTES));
	if (!work.scratch)
		return mx_fail(err, ENOMEM, "%s: no memory for scratch",
			       net->name);
	for (i = 0; i < net->layer_count; i++) {
		const struct mx_layer *layer = &net->layers[i];

		work.layer = i;
		work.parts.end = mx_layer_part_count(layer);
		work.weights =
			layer->weight_bytes
				? net->weights_base + layer->weight_offset_bytes
				: NULL;
		mx_frame_run(frame, &work);
	}
	free(work.scratch);
	return 0;
}
