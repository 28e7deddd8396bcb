#include "cli/feed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/file.h"
#include "cli/image.h"
#include "cli/npy.h"
#include "cli/preprocess.h"
#include "lib/err.h"
#include "lib/network.h"
#include "lib/size.h"

#define INPUT_BYTES_MAX ((size_t)4 << 30)

int mx_feed_init(struct mx_feed *feed, const struct mx_network *net,
		 struct mx_err *err)
{
	*feed = (struct mx_feed){.net = net, .sample_count = 1};
	feed->inputs =
		calloc(mx_size_max(net->input_count, 1), sizeof(*feed->inputs));
	return feed->inputs ? 0
			    : mx_fail(err, ENOMEM, "%s: no memory", net->name);
}

void mx_feed_fini(struct mx_feed *feed)
{
	uint32_t i;

	for (i = 0; feed->inputs && i < feed->net->input_count; i++)
		mx_array_fini(&feed->inputs[i]);
	free(feed->inputs);
	*feed = (struct mx_feed){.net = NULL};
}

static const struct mx_shape *input_shape(const struct mx_feed *feed,
					  uint32_t index)
{
	const struct mx_network *net = feed->net;

	return &net->tensors[net->inputs[index].tensor].shape;
}

/* How many samples of @want are in @got; 0 if it does not fit. */
static size_t count_samples(const struct mx_shape *got,
			    const struct mx_shape *want)
{
	uint32_t g = 0, w = 0;

	if (got->rank == want->rank && want->rank && want->dim[0] &&
	    got->dim[0] && got->dim[0] % want->dim[0] == 0 &&
	    !memcmp(got->dim + 1, want->dim + 1,
		    (want->rank - 1) * sizeof(want->dim[0])))
		return got->dim[0] / want->dim[0];
	while (g < got->rank && got->dim[g] == 1)
		g++;
	while (w < want->rank && want->dim[w] == 1)
		w++;
	if (got->rank - g == want->rank - w &&
	    !memcmp(got->dim + g, want->dim + w,
		    (want->rank - w) * sizeof(want->dim[0])))
		return 1;
	return 0;
}

int mx_feed_set(struct mx_feed *feed, uint32_t index, struct mx_array *array,
		const char *name, struct mx_err *err)
{
	char got[MX_SHAPE_TEXT_BYTES], want[MX_SHAPE_TEXT_BYTES];
	const struct mx_shape *shape = input_shape(feed, index);
	size_t samples;
	int rc;

	samples = count_samples(&array->shape, shape);
	if (!samples) {
		rc = mx_fail(err, EINVAL,
			     "%s: shape %s does not fit input %s of %s, %s",
			     name, mx_shape_text(&array->shape, got),
			     feed->net->tensors[feed->net->inputs[index].tensor]
				     .name,
			     feed->net->name, mx_shape_text(shape, want));
		goto fail;
	}
	if (feed->counted && samples != feed->sample_count) {
		rc = mx_fail(err, EINVAL,
			     "%s: %zu samples, but %zu for the other inputs",
			     name, samples, feed->sample_count);
		goto fail;
	}
	feed->sample_count = samples;
	feed->counted = 1;
	mx_array_fini(&feed->inputs[index]);
	feed->inputs[index] = *array;
	*array = (struct mx_array){.data = NULL};
	return 0;

fail:
	mx_array_fini(array);
	return rc;
}

/* What a path of an input says. */
struct source {
	char *path; /* heap */
	int has_part;
	struct mx_image_part part;
};

/* "FILE[WxH+X+Y]"; a file that has such a name itself is that file. */
static int split_source(struct source *source, const char *text)
{
	struct mx_image_part *part = &source->part;
	const char *bracket = strrchr(text, '[');
	int length = 0;

	*source = (struct source){.path = NULL};
	if (bracket && !mx_file_exists(text) &&
	    sscanf(bracket, "[%9ux%9u+%9u+%9u]%n", &part->width, &part->height,
		   &part->left, &part->top, &length) == 4 &&
	    length && !bracket[length]) {
		source->has_part = 1;
		source->path = strndup(text, (size_t)(bracket - text));
	} else {
		source->path = strdup(text);
	}
	return source->path ? 0 : -ENOMEM;
}

static int decode_picture(const struct mx_feed *feed, uint32_t index,
			  const unsigned char *data, size_t size_bytes,
			  const struct source *source, struct mx_array *out,
			  struct mx_err *err)
{
	struct mx_image image = {.rgb = NULL};
	int rc;

	rc = mx_image_decode(data, size_bytes, source->path, &image, err);
	if (!rc && source->has_part)
		rc = mx_image_crop(&image, &source->part, source->path, err);
	if (rc) {
		mx_image_fini(&image);
		return rc;
	}
	out->shape = *input_shape(feed, index);
	out->data = calloc(mx_size_max(mx_shape_elems(&out->shape), 1),
			   sizeof(*out->data));
	if (!out->data)
		rc = mx_fail(err, ENOMEM, "%s: no memory", source->path);
	else
		rc = mx_preprocess_image(&feed->net->inputs[index].preprocess,
					 &image, &out->shape, source->path,
					 out->data, err);
	mx_image_fini(&image);
	if (rc)
		mx_array_fini(out);
	return rc;
}

static int load(struct mx_feed *feed, uint32_t index,
		const struct source *source, struct mx_err *err)
{
	struct mx_array array = {.data = NULL};
	unsigned char *data;
	size_t size_bytes;
	int rc;

	rc = mx_file_read(source->path, INPUT_BYTES_MAX, &data, &size_bytes,
			  err);
	if (rc)
		return rc;
	if (!mx_npy_is(data, size_bytes))
		rc = decode_picture(feed, index, data, size_bytes, source,
				    &array, err);
	else if (source->has_part)
		rc = mx_fail(err, EINVAL, "%s: only a picture has parts",
			     source->path);
	else
		rc = mx_npy_decode(data, size_bytes, source->path, &array, err);
	free(data);
	if (rc)
		return rc;
	return mx_feed_set(feed, index, &array, source->path, err);
}

int mx_feed_load(struct mx_feed *feed, uint32_t index, const char *path,
		 struct mx_err *err)
{
	struct source source;
	int rc;

	if (split_source(&source, path))
		return mx_fail(err, ENOMEM, "%s: no memory", path);
	rc = load(feed, index, &source, err);
	free(source.path);
	return rc;
}

int mx_feed_parse(struct mx_feed *feed, const char *spec, struct mx_err *err)
{
	char *text, *rest, *path;
	uint32_t index = 0;
	int rc = 0;

	if (feed->net->input_count && mx_file_exists(spec))
		return mx_feed_load(feed, 0, spec, err);
	text = strdup(spec);
	if (!text)
		return mx_fail(err, ENOMEM, "%s: no memory", spec);
	rest = text;
	while (!rc && (path = strsep(&rest, ","))) {
		if (index == feed->net->input_count)
			rc = mx_fail(err, EINVAL,
				     "%s: more files than the %u inputs of %s",
				     spec, index, feed->net->name);
		else if (*path)
			rc = mx_feed_load(feed, index, path, err);
		index++;
	}
	free(text);
	return rc;
}

void mx_feed_sample(const struct mx_feed *feed, size_t sample,
		    const float **out)
{
	size_t elems;
	uint32_t i;

	for (i = 0; i < feed->net->input_count; i++) {
		elems = mx_shape_elems(input_shape(feed, i));
		out[i] = feed->inputs[i].data
				 ? feed->inputs[i].data + sample * elems
				 : NULL;
	}
}
