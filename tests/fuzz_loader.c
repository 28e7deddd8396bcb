/*
 * Fuzz target: any bytes as model.pb. The file's own hash would stop nearly
 * every mutation at the door, so the target signs the bytes first, as an
 * attacker can.
 *
 *   clang -fsanitize=fuzzer,address,undefined -std=c11 -D_GNU_SOURCE -I. \
 *     -Ibuild tests/fuzz_loader.c build/libmxload.a -lprotobuf-c -o fuzz
 *   mkdir -p corpus && cp *.mx/model.pb corpus && ./fuzz corpus
 *
 * tests/test_fuzz_loader.c replays a generated corpus in `make check`.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "loader/model_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the loader accepted must be safe to walk and to write again. */
static void walk(const struct mx_network *net)
{
	struct mx_network again;
	unsigned char *bytes;
	uint64_t end = 0;
	size_t stride[MX_RANK_MAX];
	size_t size;
	uint32_t i;

	for (i = 0; i < net->tensor_count; i++)
		mx_tensor_strides(&net->tensors[i], stride);
	for (i = 0; i < net->slice_count; i++) {
		const struct mx_slice *slice = &net->slices[i];

		assert(slice->layer < net->layer_count);
		end = slice->offset_bytes + slice->size_bytes;
		assert(end >= slice->offset_bytes);
		assert(end <= net->weights_file_bytes);
	}
	if (mx_network_pack(net, &bytes, &size, NULL))
		return;
	if (mx_network_unpack(&again, bytes, size, NULL))
		abort();
	mx_network_fini(&again);
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char *bytes = malloc(size + MX_MODEL_TRAILER_BYTES);
	struct mx_network net;
	uint64_t hash;
	size_t i;
	int rc;

	if (!bytes)
		return 0;
	if (size)
		memcpy(bytes, data, size);
	hash = XXH3_64bits(bytes, size);
	bytes[size] = MX_MODEL_HASH_TAG;
	for (i = 1; i < MX_MODEL_TRAILER_BYTES; i++, hash >>= 8)
		bytes[size + i] = (unsigned char)hash;
	rc = mx_network_unpack(&net, bytes, size + MX_MODEL_TRAILER_BYTES,
			       NULL);
	free(bytes);
	assert(rc == 0 || rc == -EBADMSG || rc == -ENOMEM);
	if (rc)
		return 0;
	walk(&net);
	mx_network_fini(&net);
	return 0;
}
