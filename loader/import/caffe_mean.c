#include <errno.h>
#include <stdlib.h>

#include "lib/err.h"
#include "loader/import/blob.h"
#include "loader/import/caffe_blob.h"
#include "loader/import/import.h"

#define CHANNELS_MAX 4
#define CHUNK 1024

/* The sum of @count elements from @first; in double, as a picture has many. */
static double sum_of(const struct mx_const *values, size_t first, size_t count)
{
	double chunk[CHUNK], sum = 0;
	size_t done, i;

	for (done = 0; done < count; done += CHUNK) {
		const size_t n = count - done < CHUNK ? count - done : CHUNK;

		mx_const_read_f64(values, first + done, n, chunk);
		for (i = 0; i < n; i++)
			sum += chunk[i];
	}
	return sum;
}

int mx_caffe_mean(const char *path, float mean[4], size_t *channel_count,
		  struct mx_err *err)
{
	struct mx_import_source *source = NULL;
	const unsigned char *data;
	struct mx_const values;
	struct mx_shape shape;
	struct mx_blob blob;
	size_t size, channels, area, c;
	void *copy = NULL;
	int rc;

	rc = mx_import_source_map(&source, path, &data, &size, err);
	if (rc < 0)
		goto out;
	rc = mx_caffe_blob_read((struct mx_wire){.base = data, .end = size},
				path, &blob, &shape, &copy, err);
	if (rc < 0)
		goto out;
	rc = mx_const_init(&values, &blob, &shape, err);
	if (rc < 0)
		goto out;
	channels = shape.rank >= 3 ? shape.dim[shape.rank - 3] : 1;
	if (channels > CHANNELS_MAX || (shape.rank == 4 && shape.dim[0] != 1)) {
		char text[MX_SHAPE_TEXT_BYTES];

		rc = mx_fail(err, EBADMSG, "%s: no mean picture: %s", path,
			     mx_shape_text(&shape, text));
		goto out;
	}
	area = (size_t)blob.count / channels;
	for (c = 0; c < channels; c++)
		mean[c] =
			(float)(sum_of(&values, c * area, area) / (double)area);
	*channel_count = channels;
out:
	free(copy);
	mx_import_source_close(source);
	return rc;
}
