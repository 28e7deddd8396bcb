#include "sched/chunks.h"

#include <assert.h>

#include "lib/network.h"
#include "lib/size.h"

/* A worker takes half of its share of what is left. */
#define CHUNKS_PER_SHARE 2
/* What is done in some microseconds: in multiply-accumulates, for which an
 * element that is read or written stands as for so many. */
#define SMALL_WORK 100000
#define ELEMENT_WORK 8

static int is_small(const struct mx_layer *layer)
{
	uint64_t work = layer->macs;
	uint32_t i;

	for (i = 0; i < layer->in_count && work < SMALL_WORK; i++)
		work += mx_shape_elems(&layer->in_shape[i]) * ELEMENT_WORK;
	for (i = 0; i < layer->out_count && work < SMALL_WORK; i++)
		work += mx_shape_elems(&layer->out_shape[i]) * ELEMENT_WORK;
	return work < SMALL_WORK;
}

size_t mx_chunk_parts(const struct mx_layer *layer, size_t left,
		      uint32_t workers)
{
	assert(workers > 0);
	if (left < 2 || workers < 2 || is_small(layer))
		return left;
	return mx_size_div_up(left, (size_t)workers * CHUNKS_PER_SHARE);
}
