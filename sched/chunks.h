/*
 * How a layer's work is handed to workers: by chunks, which get smaller towards
 * its end, so that one that comes late still finds something to do and all end
 * together.
 *
 * Threads: the function keeps no state.
 */
#ifndef MX_SCHED_CHUNKS_H
#define MX_SCHED_CHUNKS_H

#include <stddef.h>
#include <stdint.h>

struct mx_layer;

/*
 * The parts of the bound @layer, of which @left are left, that one of @workers
 * workers takes at once, @workers > 0: all, where it is alone or the layer
 * takes but some microseconds, so that it is done sooner than another has come;
 * else half of its share, so that no worker has more than a part to do when
 * another has nothing any more. 0 if nothing is left.
 */
size_t mx_chunk_parts(const struct mx_layer *layer, size_t left,
		      uint32_t workers);

#endif
