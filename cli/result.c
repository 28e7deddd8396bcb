#include "cli/result.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/file.h"
#include "cli/npy.h"
#include "lib/err.h"
#include "lib/network.h"
#include "lib/size.h"
#include "sched/memexec.h"

static const struct mx_shape *output_shape(const struct mx_network *net,
					   uint32_t index)
{
	return &net->tensors[net->outputs[index]].shape;
}

static int alloc_output(struct mx_array *array, const struct mx_shape *shape,
			size_t sample_count)
{
	size_t elems, bytes;

	array->shape = *shape;
	if (!shape->rank && sample_count > 1)
		array->shape = mx_shape_of(1, &sample_count);
	else if (shape->rank &&
		 mx_size_mul(shape->dim[0], sample_count, array->shape.dim))
		return -EOVERFLOW;
	if (mx_shape_count(&array->shape, &elems) ||
	    mx_size_mul(mx_size_max(elems, 1), sizeof(float), &bytes))
		return -EOVERFLOW;
	array->data = calloc(1, bytes);
	return array->data ? 0 : -ENOMEM;
}

int mx_result_init(struct mx_result *result, const struct mx_network *net,
		   size_t sample_count, struct mx_err *err)
{
	uint32_t i;
	int rc = 0;

	*result = (struct mx_result){.net = net, .sample_count = sample_count};
	result->outputs = calloc(mx_size_max(net->output_count, 1),
				 sizeof(*result->outputs));
	if (!result->outputs)
		rc = -ENOMEM;
	for (i = 0; !rc && i < net->output_count; i++)
		rc = alloc_output(&result->outputs[i], output_shape(net, i),
				  sample_count);
	if (!rc)
		return 0;
	mx_result_fini(result);
	return mx_fail(err, ENOMEM, "%s: no memory for its outputs", net->name);
}

void mx_result_fini(struct mx_result *result)
{
	uint32_t i;

	for (i = 0; result->outputs && i < result->net->output_count; i++)
		mx_array_fini(&result->outputs[i]);
	free(result->outputs);
	*result = (struct mx_result){.net = NULL};
}

void mx_result_take(struct mx_result *result, size_t sample,
		    const struct mx_job *job)
{
	size_t elems;
	uint32_t i;

	for (i = 0; i < result->net->output_count; i++) {
		elems = mx_shape_elems(output_shape(result->net, i));
		mx_job_output(job, i, result->outputs[i].data + sample * elems);
	}
}

const char *mx_result_name(const struct mx_result *result, uint32_t index)
{
	return result->net->tensors[result->net->outputs[index]].name;
}

const float *mx_result_sample(const struct mx_result *result, uint32_t index,
			      size_t sample, size_t *count)
{
	*count = mx_shape_elems(output_shape(result->net, index));
	return result->outputs[index].data + sample * *count;
}

int mx_result_is_vector(const struct mx_result *result, uint32_t index)
{
	const struct mx_shape *shape = output_shape(result->net, index);
	uint32_t i, long_dims = 0;

	for (i = 0; i < shape->rank; i++)
		long_dims += shape->dim[i] != 1;
	return long_dims == 1 && mx_shape_elems(shape) > 1;
}

const char *mx_result_label(const struct mx_result *result, size_t index,
			    size_t count)
{
	if (result->net->label_count < count)
		return NULL;
	return result->net->labels[index];
}

static int comes_before(const float *values, size_t a, size_t b)
{
	if (isnan(values[a]) || isnan(values[b]))
		return isnan(values[a]) == isnan(values[b]) ? a < b
							    : isnan(values[b]);
	return values[a] > values[b] || (values[a] == values[b] && a < b);
}

size_t mx_top(const float *values, size_t count, size_t k, size_t *out)
{
	size_t n = 0, i, at;

	for (i = 0; i < count && k; i++) {
		if (n == k && !comes_before(values, i, out[n - 1]))
			continue;
		if (n < k)
			n++;
		for (at = n - 1; at && comes_before(values, i, out[at - 1]);
		     at--)
			out[at] = out[at - 1];
		out[at] = i;
	}
	return n;
}

void mx_summary_init(struct mx_summary *summary, const float *values,
		     size_t count)
{
	double sum = 0;
	size_t i;

	*summary = (struct mx_summary){0, 0, 0};
	if (!count)
		return;
	summary->min = summary->max = values[0];
	for (i = 0; i < count; i++) {
		summary->min = fminf(summary->min, values[i]);
		summary->max = fmaxf(summary->max, values[i]);
		sum += (double)values[i];
	}
	summary->mean = sum / (double)count;
}

static int make_directory(const char *path, struct mx_err *err)
{
	if (mkdir(path, 0777) == 0 || mx_file_is_directory(path))
		return 0;
	if (errno == EEXIST)
		errno = ENOTDIR;
	return mx_fail_errno(err, "create %s", path);
}

int mx_result_directory(const char *path, struct mx_err *err)
{
	char *text = strdup(path), *at;
	int rc = 0;

	if (!text)
		return mx_fail(err, ENOMEM, "%s: no memory", path);
	for (at = text + 1; !rc && *at; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		rc = make_directory(text, err);
		*at = '/';
	}
	if (!rc)
		rc = make_directory(path, err);
	free(text);
	return rc;
}

int mx_result_write(const struct mx_result *result, const char *directory,
		    const char *name, struct mx_err *err)
{
	char *folder, *path;
	uint32_t i;
	int rc;

	folder = mx_file_join(directory, name);
	if (!folder)
		return mx_fail(err, ENOMEM, "%s: no memory", directory);
	rc = mx_result_directory(folder, err);
	for (i = 0; !rc && i < result->net->output_count; i++) {
		if (asprintf(&path, "%s/output_%u.npy", folder, i) < 0) {
			rc = mx_fail(err, ENOMEM, "%s: no memory", folder);
			break;
		}
		rc = mx_npy_write(path, &result->outputs[i].shape,
				  result->outputs[i].data, err);
		free(path);
	}
	free(folder);
	return rc;
}
