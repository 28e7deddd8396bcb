#include <errno.h>
#include <string.h>

#include "lib/err.h"
#include "loader/import/caffe_impl.h"

/* The option that gives input @name its shape, or NULL. */
static const struct mx_import_shape *option_for(struct mx_caffe *caffe,
						const char *name,
						const char *layer_name)
{
	const int is_first = caffe->graph->input_count == 0;
	const struct mx_import_shape *found = NULL;
	size_t i;

	for (i = 0; i < caffe->opts->shape_count; i++) {
		const struct mx_import_shape *s = &caffe->opts->shapes[i];

		if (s->name ? strcmp(s->name, name) == 0 ||
				      (layer_name &&
				       strcmp(s->name, layer_name) == 0)
			    : is_first) {
			caffe->shape_used[i] = 1;
			found = s;
		}
	}
	return found;
}

int mx_caffe_input(struct mx_caffe *caffe, const char *name,
		   const char *layer_name, const struct mx_shape *shape,
		   const struct mx_prototxt_field *place, uint32_t *out)
{
	const struct mx_import_shape *option =
		option_for(caffe, name, layer_name);
	struct mx_shape s;
	size_t batch;

	if (!shape && !option)
		return mx_fail(caffe->err, EINVAL,
			       "%s:%u:%u: input \"%s\" has no shape: give it "
			       "with --input-shape",
			       caffe->net.tree->path, place->line,
			       place->column, name);
	s = option ? option->shape : *shape;
	if (mx_shape_count(&s, &(size_t){0}) < 0)
		return mx_prototxt_fail(caffe->net.tree, place, caffe->err,
					"input \"%s\" is too big", name);
	/* A single dimension is no batch. */
	if (s.rank < 2)
		return mx_graph_input(caffe->graph, name, &s, out, caffe->err);
	batch = shape && shape->rank >= 2 ? shape->dim[0] : s.dim[0];
	if (caffe->batch_from == 0) {
		caffe->batch_from = batch;
		caffe->batch_to = caffe->opts->keep_batch ? s.dim[0] : 1;
	}
	/* An input of another length (a list of regions, say) is no batch of
	 * pictures: it stays. */
	if (batch == caffe->batch_from || option)
		s.dim[0] = caffe->opts->keep_batch ? s.dim[0] : 1;
	return mx_graph_input(caffe->graph, name, &s, out, caffe->err);
}

int mx_caffe_input_check(const struct mx_caffe *caffe)
{
	size_t i;

	for (i = 0; i < caffe->opts->shape_count; i++)
		if (!caffe->shape_used[i])
			return mx_fail(caffe->err, EINVAL,
				       "%s has no input \"%s\" to give a shape",
				       caffe->net.tree->path,
				       caffe->opts->shapes[i].name
					       ? caffe->opts->shapes[i].name
					       : "");
	return 0;
}
