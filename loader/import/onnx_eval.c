/*
 * Element by element arithmetic on constants. Floats are computed in double
 * and rounded to float after each operator, as the source's runtime does:
 * sizes that a model computes with floats must come out the same.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "loader/import/import.h"
#include "loader/import/onnx_impl.h"

#define CHUNK 4096

enum map_result { MAP_AS_INPUT, MAP_BOOL };

struct map {
	const char *name;
	/* One input: f1 (and i1 for integers); several: folded with f2 and
	 * i2. NULL: not for such values. */
	double (*f1)(double);
	int64_t (*i1)(int64_t);
	double (*f2)(double, double);
	int64_t (*i2)(int64_t, int64_t);
	enum map_result result;
};

static double neg_f(double x)
{
	return -x;
}
static double recip_f(double x)
{
	return 1 / x;
}
static double not_f(double x)
{
	return x == 0;
}
static double sigmoid_f(double x)
{
	return 1 / (1 + exp(-x));
}
static double relu_f(double x)
{
	return x > 0 ? x : 0;
}
static double sign_f(double x)
{
	return (double)((x > 0) - (x < 0));
}
/* Wrapping around is the source's; signed overflow would be ours. */
static int64_t neg_i(int64_t x)
{
	return (int64_t)(0 - (uint64_t)x);
}
static int64_t abs_i(int64_t x)
{
	return x < 0 ? neg_i(x) : x;
}
static int64_t not_i(int64_t x)
{
	return x == 0;
}
static int64_t sign_i(int64_t x)
{
	return (x > 0) - (x < 0);
}
static int64_t same_i(int64_t x)
{
	return x;
}

static double add_f(double a, double b)
{
	return a + b;
}
static double sub_f(double a, double b)
{
	return a - b;
}
static double mul_f(double a, double b)
{
	return a * b;
}
static double div_f(double a, double b)
{
	return a / b;
}
static double max_f(double a, double b)
{
	return a > b ? a : b;
}
static double min_f(double a, double b)
{
	return a < b ? a : b;
}
static double eq_f(double a, double b)
{
	return a == b;
}
static double lt_f(double a, double b)
{
	return a < b;
}
static double gt_f(double a, double b)
{
	return a > b;
}
static double le_f(double a, double b)
{
	return a <= b;
}
static double ge_f(double a, double b)
{
	return a >= b;
}
static int64_t add_i(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}
static int64_t sub_i(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a - (uint64_t)b);
}
static int64_t mul_i(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a * (uint64_t)b);
}
static int64_t div_i(int64_t a, int64_t b)
{
	if (b == 0)
		return 0;
	return b == -1 ? neg_i(a) : a / b;
}
static int64_t mod_i(int64_t a, int64_t b)
{
	int64_t rest = b == 0 || b == -1 ? 0 : a % b;

	return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
/* C's remainder, of the dividend's sign. */
static int64_t fmod_i(int64_t a, int64_t b)
{
	return b == 0 || b == -1 ? 0 : a % b;
}
static int64_t pow_i(int64_t a, int64_t b)
{
	return (int64_t)pow((double)a, (double)b);
}
static int64_t max_i(int64_t a, int64_t b)
{
	return a > b ? a : b;
}
static int64_t min_i(int64_t a, int64_t b)
{
	return a < b ? a : b;
}
static int64_t eq_i(int64_t a, int64_t b)
{
	return a == b;
}
static int64_t lt_i(int64_t a, int64_t b)
{
	return a < b;
}
static int64_t gt_i(int64_t a, int64_t b)
{
	return a > b;
}
static int64_t le_i(int64_t a, int64_t b)
{
	return a <= b;
}
static int64_t ge_i(int64_t a, int64_t b)
{
	return a >= b;
}
static int64_t and_i(int64_t a, int64_t b)
{
	return a && b;
}
static int64_t or_i(int64_t a, int64_t b)
{
	return a || b;
}
static int64_t xor_i(int64_t a, int64_t b)
{
	return !a != !b;
}

#define ONE(name, f, i)                                                        \
	{                                                                      \
		name, f, i, NULL, NULL, MAP_AS_INPUT                           \
	}
#define TWO(name, f, i)                                                        \
	{                                                                      \
		name, NULL, NULL, f, i, MAP_AS_INPUT                           \
	}
#define TEST(name, f, i)                                                       \
	{                                                                      \
		name, NULL, NULL, f, i, MAP_BOOL                               \
	}

static const struct map maps[] = {
	ONE("Abs", fabs, abs_i),
	ONE("Ceil", ceil, same_i),
	ONE("Cos", cos, NULL),
	ONE("Erf", erf, NULL),
	ONE("Exp", exp, NULL),
	ONE("Floor", floor, same_i),
	ONE("Log", log, NULL),
	ONE("Neg", neg_f, neg_i),
	{"Not", not_f, not_i, NULL, NULL, MAP_BOOL},
	ONE("Reciprocal", recip_f, NULL),
	ONE("Relu", relu_f, NULL),
	ONE("Round", rint, same_i),
	ONE("Sigmoid", sigmoid_f, NULL),
	ONE("Sign", sign_f, sign_i),
	ONE("Sin", sin, NULL),
	ONE("Sqrt", sqrt, NULL),
	ONE("Tanh", tanh, NULL),
	TWO("Add", add_f, add_i),
	TWO("Sub", sub_f, sub_i),
	TWO("Mul", mul_f, mul_i),
	TWO("Div", div_f, div_i),
	TWO("Mod", NULL, mod_i),
	TWO("Mod fmod=1", fmod, fmod_i),
	TWO("Pow", pow, pow_i),
	TWO("Max", max_f, max_i),
	TWO("Min", min_f, min_i),
	TWO("Sum", add_f, add_i),
	TWO("Mean", add_f, NULL),
	TEST("And", NULL, and_i),
	TEST("Or", NULL, or_i),
	TEST("Xor", NULL, xor_i),
	TEST("Equal", eq_f, eq_i),
	TEST("Less", lt_f, lt_i),
	TEST("Greater", gt_f, gt_i),
	TEST("LessOrEqual", le_f, le_i),
	TEST("GreaterOrEqual", ge_f, ge_i),
};

static const struct map *map_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		if (strcmp(maps[i].name, name) == 0)
			return &maps[i];
	return NULL;
}

/* One operator on constants that are broadcast to @shape already. */
struct work {
	const struct map *map;
	const char *op;
	struct mx_const *in;
	size_t in_count;
	int integer;
	struct mx_shape shape;
};

static void map_floats(const struct work *work, size_t first, size_t count,
		       double *out, double *other)
{
	size_t i, k;

	mx_const_read_f64(&work->in[0], first, count, out);
	for (i = 0; work->map->f1 && i < count; i++)
		out[i] = work->map->f1(out[i]);
	for (k = 1; k < work->in_count; k++) {
		mx_const_read_f64(&work->in[k], first, count, other);
		for (i = 0; i < count; i++)
			out[i] = work->map->f2(out[i], other[i]);
	}
	if (strcmp(work->op, "Mean") == 0)
		for (i = 0; i < count; i++)
			out[i] /= (double)work->in_count;
	for (i = 0; i < count; i++)
		out[i] = (double)(float)out[i];
}

static void map_ints(const struct work *work, size_t first, size_t count,
		     int64_t *out, int64_t *other)
{
	size_t i, k;

	mx_const_read_i64(&work->in[0], first, count, out);
	for (i = 0; work->map->i1 && i < count; i++)
		out[i] = work->map->i1(out[i]);
	for (k = 1; k < work->in_count; k++) {
		mx_const_read_i64(&work->in[k], first, count, other);
		for (i = 0; i < count; i++)
			out[i] = work->map->i2(out[i], other[i]);
	}
}

/* All elements into heap memory of the graph's. */
static int run(struct mx_onnx *onnx, const struct work *work,
	       const struct mx_shape *shape, struct mx_const *out)
{
	union {
		double f[CHUNK];
		int64_t i[CHUNK];
	} * buffer;
	struct mx_blob blob = {.kind = MX_BLOB_BYTES};
	size_t count = mx_shape_elems(shape), first, n, i;
	void *memory;
	int rc;

	blob.type = work->integer ? MX_DTYPE_I64 : MX_DTYPE_F32;
	blob.count = count;
	rc = mx_onnx_alloc(onnx, count, mx_dtype_bytes(blob.type), &memory);
	if (rc)
		return rc;
	blob.data = memory;
	buffer = malloc(2 * sizeof(*buffer));
	if (!buffer)
		return -ENOMEM;
	for (first = 0; first < count; first += n) {
		n = count - first < CHUNK ? count - first : CHUNK;
		if (work->integer) {
			map_ints(work, first, n, buffer[0].i, buffer[1].i);
			memcpy((int64_t *)memory + first, buffer[0].i,
			       n * sizeof(int64_t));
			continue;
		}
		map_floats(work, first, n, buffer[0].f, buffer[1].f);
		for (i = 0; i < n; i++)
			((float *)memory)[first + i] = (float)buffer[0].f[i];
	}
	free(buffer);
	return mx_const_init(out, &blob, shape, onnx->err);
}

static int gather_inputs(struct mx_onnx *onnx, struct mx_onnx_node *node,
			 struct work *work)
{
	size_t k;

	work->shape = mx_onnx_in(node, 0)->shape;
	for (k = 0; k < node->in_count; k++) {
		const struct mx_onnx_value *value = mx_onnx_in(node, k);

		if (!value)
			return -ENOSYS;
		if (!mx_onnx_is_integer(value->type))
			work->integer = 0;
		if (mx_shape_broadcast(&work->shape, &value->shape,
				       &work->shape))
			return mx_onnx_bad(onnx, node,
					   "input %zu does not broadcast", k);
	}
	for (k = 0; k < node->in_count; k++)
		mx_onnx_const_expand(&mx_onnx_in(node, k)->constant,
				     &work->shape, &work->in[k]);
	return 0;
}

int mx_onnx_eval_map(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	/* The one operator that an attribute makes another. */
	const char *name =
		strcmp(node->op, "Mod") == 0 && mx_onnx_int(node, "fmod", 0)
			? "Mod fmod=1"
			: node->op;
	struct work work = {.map = map_find(name), .integer = 1};
	static const struct mx_shape one = {0, {0}};
	enum mx_dtype type;
	struct mx_const out, filled;
	size_t count, k;
	double value;
	int rc, uniform = 1;

	/* Before opset 7 broadcasting had its own rule: left to emit. */
	if (!work.map || mx_onnx_attr(node, "broadcast"))
		return -ENOSYS;
	work.op = node->op;
	work.in_count = node->in_count;
	work.in = calloc(node->in_count, sizeof(*work.in));
	if (!work.in)
		return -ENOMEM;
	rc = gather_inputs(onnx, node, &work);
	if (rc)
		goto end;
	rc = -ENOSYS;
	if (node->in_count > 1
		    ? (work.integer ? !work.map->i2 : !work.map->f2)
		    : (work.integer && work.map->f1 && !work.map->i1))
		goto end;
	if (mx_shape_count(&work.shape, &count))
		goto end;
	for (k = 0; k < work.in_count; k++)
		uniform &= mx_onnx_const_uniform(&work.in[k], &value);
	type = work.map->result == MAP_BOOL ? MX_DTYPE_BOOL
					    : mx_onnx_in(node, 0)->type;
	if (uniform) {
		rc = run(onnx, &work, &one, &filled);
		if (!rc)
			mx_onnx_const_expand(&filled, &work.shape, &out);
	} else if (count <= MX_ONNX_EVAL_ELEMS_MAX) {
		rc = run(onnx, &work, &work.shape, &out);
	}
	if (!rc)
		rc = mx_onnx_result_const(onnx, node, 0, &out, type);
end:
	free(work.in);
	return rc;
}

int mx_onnx_eval_cast(struct mx_onnx *onnx, struct mx_onnx_node *node)
{
	const struct mx_onnx_value *in = mx_onnx_in(node, 0);
	size_t count = mx_shape_elems(&in->shape), i;
	struct mx_const out = in->constant;
	double *values = NULL;
	int64_t *ints = NULL;
	enum mx_dtype to;
	int rc = 0;

	if (mx_onnx_dtype(mx_onnx_int(node, "to", 0), &to))
		return -ENOSYS; /* emit refuses it */
	/* Floats to integers change, and whatever becomes a truth. */
	if (mx_onnx_is_integer(to) &&
	    (!mx_onnx_is_integer(in->type) ||
	     (to == MX_DTYPE_BOOL && in->type != MX_DTYPE_BOOL))) {
		rc = mx_onnx_const_load(&in->constant, &values);
		if (!rc)
			rc = mx_onnx_const_load_ints(&in->constant, &ints);
		for (i = 0; !rc && to == MX_DTYPE_BOOL && i < count; i++)
			ints[i] = values[i] != 0;
		if (!rc)
			rc = mx_onnx_const_make(onnx, &in->shape, NULL, ints,
						&out);
		free(values);
		free(ints);
	}
	return rc ? rc : mx_onnx_result_const(onnx, node, 0, &out, to);
}
