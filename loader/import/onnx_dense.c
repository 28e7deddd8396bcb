#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/import/graph.h"
#include "loader/import/onnx_impl.h"

/* What a fully connected layer is made of. */
struct dense {
	uint32_t in;
	uint32_t axis;
	struct mx_const rows; /* [out][in] */
	double scale;
	const double *bias; /* NULL: none */
};

static int emit_dense(struct mx_onnx *onnx, struct mx_onnx_node *node,
		      const char *suffix, const struct dense *dense,
		      uint32_t *out)
{
	const size_t features = dense->rows.shape.dim[0];
	struct mx_node *made;
	double *scale = NULL;
	size_t i;
	int rc;

	rc = mx_onnx_begin(onnx, node, suffix, "Dense", &dense->in, 1, &made);
	if (!rc)
		rc = mx_attrs_set_int(&made->layer.attrs, "axis", dense->axis);
	if (!rc)
		rc = mx_attrs_set_int(&made->layer.attrs, "out_features",
				      (int64_t)features);
	if (!rc)
		rc = mx_node_set_rows(made, &dense->rows);
	if (!rc && dense->bias)
		rc = mx_node_set_vector(made, 0, dense->bias, features);
	if (!rc && dense->scale != 1) {
		scale = malloc(features * sizeof(*scale));
		if (!scale)
			return -ENOMEM;
		for (i = 0; i < features; i++)
			scale[i] = dense->scale;
		rc = mx_node_set_row_scale(made, scale, features);
		free(scale);
	}
	return rc ? rc : mx_onnx_end(onnx, node, suffix, out);
}

static void transpose_last(const struct mx_const *in, struct mx_const *out)
{
	static const uint32_t perm[] = {1, 0};

	mx_const_permute(in, perm, out);
}

int mx_onnx_matmul(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const struct mx_onnx_value *a = mx_onnx_in(node, 0);
	const struct mx_onnx_value *b = mx_onnx_in(node, 1);
	struct dense dense = {.scale = 1};
	uint32_t left, right, out;
	int rc;

	if (!b)
		return mx_onnx_bad(onnx, node, "input 1 is missing");
	if (b->kind == MX_ONNX_CONST && b->shape.rank == 2 &&
	    a->shape.rank >= 1 && mx_shape_elems(&b->shape)) {
		dense.axis = a->shape.rank - 1;
		if (a->shape.dim[dense.axis] != b->shape.dim[0])
			return mx_onnx_bad(onnx, node,
					   "%zu columns meet %zu "
					   "rows",
					   a->shape.dim[dense.axis],
					   b->shape.dim[0]);
		transpose_last(&b->constant, &dense.rows);
		rc = mx_onnx_use(onnx, node, 0, &dense.in);
		if (!rc)
			rc = emit_dense(onnx, node, NULL, &dense, &out);
		return rc ? rc : mx_onnx_result(onnx, node, 0, out, a->type);
	}
	rc = mx_onnx_use(onnx, node, 0, &left);
	if (!rc)
		rc = mx_onnx_use(onnx, node, 1, &right);
	if (!rc)
		rc = mx_onnx_emit_binary(onnx, node, NULL, "MatMul", left,
					 right, &out);
	return rc ? rc : mx_onnx_result(onnx, node, 0, out, a->type);
}

struct gemm {
	float alpha;
	float beta;
	int trans_a;
	int trans_b;
	size_t m;
	size_t n;
};

/* C as @n numbers, times beta, on the heap; NULL if it is no row. */
static int bias_row(struct mx_onnx_node *node, const struct gemm *gemm,
		    double **out)
{
	const struct mx_onnx_value *c = mx_onnx_in(node, 2);
	struct mx_shape row = {1, {gemm->n}};
	struct mx_const expanded;
	struct mx_shape both;
	double *values;
	size_t i;
	int rc;

	*out = NULL;
	if (!c || c->kind != MX_ONNX_CONST)
		return 0;
	/* Rows of one element would differ from each other. */
	if (c->shape.rank == 2 && c->shape.dim[0] != 1)
		return 0;
	if (c->shape.rank == 2)
		row = mx_shape_of(2, (const size_t[]){1, gemm->n});
	if (mx_shape_broadcast(&c->shape, &row, &both) ||
	    !mx_shape_equal(&both, &row))
		return 0;
	mx_onnx_const_expand(&c->constant, &row, &expanded);
	rc = mx_onnx_const_load(&expanded, &values);
	if (rc)
		return rc;
	for (i = 0; i < gemm->n; i++)
		values[i] *= (double)gemm->beta;
	*out = values;
	return 0;
}

static int emit_scaled(struct mx_onnx *onnx, struct mx_onnx_node *node,
		       const char *suffix, float scale, uint32_t in,
		       uint32_t *out)
{
	struct mx_onnx_abc power = {"Power", 3, {1, scale, 0}};

	if (scale == 1) {
		*out = in;
		return 0;
	}
	return mx_onnx_emit_abc(onnx, node, suffix, &power, in, out);
}

/* + beta * C */
static int add_c(struct mx_onnx *onnx, struct mx_onnx_node *node,
		 const struct gemm *gemm, uint32_t product, uint32_t *out)
{
	uint32_t c;
	int rc;

	rc = mx_onnx_use(onnx, node, 2, &c);
	if (!rc)
		rc = emit_scaled(onnx, node, "beta", gemm->beta, c, &c);
	if (!rc)
		rc = mx_onnx_emit_binary(onnx, node, NULL, "Add", product, c,
					 out);
	return rc;
}

/* Input @k, transposed if @transposed. */
static int use_matrix(struct mx_onnx *onnx, struct mx_onnx_node *node, size_t k,
		      int transposed, const char *suffix, uint32_t *out)
{
	static const uint32_t perm[] = {1, 0};
	int rc;

	rc = mx_onnx_use(onnx, node, k, out);
	if (!rc && transposed)
		rc = mx_onnx_emit_transpose(onnx, node, suffix, *out, perm, 2,
					    out);
	return rc;
}

static int gemm_init(struct mx_onnx *onnx, struct mx_onnx_node *node,
		     struct gemm *gemm)
{
	const struct mx_shape *a, *b;

	if (!mx_onnx_in(node, 1))
		return mx_onnx_bad(onnx, node, "input 1 is missing");
	a = &mx_onnx_in(node, 0)->shape;
	b = &mx_onnx_in(node, 1)->shape;
	gemm->alpha = mx_onnx_float(node, "alpha", 1);
	gemm->beta = mx_onnx_float(node, "beta", 1);
	gemm->trans_a = mx_onnx_int(node, "transA", 0) != 0;
	gemm->trans_b = mx_onnx_int(node, "transB", 0) != 0;
	if (a->rank != 2 || b->rank != 2)
		return mx_onnx_bad(onnx, node,
				   "its matrices have ranks %u and %u", a->rank,
				   b->rank);
	gemm->m = a->dim[gemm->trans_a];
	gemm->n = b->dim[!gemm->trans_b];
	if (a->dim[!gemm->trans_a] != b->dim[gemm->trans_b])
		return mx_onnx_bad(onnx, node, "%zu columns meet %zu rows",
				   a->dim[!gemm->trans_a],
				   b->dim[gemm->trans_b]);
	return 0;
}

int mx_onnx_gemm(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const struct mx_onnx_value *b = mx_onnx_in(node, 1);
	const struct mx_onnx_value *c = mx_onnx_in(node, 2);
	struct dense dense = {.axis = 1};
	struct gemm gemm = {0};
	double *bias = NULL;
	uint32_t left, right, out;
	int rc, last;

	rc = gemm_init(onnx, node, &gemm);
	if (!rc)
		rc = use_matrix(onnx, node, 0, gemm.trans_a, "a", &left);
	if (rc)
		return rc;
	if (b->kind == MX_ONNX_CONST) {
		rc = bias_row(node, &gemm, &bias);
		if (rc)
			return rc;
		last = !c || bias;
		dense.in = left;
		dense.scale = (double)gemm.alpha;
		dense.bias = bias;
		dense.rows = b->constant;
		if (!gemm.trans_b)
			transpose_last(&b->constant, &dense.rows);
		rc = emit_dense(onnx, node, last ? NULL : "product", &dense,
				&out);
		free(bias);
	} else {
		last = !c && gemm.alpha == 1;
		rc = use_matrix(onnx, node, 1, gemm.trans_b, "b", &right);
		if (!rc)
			rc = mx_onnx_emit_binary(onnx, node,
						 last ? NULL : "product",
						 "MatMul", left, right, &out);
		last = !c;
		if (!rc)
			rc = emit_scaled(onnx, node, last ? NULL : "alpha",
					 gemm.alpha, out, &out);
	}
	if (!rc && !last)
		rc = add_c(onnx, node, &gemm, out, &out);
	return rc ? rc : mx_onnx_result(onnx, node, 0, out, MX_DTYPE_F32);
}
