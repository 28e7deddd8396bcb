#include "pager/units.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/network.h"
#include "lib/size.h"
#include "pager/reader.h"

static uint64_t align_down(uint64_t offset)
{
	return offset & ~(uint64_t)(MX_READ_ALIGN_BYTES - 1);
}

/* Does @slice belong to the unit before it? */
static int joins(const struct mx_unit *unit, const struct mx_slice *slice)
{
	const uint64_t end = slice->offset_bytes + slice->size_bytes;

	return slice->offset_bytes >= unit->offset_bytes &&
	       slice->offset_bytes <= unit->offset_bytes + unit->size_bytes &&
	       end - unit->offset_bytes <= MX_UNIT_JOIN_BYTES;
}

static void extend(struct mx_unit *unit, const struct mx_slice *slice)
{
	const uint64_t end = slice->offset_bytes + slice->size_bytes;
	const size_t need = (size_t)(end - unit->offset_bytes);

	unit->need_bytes = mx_size_max(unit->need_bytes, need);
	unit->size_bytes =
		mx_size_round_up(unit->need_bytes, MX_READ_ALIGN_BYTES);
	unit->slice_count++;
}

int mx_units_init(struct mx_units *units, const struct mx_network *net,
		  struct mx_err *err)
{
	struct mx_unit *unit = NULL;
	uint32_t i;

	memset(units, 0, sizeof(*units));
	units->unit =
		calloc((size_t)net->slice_count + 1, sizeof(*units->unit));
	units->of_slice =
		calloc((size_t)net->slice_count + 1, sizeof(*units->of_slice));
	if (!units->unit || !units->of_slice) {
		mx_units_fini(units);
		return mx_fail(err, ENOMEM, "%s: no memory for slices",
			       net->name);
	}
	for (i = 0; i < net->slice_count; i++) {
		const struct mx_slice *slice = &net->slices[i];

		if (!unit || !joins(unit, slice)) {
			unit = &units->unit[units->count++];
			unit->offset_bytes = align_down(slice->offset_bytes);
			unit->first_slice = i;
		}
		extend(unit, slice);
		units->of_slice[i] = units->count - 1;
	}
	for (i = 0; i < units->count; i++) {
		units->largest_bytes = mx_size_max(units->largest_bytes,
						   units->unit[i].size_bytes);
		units->total_bytes += units->unit[i].size_bytes;
	}
	return 0;
}

void mx_units_fini(struct mx_units *units)
{
	free(units->unit);
	free(units->of_slice);
	memset(units, 0, sizeof(*units));
}
