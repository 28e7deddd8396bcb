/*
 * A network of slices over a temporary file with known bytes, for tests of the
 * pager: no operators, no model directory.
 */
#ifndef MX_TESTS_WEIGHTS_FIXTURE_H
#define MX_TESTS_WEIGHTS_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/network.h"
#include "tests/check.h"
#include "tests/temp_files.h"

struct weights_fixture {
	struct mx_network net;
	struct mx_layer layer;
	char path[TEMP_PATH_BYTES];
};

static inline unsigned char weights_byte(uint64_t offset)
{
	return (unsigned char)((offset * 2654435761u) >> 13);
}

/* @sizes: bytes of each slice, laid one behind the other from @gap_bytes
 * boundaries (1: packed). The file ends page aligned, as the writer's do. */
static inline void weights_open(struct weights_fixture *fx, const size_t *sizes,
				uint32_t count, size_t gap_bytes)
{
	static char name[] = "net";
	static char layer[] = "layer";
	unsigned char *bytes;
	size_t end = 0;
	size_t i;
	int fd;

	memset(fx, 0, sizeof(*fx));
	fx->layer.name = layer;
	fx->net.name = name;
	fx->net.layers = &fx->layer;
	fx->net.layer_count = 1;
	fx->net.slices = calloc(count, sizeof(*fx->net.slices));
	assert_non_null(fx->net.slices);
	fx->net.slice_count = count;
	for (i = 0; i < count; i++) {
		end = (end + gap_bytes - 1) / gap_bytes * gap_bytes;
		fx->net.slices[i].offset_bytes = end;
		fx->net.slices[i].size_bytes = sizes[i];
		end += sizes[i];
	}
	end = (end + 4095) / 4096 * 4096;
	fx->net.weights_file_bytes = end;
	bytes = malloc(end);
	assert_non_null(bytes);
	for (i = 0; i < end; i++)
		bytes[i] = weights_byte(i);
	fd = temp_file(fx->path);
	assert_int_equal(write(fd, bytes, end), end);
	assert_int_equal(fsync(fd), 0);
	free(bytes);
	fx->net.weights_fd = fd;
	fx->net.weights_base = mmap(NULL, end, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(fx->net.weights_base, MAP_FAILED);
}

static inline void weights_close(struct weights_fixture *fx)
{
	munmap((void *)(uintptr_t)fx->net.weights_base,
	       fx->net.weights_file_bytes);
	close(fx->net.weights_fd);
	unlink(fx->path);
	free(fx->net.slices);
}

static inline void assert_slice(const struct weights_fixture *fx,
				uint32_t slice, const unsigned char *data)
{
	const struct mx_slice *where = &fx->net.slices[slice];
	uint64_t i;

	for (i = 0; i < where->size_bytes; i++)
		if (data[i] != weights_byte(where->offset_bytes + i))
			fail_msg("slice %u differs at %u", slice, (unsigned)i);
}

#endif
