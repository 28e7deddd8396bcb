/*
 * Invariants, from the end of mx_model_open() to mx_model_close():
 *
 *  (1) net has passed mx_network_check(), and its weights_file_bytes is the
 *      size that weights.bin had when it was mapped: every slice is inside.
 *  (2) base[0 .. weights_file_bytes) is mapped read-only and never moves. It
 *      is NULL if and only if the file is empty.
 */
#include "loader/mxload.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/err.h"
#include "loader/model_impl.h"

/* A file that must be there: without it, it is no model directory. */
static int no_file_is_bad(int rc, const char *path, const char *name,
			  struct mx_err *err)
{
	if (rc != -ENOENT)
		return rc;
	return mx_fail(err, EBADMSG, "%s: no model directory: it has no %s",
		       path, name);
}

static int read_structure(struct mx_model *model, int dir_fd, const char *path,
			  struct mx_err *err)
{
	unsigned char *bytes;
	struct mx_err why = {""};
	size_t size;
	int rc;

	rc = mx_entry_read(dir_fd, path, MX_MODEL_PB, MX_MODEL_PB_BYTES_MAX,
			   &bytes, &size, err);
	if (rc)
		return no_file_is_bad(rc, path, MX_MODEL_PB, err);
	rc = mx_network_unpack(&model->net, bytes, size, &why);
	free(bytes);
	if (rc)
		return mx_fail(err, -rc, "%s/%s: %s", path, MX_MODEL_PB,
			       why.text);
	return 0;
}

static int read_labels(struct mx_model *model, int dir_fd, const char *path,
		       struct mx_err *err)
{
	unsigned char *bytes;
	struct mx_err why = {""};
	size_t size;
	int rc;

	rc = mx_entry_read(dir_fd, path, MX_MODEL_LABELS,
			   MX_MODEL_LABELS_BYTES_MAX, &bytes, &size, err);
	if (rc == -ENOENT)
		return 0;
	if (rc)
		return rc;
	rc = mx_labels_parse(&model->net, (const char *)bytes, size, &why);
	free(bytes);
	if (rc)
		return mx_fail(err, -rc, "%s/%s: %s", path, MX_MODEL_LABELS,
			       why.text);
	return 0;
}

static int map_weights(struct mx_model *model, int dir_fd, const char *path,
		       struct mx_err *err)
{
	struct mx_network *net = &model->net;
	uint64_t size;
	void *base;
	int rc;

	rc = mx_entry_open(dir_fd, path, MX_MODEL_WEIGHTS, &net->weights_fd,
			   &size, err);
	if (rc)
		return no_file_is_bad(rc, path, MX_MODEL_WEIGHTS, err);
	if (size != net->weights_file_bytes)
		return mx_fail(err, EBADMSG,
			       "%s/%s: has %" PRIu64 " bytes, not %" PRIu64,
			       path, MX_MODEL_WEIGHTS, size,
			       net->weights_file_bytes);
	if ((uint64_t)(size_t)size != size)
		return mx_fail(err, EOVERFLOW,
			       "%s/%s: %" PRIu64 " bytes do not fit into this "
			       "machine's addresses",
			       path, MX_MODEL_WEIGHTS, size);
	if (size == 0)
		return 0;
	base = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, net->weights_fd,
		    0);
	if (base == MAP_FAILED)
		return mx_fail_errno(err, "map %s/%s", path, MX_MODEL_WEIGHTS);
	model->base = base;
	model->base_bytes = (size_t)size;
	net->weights_base = base;
	return 0;
}

int mx_model_open(struct mx_model **out, const char *path, struct mx_err *err)
{
	struct mx_model *model;
	int dir_fd = -1;
	int rc;

	model = calloc(1, sizeof(*model));
	if (!model)
		return mx_fail_errno(err, "open %s", path);
	model->net.weights_fd = -1;
	dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0) {
		rc = mx_fail_errno(err, "open %s", path);
		goto fail;
	}
	rc = read_structure(model, dir_fd, path, err);
	if (rc)
		goto fail;
	rc = read_labels(model, dir_fd, path, err);
	if (rc)
		goto fail;
	rc = map_weights(model, dir_fd, path, err);
	if (rc)
		goto fail;
	(void)close(dir_fd);
	*out = model;
	return 0;

fail:
	if (dir_fd >= 0)
		(void)close(dir_fd);
	mx_model_close(model);
	return rc;
}

void mx_model_close(struct mx_model *model)
{
	if (!model)
		return;
	if (model->base)
		(void)munmap(model->base, model->base_bytes);
	if (model->net.weights_fd >= 0)
		(void)close(model->net.weights_fd);
	mx_network_fini(&model->net);
	free(model);
}

struct mx_network *mx_model_network(struct mx_model *model)
{
	return &model->net;
}

const void *mx_model_slice(const struct mx_model *model, uint32_t index)
{
	assert(index < model->net.slice_count);
	return (const unsigned char *)model->base +
	       model->net.slices[index].offset_bytes;
}

const char *mx_load_version(void)
{
	return "0.1.0";
}
