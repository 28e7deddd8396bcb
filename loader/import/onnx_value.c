#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/size.h"
#include "loader/import/graph.h"
#include "loader/import/import.h"
#include "loader/import/onnx_impl.h"

#define TEXT_BYTES 512

int mx_onnx_value(struct mx_onnx *onnx, const char *name,
		  struct mx_onnx_value **out)
{
	struct mx_onnx_value *values;
	uint32_t before = onnx->names.count, index, i;
	int rc;

	rc = mx_onnx_names_add(&onnx->names, name, &index);
	if (rc)
		return rc;
	if (onnx->names.room > onnx->value_room) {
		values = realloc(onnx->values,
				 onnx->names.room * sizeof(*values));
		if (!values)
			return -ENOMEM;
		onnx->values = values;
		onnx->value_room = onnx->names.room;
	}
	for (i = before; i < onnx->names.count; i++) {
		memset(&onnx->values[i], 0, sizeof(onnx->values[i]));
		onnx->values[i].graph = MX_NONE;
	}
	*out = &onnx->values[index];
	return 0;
}

int mx_onnx_bad(struct mx_onnx *onnx, const struct mx_onnx_node *node,
		const char *fmt, ...)
{
	char text[TEXT_BYTES];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return mx_fail(onnx->err, EBADMSG, "%s: node %s (%s): %s",
		       onnx->opts->source, node->name, node->op, text);
}

int mx_onnx_refuse(struct mx_onnx *onnx, const struct mx_onnx_node *node,
		   const char *fmt, ...)
{
	char text[TEXT_BYTES];
	va_list args;
	int length, rc;

	length = snprintf(text, sizeof(text), fmt ? "%.200s: " : "%.200s",
			  node->op);
	if (fmt) {
		va_start(args, fmt);
		vsnprintf(text + length, sizeof(text) - (size_t)length, fmt,
			  args);
		va_end(args);
	}
	rc = mx_unsupported_add(onnx->unsupported, text, node->name);
	return rc ? rc : MX_ONNX_SKIP;
}

int mx_onnx_alloc(struct mx_onnx *onnx, size_t count, size_t elem_bytes,
		  void **out)
{
	void *memory;
	int rc;

	memory = calloc(count ? count : 1, elem_bytes);
	if (!memory)
		return mx_fail(onnx->err, ENOMEM, "%s: no memory for a tensor",
			       onnx->opts->source);
	rc = mx_graph_own(onnx->graph, memory);
	if (rc)
		return rc;
	*out = memory;
	return 0;
}

int mx_onnx_is_integer(enum mx_dtype type)
{
	return type >= MX_DTYPE_I64;
}
