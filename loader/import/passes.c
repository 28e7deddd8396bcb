#include "loader/import/passes.h"

#include <stddef.h>

/*
 * Constants first, so that patterns and affine find numbers; patterns before
 * affine, which would fold the constants that they are recognised by;
 * shuffle and focus before what ends with another layer count; activation
 * after affine, because an affine can only join what has no activation yet;
 * pooling after both, which it follows in the convolution;
 * layout when no node comes or goes any more.
 */
static int (*const passes[])(struct mx_graph *graph, struct mx_err *err) = {
	mx_pass_drop,	 mx_pass_constants, mx_pass_patterns,	mx_pass_shuffle,
	mx_pass_focus,	 mx_pass_affine,    mx_pass_activation, mx_pass_pooling,
	mx_pass_uniform, mx_pass_concat,    mx_pass_layout,	mx_pass_order,
	mx_pass_place,
};

int mx_passes_run(struct mx_graph *graph, struct mx_err *err)
{
	size_t i;
	int rc = 0;

	for (i = 0; i < sizeof(passes) / sizeof(passes[0]) && !rc; i++)
		rc = passes[i](graph, err);
	return rc;
}
