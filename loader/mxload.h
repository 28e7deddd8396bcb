/*
 * libmxload: model directories. Open one, verify it, map its weights, and walk
 * its layers and slices through lib's struct mx_network. Needs protobuf-c and
 * libc only.
 *
 * A model directory NAME.mx holds model.pb (the structure, capped), weights.bin
 * (slices in execution order), and optionally labels.txt and profile.pb. Once
 * it has its name it is never changed.
 *
 * Threads: any number may read one open model; mx_model_close() is alone.
 */
#ifndef MX_LOADER_MXLOAD_H
#define MX_LOADER_MXLOAD_H

#include <stddef.h>
#include <stdint.h>

#include "lib/network.h"

struct mx_err;
struct mx_log;
struct mx_model;

/*
 * Open the model directory @path: read and check model.pb (every index, size
 * and count), check weights.bin's size, and map it read-only. No weight is
 * read. mx_model_close() ends it.
 *
 * Returns 0; -EBADMSG if the directory is not valid (the message names the
 * file and what is wrong); -ENOMEM; or the -errno of a system call.
 */
int mx_model_open(struct mx_model **out, const char *path, struct mx_err *err);

/* Unmap and free; every pointer into the model dies. NULL is fine. */
void mx_model_close(struct mx_model *model);

/*
 * The network; it lives as long as the model. Layers are not bound: whoever
 * wants to compute calls mx_network_bind() (lib, not in libmxload) on it.
 */
struct mx_network *mx_model_network(struct mx_model *model);

/*
 * The bytes of slice @index, mapped; reading them brings them in from the
 * file. The file must not shrink while mapped: reading a vanished page is a
 * SIGBUS. @index < network->slice_count.
 */
const void *mx_model_slice(const struct mx_model *model, uint32_t index);

/* Called as a long operation goes on; return non-zero to stop it. */
typedef int mx_progress_fn(void *user, uint64_t done_bytes,
			   uint64_t total_bytes);

/*
 * Read every weight and compare each slice's hash; drops each slice from
 * memory after it. A slice that does not match is passed to the log (MX_LOG_
 * ERROR, with layer and offset) and counted.
 *
 * Returns 0 with the number of mismatches in *@bad_count, -EIO (with the
 * offset) if the file cannot be read, -ECANCELED if @progress says stop.
 */
struct mx_verify_opts {
	const struct mx_log *log;
	mx_progress_fn *progress; /* NULL: none */
	void *user;
};
int mx_model_verify(const struct mx_model *model,
		    const struct mx_verify_opts *opts, uint32_t *bad_count,
		    struct mx_err *err);

/* The version of the library, "0.1.0", and of the format it writes. */
const char *mx_load_version(void);
#define MX_MODEL_FORMAT 1

/* Caps of model.pb, checked before anything is allocated. */
#define MX_MODEL_PB_BYTES_MAX (64u << 20)
#define MX_MODEL_LAYERS_MAX 1000000u
#define MX_MODEL_TENSORS_MAX 4000000u
#define MX_MODEL_SLICES_MAX 4000000u
#define MX_MODEL_NAME_BYTES_MAX 4096u

#endif
