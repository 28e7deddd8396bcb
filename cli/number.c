#include "cli/number.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DURATION_NS_MAX 1e15

/* A count at *@text, which moves behind it. */
static int take_count(const char **text, uint64_t max, uint64_t *out)
{
	unsigned long long value;
	char *end;

	if (!isdigit((unsigned char)**text))
		return -EINVAL;
	errno = 0;
	value = strtoull(*text, &end, 10);
	if (errno || value > max)
		return -EINVAL;
	*text = end;
	*out = value;
	return 0;
}

int mx_parse_count(const char *text, uint64_t max, uint64_t *out)
{
	uint64_t value;

	if (take_count(&text, max, &value) || *text)
		return -EINVAL;
	*out = value;
	return 0;
}

/* A finite number at *@text, which moves behind it. */
static int take_float(const char **text, double *out)
{
	double value;
	char *end;

	if (isspace((unsigned char)**text))
		return -EINVAL;
	value = strtod(*text, &end);
	if (end == *text || !isfinite(value))
		return -EINVAL;
	*text = end;
	*out = value;
	return 0;
}

int mx_parse_float(const char *text, double *out)
{
	double value;

	if (take_float(&text, &value) || *text)
		return -EINVAL;
	*out = value;
	return 0;
}

int mx_parse_share(const char *text, double *out)
{
	double value;

	if (take_float(&text, &value) || value < 0)
		return -EINVAL;
	if (*text == '%') {
		value /= 100;
		text++;
	}
	if (*text)
		return -EINVAL;
	*out = value;
	return 0;
}

/* A size at *@text, which moves behind it. */
static int take_size(const char **text, uint64_t *out)
{
	static const char letters[] = "KMGT";
	const char *letter;
	double value;

	if (take_float(text, &value) || value < 0)
		return -EINVAL;
	letter =
		**text ? strchr(letters, toupper((unsigned char)**text)) : NULL;
	if (letter) {
		value *= (double)(1ull << (10 * (letter - letters + 1)));
		++*text;
	}
	/* From 2^53 on a double has no units of one byte. */
	if (value >= 0x1p53)
		return -EINVAL;
	*out = (uint64_t)value;
	return 0;
}

int mx_parse_size(const char *text, uint64_t *out)
{
	uint64_t value;

	if (take_size(&text, &value) || *text)
		return -EINVAL;
	*out = value;
	return 0;
}

int mx_parse_duration(const char *text, uint64_t *out_ns)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = {{"us", 1e3}, {"ms", 1e6},	 {"s", 1e9},
		     {"m", 60e9}, {"h", 3600e9}, {"", 1e6}};
	double value;
	size_t i;

	if (take_float(&text, &value) || value < 0)
		return -EINVAL;
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(text, units[i].name)) {
			if (value > DURATION_NS_MAX / units[i].ns)
				return -EINVAL;
			*out_ns = (uint64_t)llround(value * units[i].ns);
			return 0;
		}
	return -EINVAL;
}

/* "SIZE" or "SIZE-SIZE*F" at *@text. */
static int take_sizes(const char **text, uint64_t *out, size_t room,
		      size_t *count)
{
	uint64_t begin, end, factor = 2;

	if (take_size(text, &begin) || !begin)
		return -EINVAL;
	end = begin;
	if (**text == '-') {
		++*text;
		if (take_size(text, &end) || end < begin || **text != '*')
			return -EINVAL;
		++*text;
		if (take_count(text, UINT32_MAX, &factor) || factor < 2)
			return -EINVAL;
	}
	for (;;) {
		if (*count == room)
			return -EINVAL;
		out[(*count)++] = begin;
		if (begin > end / factor)
			return 0;
		begin *= factor;
	}
}

int mx_parse_sizes(const char *text, uint64_t *out, size_t room, size_t *count)
{
	*count = 0;
	for (;;) {
		if (take_sizes(&text, out, room, count))
			return -EINVAL;
		if (!*text)
			return 0;
		if (*text++ != ',')
			return -EINVAL;
	}
}

int mx_parse_floats(const char *text, float *out, size_t room, size_t *count)
{
	size_t n = 0;
	double value;

	for (;;) {
		if (n == room || take_float(&text, &value))
			return -EINVAL;
		out[n++] = (float)value;
		if (!*text)
			break;
		if (*text++ != ',')
			return -EINVAL;
	}
	*count = n;
	return 0;
}

/* "N", "A-B" or "A-B*F" at *@text. */
static int take_range(const char **text, uint64_t max, uint64_t *out,
		      size_t room, size_t *count)
{
	uint64_t begin, end, factor = 0;

	if (take_count(text, max, &begin) || !begin)
		return -EINVAL;
	end = begin;
	if (**text == '-') {
		++*text;
		if (take_count(text, max, &end) || end < begin)
			return -EINVAL;
	}
	if (**text == '*') {
		++*text;
		if (take_count(text, max, &factor) || factor < 2)
			return -EINVAL;
	}
	while (begin <= end) {
		if (*count == room)
			return -EINVAL;
		out[(*count)++] = begin;
		if (!factor)
			begin++;
		else if (begin > UINT64_MAX / factor)
			break;
		else
			begin *= factor;
	}
	return 0;
}

int mx_parse_counts(const char *text, uint64_t max, uint64_t *out, size_t room,
		    size_t *count)
{
	*count = 0;
	for (;;) {
		if (take_range(&text, max, out, room, count))
			return -EINVAL;
		if (!*text)
			return 0;
		if (*text++ != ',')
			return -EINVAL;
	}
}

const char *mx_text_bytes(uint64_t bytes, char text[MX_TEXT_BYTES])
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
	double value = (double)bytes / 1024;
	size_t i = 0;

	if (bytes < 1024) {
		(void)snprintf(text, MX_TEXT_BYTES, "%" PRIu64 " B", bytes);
		return text;
	}
	while (value >= 1023.95 && i + 1 < sizeof(units) / sizeof(units[0])) {
		value /= 1024;
		i++;
	}
	(void)snprintf(text, MX_TEXT_BYTES, "%.1f %s", value, units[i]);
	return text;
}

const char *mx_text_ns(uint64_t ns, char text[MX_TEXT_BYTES])
{
	const double value = (double)ns;

	if (ns < 1000)
		(void)snprintf(text, MX_TEXT_BYTES, "%" PRIu64 " ns", ns);
	else if (ns < 1000000)
		(void)snprintf(text, MX_TEXT_BYTES, "%.1f us", value / 1e3);
	else if (ns < 1000000000)
		(void)snprintf(text, MX_TEXT_BYTES, "%.1f ms", value / 1e6);
	else
		(void)snprintf(text, MX_TEXT_BYTES, "%.2f s", value / 1e9);
	return text;
}

const char *mx_text_count(uint64_t count, char text[MX_TEXT_BYTES])
{
	static const char letters[] = "kMGTPE";
	double value = (double)count / 1000;
	size_t i = 0;

	if (count < 1000) {
		(void)snprintf(text, MX_TEXT_BYTES, "%" PRIu64, count);
		return text;
	}
	while (value >= 999.95 && letters[i + 1]) {
		value /= 1000;
		i++;
	}
	(void)snprintf(text, MX_TEXT_BYTES, "%.1f %c", value, letters[i]);
	return text;
}
