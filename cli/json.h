/*
 * JSON output: one object, written as it goes, indented. Keys and values come
 * in order; the writer puts commas, quotes and escapes.
 *
 * A name of NULL is an item of an array (or the outermost value).
 */
#ifndef MX_CLI_JSON_H
#define MX_CLI_JSON_H

#include <stdint.h>
#include <stdio.h>

#define MX_JSON_DEPTH_MAX 16

struct mx_json {
	FILE *out;
	unsigned depth;
	unsigned flat_depth; /* groups so deep are on one line; 0: none */
	unsigned char filled[MX_JSON_DEPTH_MAX]; /* has an item already */
};

void mx_json_init(struct mx_json *json, FILE *out);

/* The items of the group that is open now go on a line each. */
void mx_json_flat(struct mx_json *json);

void mx_json_object(struct mx_json *json, const char *name);
void mx_json_object_end(struct mx_json *json);
void mx_json_array(struct mx_json *json, const char *name);
void mx_json_array_end(struct mx_json *json);

/* Bytes that are no UTF-8 become U+FFFD. NULL is null. */
void mx_json_string(struct mx_json *json, const char *name, const char *value);
void mx_json_u64(struct mx_json *json, const char *name, uint64_t value);
/* @value / 1000, exact: nanoseconds in microseconds. */
void mx_json_thousandths(struct mx_json *json, const char *name,
			 uint64_t value);
/* Infinities and NaN, which JSON has not, are null. Nine digits: a float
 * survives. */
void mx_json_number(struct mx_json *json, const char *name, double value);
void mx_json_bool(struct mx_json *json, const char *name, int value);
void mx_json_null(struct mx_json *json, const char *name);

#endif
