/*
 * labels.txt: one label a line, the line's number being the output's index, so
 * that empty lines count.
 */
#include "loader/model_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/size.h"

static size_t count_lines(const char *text, size_t size)
{
	size_t count = 0;
	size_t i;

	for (i = 0; i < size; i++)
		count += text[i] == '\n';
	return count + (size > 0 && text[size - 1] != '\n');
}

int mx_labels_parse(struct mx_network *net, const char *text, size_t size,
		    struct mx_err *err)
{
	/* The file's cap keeps the number of lines far inside 32 bits. */
	const uint32_t count = (uint32_t)count_lines(text, size);
	size_t pos = 0;

	if (memchr(text, 0, size))
		return mx_fail(err, EBADMSG, "it holds a zero byte");
	if (count == 0)
		return 0;
	net->labels = calloc(count, sizeof(*net->labels));
	if (!net->labels)
		return mx_fail_errno(err, "%" PRIu32 " labels", count);
	while (net->label_count < count) {
		const char *end = memchr(text + pos, '\n', size - pos);
		const size_t len =
			end ? (size_t)(end - text) - pos : size - pos;
		const size_t cr = len > 0 && text[pos + len - 1] == '\r';

		if (len > MX_MODEL_NAME_BYTES_MAX)
			return mx_fail(err, EBADMSG,
				       "line %" PRIu32 " is longer than %u "
				       "bytes",
				       net->label_count + 1,
				       MX_MODEL_NAME_BYTES_MAX);
		net->labels[net->label_count] = strndup(text + pos, len - cr);
		if (!net->labels[net->label_count])
			return mx_fail_errno(err, "%" PRIu32 " labels", count);
		net->label_count++;
		pos += len + 1;
	}
	return 0;
}

int mx_labels_text(const struct mx_network *net, unsigned char **bytes,
		   size_t *size, struct mx_err *err)
{
	unsigned char *text;
	size_t total = 0;
	size_t used = 0;
	uint32_t i;

	for (i = 0; i < net->label_count; i++) {
		if (strchr(net->labels[i], '\n'))
			return mx_fail(err, EINVAL,
				       "label %" PRIu32 " has more than a line",
				       i);
		total += strlen(net->labels[i]) + 1;
	}
	text = malloc(total ? total : 1);
	if (!text)
		return mx_fail_errno(err, "%" PRIu32 " labels",
				     net->label_count);
	for (i = 0; i < net->label_count; i++) {
		const size_t len = strlen(net->labels[i]);

		memcpy(text + used, net->labels[i], len);
		text[used + len] = '\n';
		used += len + 1;
	}
	*bytes = text;
	*size = total;
	return 0;
}
