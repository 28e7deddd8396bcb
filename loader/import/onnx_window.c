/* Sliding windows: what convolutions and pooling have in common. */
#include <string.h>

#include "lib/size.h"
#include "loader/import/graph.h"
#include "loader/import/onnx_impl.h"

/* No attribute of a window is larger: nothing made of a few of them and a
 * tensor's dimension overflows. */
#define WINDOW_MAX ((int64_t)1 << 31)

/* A list of @count values in [@min, WINDOW_MAX], each @fallback when absent. */
static int window_list(struct mx_onnx *onnx, const struct mx_onnx_node *node,
		       const char *name, size_t count, int64_t min,
		       int64_t fallback, int64_t *out)
{
	size_t have, i;
	int rc;

	rc = mx_onnx_ints(onnx, node, name, out, &have);
	if (rc)
		return rc;
	if (have && have != count)
		return mx_onnx_bad(onnx, node, "%s has %zu values, not %zu",
				   name, have, count);
	for (i = 0; i < count; i++) {
		if (!have)
			out[i] = fallback;
		if (out[i] < min || out[i] > WINDOW_MAX)
			return mx_onnx_bad(onnx, node, "%s has the value %lld",
					   name, (long long)out[i]);
	}
	return 0;
}

int mx_onnx_window(struct mx_onnx *onnx, const struct mx_onnx_node *node,
		   const struct mx_shape *x, const size_t *kernel,
		   struct mx_onnx_window *out)
{
	int64_t pads[MX_ONNX_LIST_MAX];
	uint32_t i;
	int rc;

	memset(out, 0, sizeof(*out));
	if (x->rank < 3)
		return mx_onnx_bad(onnx, node, "its input has rank %u",
				   x->rank);
	out->spatial = x->rank - 2;
	if (out->spatial > 3)
		return mx_onnx_refuse(onnx, node, "%u spatial dimensions",
				      out->spatial);
	out->has_kernel = mx_onnx_attr(node, "kernel_shape") != NULL;
	rc = window_list(onnx, node, "kernel_shape", out->spatial, 1, 1,
			 out->kernel);
	if (!rc)
		rc = window_list(onnx, node, "strides", out->spatial, 1, 1,
				 out->stride);
	if (!rc)
		rc = window_list(onnx, node, "dilations", out->spatial, 1, 1,
				 out->dilation);
	if (!rc)
		rc = window_list(onnx, node, "pads", (size_t)2 * out->spatial,
				 -WINDOW_MAX, 0, pads);
	if (rc)
		return rc;
	for (i = 0; i < out->spatial; i++) {
		out->pad_begin[i] = pads[i];
		out->pad_end[i] = pads[out->spatial + i];
		if (pads[i] < 0 || pads[out->spatial + i] < 0)
			return mx_onnx_refuse(onnx, node, "negative pads");
		if (!kernel)
			continue;
		if (kernel[i] == 0 ||
		    (out->has_kernel && (int64_t)kernel[i] != out->kernel[i]))
			return mx_onnx_bad(onnx, node,
					   "kernel_shape is not that of the "
					   "weights");
		out->kernel[i] = (int64_t)kernel[i];
	}
	if (!kernel && !out->has_kernel)
		return mx_onnx_bad(onnx, node, "has no kernel_shape");
	return 0;
}

int mx_onnx_window_auto_pad(struct mx_onnx *onnx,
			    const struct mx_onnx_node *node,
			    const struct mx_shape *x,
			    struct mx_onnx_window *window)
{
	const char *mode = mx_onnx_string(node, "auto_pad", "NOTSET");
	int upper = strcmp(mode, "SAME_UPPER") == 0;
	uint32_t i;

	if (strcmp(mode, "NOTSET") == 0 || !*mode)
		return 0;
	if (!upper && strcmp(mode, "SAME_LOWER") != 0 &&
	    strcmp(mode, "VALID") != 0)
		return mx_onnx_refuse(onnx, node, "auto_pad=%.40s", mode);
	for (i = 0; i < window->spatial; i++) {
		int64_t in = (int64_t)x->dim[2 + i], out, pads;

		window->pad_begin[i] = 0;
		window->pad_end[i] = 0;
		if (strcmp(mode, "VALID") == 0)
			continue;
		out = (in + window->stride[i] - 1) / window->stride[i];
		pads = (out - 1) * window->stride[i] +
		       window->dilation[i] * (window->kernel[i] - 1) + 1 - in;
		if (pads < 0)
			pads = 0;
		window->pad_begin[i] = upper ? pads / 2 : pads - pads / 2;
		window->pad_end[i] = pads - window->pad_begin[i];
	}
	return 0;
}

int mx_onnx_window_store(const struct mx_onnx_window *window,
			 struct mx_attrs *attrs)
{
	const struct {
		const char *name;
		const int64_t *values;
	} lists[] = {
		{"kernel", window->kernel},
		{"stride", window->stride},
		{"dilation", window->dilation},
		{"pad_begin", window->pad_begin},
		{"pad_end", window->pad_end},
	};
	size_t i;
	int rc = 0;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]) && !rc; i++)
		rc = mx_attrs_set_ints(attrs, lists[i].name, lists[i].values,
				       window->spatial);
	return rc;
}
