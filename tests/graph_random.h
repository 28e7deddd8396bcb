/*
 * Random graphs of small values, with shared inputs, concatenations of
 * concatenations, reshapes, transposes and outputs in the middle: what the
 * passes must survive. The same seed makes the same graph.
 */
#ifndef MX_TESTS_GRAPH_RANDOM_H
#define MX_TESTS_GRAPH_RANDOM_H

#include "tests/graph_fixture.h"

struct fr {
	struct mx_graph *graph;
	uint64_t state;
	uint32_t values[128];
	uint32_t count;
};

static uint32_t fr_next(struct fr *fr, uint32_t below)
{
	fr->state = fr->state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(fr->state >> 33) % below;
}

static uint32_t fr_pick(struct fr *fr)
{
	/* Newer ones more often, so that chains get long. */
	const uint32_t a = fr_next(fr, fr->count);
	const uint32_t b = fr_next(fr, fr->count);

	return fr->values[a > b ? a : b];
}

static struct mx_shape fr_shape(const struct fr *fr, uint32_t v)
{
	return fr->graph->values[v].shape;
}

static uint32_t fr_transpose(struct fr *fr, const char *name, uint32_t v)
{
	static const int64_t perms[][4] = {
		{0, 2, 3, 1}, {0, 3, 1, 2}, {0, 1, 3, 2}, {0, 2, 1, 3}};
	const struct mx_shape s = fr_shape(fr, v);
	struct mx_attrs attrs = {NULL, 0};
	const int64_t *p = perms[fr_next(fr, 4)];

	if (s.rank == 2)
		FX_INTS(&attrs, "perm", 1, 0);
	else if (s.rank == 3)
		FX_INTS(&attrs, "perm", 0, 2, 1);
	else if (s.rank == 4)
		FX_INTS(&attrs, "perm", p[0], p[1], p[2], p[3]);
	else
		FX_INTS(&attrs, "perm", 0);
	return fx_simple(fr->graph, "Transpose", name, &attrs, &v, 1);
}

static uint32_t fr_reshape(struct fr *fr, const char *name, uint32_t v)
{
	const struct mx_shape s = fr_shape(fr, v);
	const size_t elems = mx_shape_elems(&s);

	switch (fr_next(fr, 4)) {
	case 0:
		return fx_reshape(fr->graph, name, v, FX_SHAPE(1, elems));
	case 1:
		if (s.rank == 4)
			return fx_reshape(fr->graph, name, v,
					  FX_SHAPE(s.dim[0], s.dim[1],
						   s.dim[2] * s.dim[3]));
		return fx_reshape(fr->graph, name, v, FX_SHAPE(1, elems, 1, 1));
	case 2:
		if (elems % 4 == 0)
			return fx_reshape(fr->graph, name, v,
					  FX_SHAPE(1, elems / 4, 2, 2));
		return fx_reshape(fr->graph, name, v, FX_SHAPE(elems));
	default:
		return fx_reshape(fr->graph, name, v, FX_SHAPE(1, 1, elems));
	}
}

/* One of up to 3 values that fit @v along the axis, concatenated. */
static uint32_t fr_concat(struct fr *fr, const char *name, uint32_t v)
{
	const struct mx_shape s = fr_shape(fr, v);
	uint32_t axis = fr_next(fr, s.rank), in[4], count = 0, tries, d;

	if (s.rank == 4 && fr_next(fr, 2))
		axis = 1;
	in[count++] = v;
	for (tries = 0; tries < 12 && count < 4; tries++) {
		const uint32_t w = fr_pick(fr);
		const struct mx_shape t = fr_shape(fr, w);

		for (d = 0; t.rank == s.rank && d < s.rank; d++)
			if (d != axis && t.dim[d] != s.dim[d])
				break;
		if (t.rank == s.rank && d == s.rank)
			in[count++] = w;
	}
	return fx_concat(fr->graph, name, axis, in, count);
}

/* With a value of the same shape or one that is broadcast to it. */
static uint32_t fr_add(struct fr *fr, const char *name, uint32_t v)
{
	const struct mx_shape s = fr_shape(fr, v);
	uint32_t tries;

	for (tries = 0; tries < 12; tries++) {
		const uint32_t w = fr_pick(fr);
		const struct mx_shape t = fr_shape(fr, w);
		struct mx_shape both;

		if (mx_shape_broadcast(&s, &t, &both) == 0 &&
		    mx_shape_equal(&s, &both))
			return fx_op(fr->graph, fr_next(fr, 2) ? "Add" : "Max",
				     name, 2, v, w);
	}
	return fx_op(fr->graph, "Add", name, 2, v, v);
}

static uint32_t fr_step(struct fr *fr, const char *name)
{
	const uint32_t v = fr_pick(fr);
	const struct mx_shape s = fr_shape(fr, v);
	const int is_map = s.rank >= 4 && mx_shape_elems(&s) < 2000;

	switch (fr_next(fr, 12)) {
	case 0:
	case 1:
		if (is_map)
			return fx_conv(fr->graph, name, v, 1 + fr_next(fr, 4),
				       fr_next(fr, 2) ? 1 : 3);
		return fx_dense(fr->graph, name, v, 1 + fr_next(fr, 6), 1);
	case 2:
		return is_map ? fx_pool(fr->graph, name, v, 1, 1)
			      : fx_op(fr->graph, "Abs", name, 1, v);
	case 3:
		return fx_op(fr->graph, "Relu", name, 1, v);
	case 4:
		return fx_op(fr->graph, "Sigmoid", name, 1, v);
	case 5:
		return s.rank >= 2 ? fx_rowwise(fr->graph, "Affine", name, v,
						fr_next(fr, 2))
				   : fx_op(fr->graph, "Tanh", name, 1, v);
	case 6:
		return fr_add(fr, name, v);
	case 7:
	case 8:
		return s.rank ? fr_concat(fr, name, v)
			      : fx_op(fr->graph, "Neg", name, 1, v);
	case 9:
		return s.rank <= 4 ? fr_transpose(fr, name, v)
				   : fx_op(fr->graph, "Neg", name, 1, v);
	case 10:
		return fr_reshape(fr, name, v);
	default:
		return fx_softmax(fr->graph, name, v, s.rank - 1);
	}
}

/* A graph of @steps nodes. */
static FX_UNUSED struct mx_graph *fr_graph(uint64_t seed, uint32_t steps)
{
	struct fr fr = {.graph = fx_graph(), .state = seed * 77777 + 1};
	char name[16];
	uint32_t i;

	fr.values[fr.count++] = FX_INPUT(fr.graph, "a", 1, 2, 3, 2);
	fr.values[fr.count++] = FX_INPUT(fr.graph, "b", 1, 4, 3, 2);
	fr.values[fr.count++] =
		FX_CONSTANT(fr.graph, "k", FX_SHAPE(1, 2, 3, 2), 1, -2, 3, 4, 5,
			    6, -1, -3, 0.5f, 0.25f, 2, 8);
	for (i = 0; i < steps; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		fr.values[fr.count] = fr_step(&fr, name);
		/* Concatenations must not grow for ever. */
		if (mx_shape_elems(
			    &fr.graph->values[fr.values[fr.count]].shape) < 400)
			fr.count++;
	}
	for (i = 3; i < fr.count; i++)
		if (i + 1 == fr.count || fr_next(&fr, 6) == 0)
			fx_output(fr.graph, fr.values[i]);
	if (fr.graph->output_count == 0)
		fx_output(fr.graph, fr.values[0]);
	return fr.graph;
}

#endif
