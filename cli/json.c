#include "cli/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>

void mx_json_init(struct mx_json *json, FILE *out)
{
	*json = (struct mx_json){.out = out};
}

/* The length of the UTF-8 sequence at @s, 0 if it is none. */
static unsigned utf8_length(const unsigned char *s)
{
	unsigned length, i;
	uint32_t code;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		length = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		length = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		length = 4;
	else
		return 0;
	code = s[0] & (0xffu >> (length + 1));
	for (i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	/* Overlong forms, surrogates and what lies past Unicode's end. */
	if ((length == 3 && (code < 0x800 || (code >> 11) == 0x1b)) ||
	    (length == 4 && (code < 0x10000 || code > 0x10ffff)))
		return 0;
	return length;
}

static void put_string(FILE *out, const char *value)
{
	const unsigned char *s = (const unsigned char *)value;
	unsigned length;

	fputc('"', out);
	while (*s) {
		length = utf8_length(s);
		if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if (*s < ' ')
			fprintf(out, "\\u%04x", *s);
		else if (!length)
			fputs("\\ufffd", out);
		else
			fwrite(s, 1, length, out);
		s += length ? length : 1;
	}
	fputc('"', out);
}

void mx_json_flat(struct mx_json *json)
{
	json->flat_depth = json->depth + 1;
}

/* Before what stands in a group at the depth @inside. */
static void new_line(struct mx_json *json, unsigned inside)
{
	unsigned i;

	if (json->flat_depth && inside >= json->flat_depth)
		return;
	fputc('\n', json->out);
	for (i = 0; i < json->depth; i++)
		fputs("  ", json->out);
}

/* What stands before a value. */
static void begin_item(struct mx_json *json, const char *name)
{
	if (json->depth) {
		if (json->filled[json->depth - 1])
			fputc(',', json->out);
		json->filled[json->depth - 1] = 1;
		new_line(json, json->depth);
	}
	if (name) {
		put_string(json->out, name);
		fputs(": ", json->out);
	}
}

static void open_group(struct mx_json *json, const char *name, char bracket)
{
	assert(json->depth < MX_JSON_DEPTH_MAX);
	begin_item(json, name);
	fputc(bracket, json->out);
	json->filled[json->depth++] = 0;
}

static void close_group(struct mx_json *json, char bracket)
{
	assert(json->depth > 0);
	json->depth--;
	if (json->filled[json->depth])
		new_line(json, json->depth + 1);
	fputc(bracket, json->out);
	if (!json->depth)
		fputc('\n', json->out);
}

void mx_json_object(struct mx_json *json, const char *name)
{
	open_group(json, name, '{');
}

void mx_json_object_end(struct mx_json *json)
{
	close_group(json, '}');
}

void mx_json_array(struct mx_json *json, const char *name)
{
	open_group(json, name, '[');
}

void mx_json_array_end(struct mx_json *json)
{
	close_group(json, ']');
}

void mx_json_string(struct mx_json *json, const char *name, const char *value)
{
	begin_item(json, name);
	if (value)
		put_string(json->out, value);
	else
		fputs("null", json->out);
}

void mx_json_u64(struct mx_json *json, const char *name, uint64_t value)
{
	begin_item(json, name);
	fprintf(json->out, "%" PRIu64, value);
}

void mx_json_thousandths(struct mx_json *json, const char *name, uint64_t value)
{
	begin_item(json, name);
	fprintf(json->out, "%" PRIu64 ".%03u", value / 1000,
		(unsigned)(value % 1000));
}

void mx_json_number(struct mx_json *json, const char *name, double value)
{
	begin_item(json, name);
	if (isfinite(value))
		fprintf(json->out, "%.9g", value);
	else
		fputs("null", json->out);
}

void mx_json_bool(struct mx_json *json, const char *name, int value)
{
	begin_item(json, name);
	fputs(value ? "true" : "false", json->out);
}

void mx_json_null(struct mx_json *json, const char *name)
{
	begin_item(json, name);
	fputs("null", json->out);
}
