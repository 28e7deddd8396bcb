#include "cli/arrival_option.h"

#include <errno.h>
#include <string.h>

#include "cli/number.h"
#include "lib/err.h"

#define DURATION_BYTES_MAX 64

static const struct {
	const char *name;
	enum mx_gap_kind kind;
	unsigned durations;
} kinds[] = {
	{"batch", MX_GAP_BATCH, 0},
	{"constant", MX_GAP_CONSTANT, 1},
	{"uniform", MX_GAP_UNIFORM, 2},
	{"normal", MX_GAP_NORMAL, 2},
	{"exponential", MX_GAP_EXPONENTIAL, 1},
	{"poisson-ms", MX_GAP_POISSON_MS, 1},
};

#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

static int refuse(const char *text, struct mx_err *err)
{
	return mx_fail(err, EINVAL,
		       "queue: --arrivals=%s: must be batch, constant:GAP, "
		       "uniform:A,B, normal:GAP,SD, exponential:GAP, "
		       "poisson-ms:GAP or trace:FILE, a gap being such as "
		       "500ms",
		       text);
}

/* "A" or "A,B", nothing when @count is 0. */
static int parse_durations(const char *text, unsigned count, uint64_t out[2])
{
	char part[DURATION_BYTES_MAX];
	unsigned i;
	size_t bytes;

	for (i = 0; i < count; i++) {
		if (i && *text++ != ',')
			return -EINVAL;
		bytes = strcspn(text, ",");
		if (bytes >= sizeof(part))
			return -EINVAL;
		memcpy(part, text, bytes);
		part[bytes] = '\0';
		if (mx_parse_duration(part, &out[i]))
			return -EINVAL;
		text += bytes;
	}
	return *text ? -EINVAL : 0;
}

int mx_arrival_option_parse(struct mx_arrival_option *out, const char *text,
			    struct mx_err *err)
{
	const size_t name_bytes = strcspn(text, ":");
	const char *rest = text + name_bytes + (text[name_bytes] == ':');
	uint64_t ns[2] = {0, 0};
	size_t i;

	if (name_bytes == strlen("trace") && !strncmp(text, "trace:", 6)) {
		if (!*rest)
			return refuse(text, err);
		*out = (struct mx_arrival_option){.trace = rest};
		return 0;
	}
	for (i = 0; i < KIND_COUNT; i++)
		if (strlen(kinds[i].name) == name_bytes &&
		    !strncmp(kinds[i].name, text, name_bytes))
			break;
	if (i == KIND_COUNT ||
	    (text[name_bytes] == ':') != (kinds[i].durations > 0) ||
	    parse_durations(rest, kinds[i].durations, ns))
		return refuse(text, err);
	*out = (struct mx_arrival_option){
		.kind = kinds[i].kind,
		.gap_ns = ns[0],
		.spread_ns = ns[1],
	};
	return 0;
}
