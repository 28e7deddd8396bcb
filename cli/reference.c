#include "cli/reference.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/file.h"
#include "cli/npy.h"
#include "cli/tensor_file.h"
#include "cli/session.h"
#include "lib/network.h"

#define TENSOR_BYTES_MAX ((size_t)4 << 30)

/* An .npy file, or else an ONNX tensor: those have nothing to tell them by. */
static int read_tensor(const char *path, struct mx_array *out,
		       struct mx_err *err)
{
	unsigned char *data;
	size_t size_bytes;
	int rc;

	rc = mx_file_read(path, TENSOR_BYTES_MAX, &data, &size_bytes, err);
	if (rc)
		return rc;
	if (mx_npy_is(data, size_bytes))
		rc = mx_npy_decode(data, size_bytes, path, out, err);
	else
		rc = mx_tensor_file_decode(data, size_bytes, path, out, err);
	free(data);
	return rc;
}

/* The path of input or output @index; heap. */
static char *tensor_path(const struct mx_reference *reference, int output,
			 size_t index)
{
	char name[32];

	if (!mx_file_is_directory(reference->inputs[0]))
		return strdup(output ? reference->outputs[index]
				     : reference->inputs[index]);
	(void)snprintf(name, sizeof(name), "%s_%zu.pb",
		       output ? "output" : "input", index);
	return mx_file_join(reference->inputs[0], name);
}

/* How many tensors there are: what was given, or what the network has. */
static int count_tensors(const struct mx_reference *reference, size_t given,
			 uint32_t have, const char *what, uint32_t *out,
			 struct mx_err *err)
{
	*out = have;
	if (mx_file_is_directory(reference->inputs[0]))
		return 0;
	if (given > have)
		return mx_fail(err, EINVAL,
			       "verify: %zu %s files for a network of %u",
			       given, what, have);
	*out = (uint32_t)given;
	return 0;
}

static int load_inputs(const struct mx_reference *reference,
		       struct mx_task *task, struct mx_err *err)
{
	struct mx_array array = {.data = NULL};
	uint32_t count, i;
	char *path;
	int rc;

	rc = count_tensors(reference, reference->input_count,
			   task->feed.net->input_count, "input", &count, err);
	for (i = 0; !rc && i < count; i++) {
		path = tensor_path(reference, 0, i);
		if (!path)
			return mx_fail(err, ENOMEM, "verify: no memory");
		rc = read_tensor(path, &array, err);
		if (!rc)
			rc = mx_feed_set(&task->feed, i, &array, path, err);
		free(path);
	}
	return rc;
}

/* One output against its reference: 0, MX_EXIT_NEGATIVE or -errno. */
static int compare(const struct mx_reference *reference,
		   const struct mx_result *result, uint32_t index,
		   const char *path, struct mx_err *err)
{
	const struct mx_array *got = &result->outputs[index];
	const size_t count = mx_shape_elems(&got->shape);
	char text[2][MX_SHAPE_TEXT_BYTES];
	struct mx_array_difference difference;
	struct mx_array want = {.data = NULL};
	int rc;

	rc = read_tensor(path, &want, err);
	if (rc)
		return rc;
	if (mx_shape_elems(&want.shape) != count) {
		rc = mx_fail(err, EINVAL, "%s: shape %s, but output %s is %s",
			     path, mx_shape_text(&want.shape, text[0]),
			     mx_result_name(result, index),
			     mx_shape_text(&got->shape, text[1]));
		mx_array_fini(&want);
		return rc;
	}
	mx_array_compare(got->data, want.data, count, reference->rtol,
			 reference->atol, &difference);
	printf("output %u %s %s: worst difference %.3g (value %zu: %.6g for "
	       "%.6g), %zu of %zu outside\n",
	       index, mx_result_name(result, index),
	       mx_shape_text(&got->shape, text[1]), difference.worst,
	       difference.worst_index, (double)difference.got,
	       (double)difference.want, difference.bad_count, count);
	mx_array_fini(&want);
	return difference.bad_count ? MX_EXIT_NEGATIVE : 0;
}

static int compare_all(const struct mx_reference *reference,
		       const struct mx_result *result, struct mx_err *err)
{
	uint32_t count, i;
	int rc, worst = 0;
	char *path;

	rc = count_tensors(reference, reference->output_count,
			   result->net->output_count, "output", &count, err);
	for (i = 0; rc >= 0 && i < count; i++) {
		path = tensor_path(reference, 1, i);
		if (!path)
			return mx_fail(err, ENOMEM, "verify: no memory");
		rc = compare(reference, result, i, path, err);
		free(path);
		if (rc)
			worst = rc;
	}
	return worst;
}

int mx_reference_check(const struct mx_reference *reference,
		       const char *directory, const struct mx_log *log,
		       struct mx_err *err)
{
	char *const specs[] = {strdup(directory)};
	struct mx_task_times times;
	const struct mx_session_opts opts = {
		.flags = reference->flags,
		.log = log,
	};
	struct mx_session session;
	int rc;

	if (!specs[0])
		return mx_fail(err, ENOMEM, "verify: no memory");
	rc = mx_session_open(&session, &opts, specs, 1, err);
	free(specs[0]);
	if (rc)
		return rc;
	rc = load_inputs(reference, &session.tasks[0], err);
	if (!rc)
		rc = mx_session_start(&session, err);
	if (!rc)
		rc = mx_session_run(&session, &times, err);
	if (!rc)
		rc = compare_all(reference, &session.tasks[0].result, err);
	mx_session_close(&session);
	return rc;
}
