#include "lib/op.h"

#include <string.h>

#include "lib/ops.h"

#define MX_OP_ENTRY(name) &mx_op_##name,
static const struct mx_op *const table[] = {MX_OPS(MX_OP_ENTRY)};
#undef MX_OP_ENTRY

#define COUNT (sizeof(table) / sizeof(table[0]))

const struct mx_op *mx_op_find(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT; i++)
		if (strcmp(table[i]->name, name) == 0)
			return table[i];
	return NULL;
}

const struct mx_op *mx_op_at(size_t index)
{
	return index < COUNT ? table[index] : NULL;
}
