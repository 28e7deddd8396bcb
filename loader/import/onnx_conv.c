#include <stdlib.h>
#include <string.h>

#include "loader/import/graph.h"
#include "loader/import/onnx_impl.h"

struct conv {
	struct mx_onnx_window window;
	int64_t output_pad[MX_RANK_MAX];
	int64_t groups;
	size_t out_channels;
	struct mx_const rows;
	double *bias; /* heap; NULL: none */
};

/* Input @k, if there is one, as @count doubles on the heap. */
static int read_bias(struct mx_onnx *onnx, struct mx_onnx_node *node, size_t k,
		     size_t count, double **out)
{
	const struct mx_const *constant;
	int rc;

	if (!mx_onnx_in(node, k))
		return 0;
	rc = mx_onnx_const(onnx, node, k, &constant);
	if (rc)
		return rc;
	if (mx_shape_elems(&constant->shape) != count)
		return mx_onnx_bad(onnx, node,
				   "its bias has %zu values for %zu channels",
				   mx_shape_elems(&constant->shape), count);
	return mx_onnx_const_load(constant, out);
}

static int emit_conv(struct mx_onnx *onnx, struct mx_onnx_node *node,
		     const char *op, const struct conv *conv, int transposed)
{
	struct mx_node *made;
	struct mx_attrs *attrs;
	uint32_t in, out;
	int rc;

	rc = mx_onnx_use(onnx, node, 0, &in);
	if (!rc)
		rc = mx_onnx_begin(onnx, node, NULL, op, &in, 1, &made);
	if (rc)
		return rc;
	attrs = &made->layer.attrs;
	rc = mx_onnx_window_store(&conv->window, attrs);
	if (!rc)
		rc = mx_attrs_set_int(attrs, "groups", conv->groups);
	if (!rc)
		rc = mx_attrs_set_int(attrs, "out_channels",
				      (int64_t)conv->out_channels);
	if (!rc && transposed)
		rc = mx_attrs_set_ints(attrs, "output_pad", conv->output_pad,
				       conv->window.spatial);
	if (!rc)
		rc = mx_node_set_rows(made, &conv->rows);
	if (!rc && conv->bias)
		rc = mx_node_set_vector(made, 0, conv->bias,
					conv->out_channels);
	if (!rc)
		rc = mx_onnx_end(onnx, node, NULL, &out);
	return rc ? rc : mx_onnx_result(onnx, node, 0, out, MX_DTYPE_F32);
}

/* Weights and groups, checked against the input. @channels_at: which of the
 * weights' dimensions counts the input's channels (in each group or all). */
static int read_weights(struct mx_onnx *onnx, struct mx_onnx_node *node,
			const struct mx_const **out, struct conv *conv)
{
	const struct mx_shape *x = &mx_onnx_in(node, 0)->shape;
	const struct mx_const *weights;
	uint32_t i;
	int rc;

	rc = mx_onnx_const(onnx, node, 1, &weights);
	if (rc)
		return rc;
	conv->groups = mx_onnx_int(node, "group", 1);
	if (weights->shape.rank != x->rank || x->rank < 3)
		return mx_onnx_bad(onnx, node,
				   "weights of rank %u for an input of rank %u",
				   weights->shape.rank, x->rank);
	for (i = 0; i < weights->shape.rank; i++)
		if (weights->shape.dim[i] == 0)
			return mx_onnx_bad(onnx, node, "its weights are empty");
	if (conv->groups < 1 || conv->groups > (int64_t)x->dim[1])
		return mx_onnx_bad(onnx, node, "group is %lld",
				   (long long)conv->groups);
	*out = weights;
	return 0;
}

int mx_onnx_conv(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const struct mx_shape *x = &mx_onnx_in(node, 0)->shape;
	uint32_t perm[MX_RANK_MAX], i;
	const struct mx_const *weights;
	struct conv conv = {.bias = NULL};
	size_t groups;
	int rc;

	rc = read_weights(onnx, node, &weights, &conv);
	if (rc)
		return rc;
	groups = (size_t)conv.groups;
	conv.out_channels = weights->shape.dim[0];
	if (x->dim[1] % groups || weights->shape.dim[0] % groups ||
	    x->dim[1] / groups != weights->shape.dim[1])
		return mx_onnx_bad(onnx, node,
				   "weights of %zu x %zu channels in %zu "
				   "groups for an input of %zu",
				   weights->shape.dim[0], weights->shape.dim[1],
				   groups, x->dim[1]);
	rc = mx_onnx_window(onnx, node, x, weights->shape.dim + 2,
			    &conv.window);
	if (!rc)
		rc = mx_onnx_window_auto_pad(onnx, node, x, &conv.window);
	if (!rc)
		rc = read_bias(onnx, node, 2, conv.out_channels, &conv.bias);
	if (rc)
		return rc;
	/* [M][C/g][k...] is read as [M][k...][C/g]. */
	perm[0] = 0;
	for (i = 2; i < x->rank; i++)
		perm[i - 1] = i;
	perm[x->rank - 1] = 1;
	mx_const_permute(weights, perm, &conv.rows);
	rc = emit_conv(onnx, node, "Convolution", &conv, 0);
	free(conv.bias);
	return rc;
}

/* [C][M/g][k...] as [g][M/g][k...][C/g]. */
static void transposed_rows(const struct mx_const *weights, size_t groups,
			    struct mx_const *out)
{
	uint32_t rank = weights->shape.rank, i;
	struct mx_const rows = *weights;

	rows.shape.rank = rank + 1;
	rows.shape.dim[0] = groups;
	rows.stride[0] = weights->stride[0] * (weights->shape.dim[0] / groups);
	for (i = 1; i < rank; i++) {
		rows.shape.dim[i] = weights->shape.dim[i];
		rows.stride[i] = weights->stride[i];
	}
	rows.shape.dim[rank] = weights->shape.dim[0] / groups;
	rows.stride[rank] = weights->stride[0];
	if (groups == 1) {
		rows.shape.rank = rank;
		memmove(rows.shape.dim, rows.shape.dim + 1,
			rank * sizeof(rows.shape.dim[0]));
		memmove(rows.stride, rows.stride + 1,
			rank * sizeof(rows.stride[0]));
	}
	*out = rows;
}

/* Pads from the size that the output is to have: output_shape's, or stride
 * times the input's. What the pads cannot do, output_pad does. */
static void pads_for_size(const struct mx_shape *x, const int64_t *size,
			  int upper, struct conv *conv)
{
	struct mx_onnx_window *w = &conv->window;
	uint32_t i;

	for (i = 0; i < w->spatial; i++) {
		int64_t in = (int64_t)x->dim[2 + i];
		int64_t want = size ? size[i] : in * w->stride[i];
		int64_t total = w->stride[i] * (in - 1) + conv->output_pad[i] +
				w->dilation[i] * (w->kernel[i] - 1) + 1 - want;

		if (total < 0) {
			conv->output_pad[i] -= total;
			total = 0;
		}
		w->pad_begin[i] = upper ? total / 2 : total - total / 2;
		w->pad_end[i] = total - w->pad_begin[i];
	}
}

static int transposed_pads(struct mx_onnx *onnx, struct mx_onnx_node *node,
			   struct conv *conv)
{
	const struct mx_shape *x = &mx_onnx_in(node, 0)->shape;
	const char *mode = mx_onnx_string(node, "auto_pad", "NOTSET");
	const int upper = strcmp(mode, "SAME_UPPER") == 0;
	int64_t list[MX_ONNX_LIST_MAX];
	size_t count, i;
	int rc;

	rc = mx_onnx_ints(onnx, node, "output_padding", list, &count);
	if (rc)
		return rc;
	if (count && count != conv->window.spatial)
		return mx_onnx_bad(onnx, node, "output_padding has %zu values",
				   count);
	for (i = 0; i < count; i++) {
		if (list[i] < 0 || list[i] > UINT32_MAX)
			return mx_onnx_bad(onnx, node, "output_padding is %lld",
					   (long long)list[i]);
		conv->output_pad[i] = list[i];
	}
	rc = mx_onnx_ints(onnx, node, "output_shape", list, &count);
	if (rc)
		return rc;
	/* Some exporters list batch and channels, too. */
	if (count && count != conv->window.spatial &&
	    count != conv->window.spatial + 2)
		return mx_onnx_bad(onnx, node, "output_shape has %zu values",
				   count);
	for (i = 0; i < count; i++)
		if (list[i] < 1 || list[i] > UINT32_MAX)
			return mx_onnx_bad(onnx, node, "output_shape is %lld",
					   (long long)list[i]);
	if (count) {
		pads_for_size(x, list + (count - conv->window.spatial), upper,
			      conv);
		return 0;
	}
	if (upper || strcmp(mode, "SAME_LOWER") == 0) {
		pads_for_size(x, NULL, upper, conv);
		return 0;
	}
	return mx_onnx_window_auto_pad(onnx, node, x, &conv->window);
}

int mx_onnx_conv_transpose(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const struct mx_shape *x = &mx_onnx_in(node, 0)->shape;
	const struct mx_const *weights;
	struct conv conv = {.bias = NULL};
	size_t groups;
	int rc;

	rc = read_weights(onnx, node, &weights, &conv);
	if (rc)
		return rc;
	groups = (size_t)conv.groups;
	conv.out_channels = weights->shape.dim[1] * groups;
	if (x->dim[1] != weights->shape.dim[0] || x->dim[1] % groups)
		return mx_onnx_bad(onnx, node,
				   "weights for %zu channels in %zu groups, an "
				   "input of %zu",
				   weights->shape.dim[0], groups, x->dim[1]);
	rc = mx_onnx_window(onnx, node, x, weights->shape.dim + 2,
			    &conv.window);
	if (!rc)
		rc = transposed_pads(onnx, node, &conv);
	if (!rc)
		rc = read_bias(onnx, node, 2, conv.out_channels, &conv.bias);
	if (rc)
		return rc;
	transposed_rows(weights, groups, &conv.rows);
	rc = emit_conv(onnx, node, "Deconvolution", &conv, 1);
	free(conv.bias);
	return rc;
}
