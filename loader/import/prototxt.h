/*
 * Protobuf's text format without a schema: a generic tree whose fields know
 * where they stand, so that whoever reads one can say "file:line:column".
 *
 * The whole format is taken but for extensions and Any ("[name] { }"):
 * messages in { } or < >, the colon before them optional, lists, `,` and `;`
 * after a field, comments, strings with escapes and concatenation, numbers
 * (decimal, hexadecimal, octal, exponents, inf, nan), words.
 *
 * Threads: any number may read one tree.
 */
#ifndef MX_LOADER_IMPORT_PROTOTXT_H
#define MX_LOADER_IMPORT_PROTOTXT_H

#include <stddef.h>
#include <stdint.h>

struct mx_err;

/* A bigger text, or a deeper one, is refused. */
#define MX_PROTOTXT_BYTES_MAX ((size_t)64 << 20)
#define MX_PROTOTXT_DEPTH_MAX 64

enum mx_prototxt_kind {
	MX_PROTOTXT_MESSAGE,
	MX_PROTOTXT_STRING,
	MX_PROTOTXT_NUMBER, /* also -inf and -nan */
	MX_PROTOTXT_WORD, /* enums, true, false, inf, nan */
};

struct mx_prototxt_field {
	const char *name; /* "" for the root */
	const char *text; /* the value, decoded; NULL for a message */
	enum mx_prototxt_kind kind;
	uint32_t line; /* of the value, from 1 */
	uint32_t column;
	/* Fields of the tree by index; 0 (the root) is none. */
	uint32_t child;
	uint32_t next;
};

struct mx_prototxt {
	char *path; /* for messages */
	char *text;
	struct mx_prototxt_field *fields; /* 0 is the root message */
	uint32_t count;
};

/*
 * Parse @size_bytes at @text. On success the caller owns *@out and ends it
 * with mx_prototxt_free(). @path only names the text in messages. A list
 * "a: [1, 2]" becomes two fields a.
 *
 * Returns 0; -EBADMSG with "path:line:column: ..."; -ENOMEM.
 */
int mx_prototxt_parse(struct mx_prototxt **out, const char *path,
		      const void *text, size_t size_bytes, struct mx_err *err);

void mx_prototxt_free(struct mx_prototxt *tree);

/* The first field of message @in called @name, or NULL. */
const struct mx_prototxt_field *mx_prototxt_find(
	const struct mx_prototxt *tree, const struct mx_prototxt_field *in,
	const char *name);

/* The next field after @field with its name in its message, or NULL. */
const struct mx_prototxt_field *mx_prototxt_again(
	const struct mx_prototxt *tree, const struct mx_prototxt_field *field);

/* The first field of a message, and the one after a field; NULL at the end. */
const struct mx_prototxt_field *mx_prototxt_first(
	const struct mx_prototxt *tree, const struct mx_prototxt_field *in);
const struct mx_prototxt_field *mx_prototxt_next(
	const struct mx_prototxt *tree, const struct mx_prototxt_field *field);

/*
 * The value of a field. All return 0, or -EBADMSG with its place when it is
 * of another kind or out of range. Strings live as long as the tree.
 */
int mx_prototxt_int(const struct mx_prototxt *tree,
		    const struct mx_prototxt_field *field, int64_t min,
		    int64_t max, int64_t *out, struct mx_err *err);
int mx_prototxt_float(const struct mx_prototxt *tree,
		      const struct mx_prototxt_field *field, double *out,
		      struct mx_err *err);
int mx_prototxt_bool(const struct mx_prototxt *tree,
		     const struct mx_prototxt_field *field, int *out,
		     struct mx_err *err);
int mx_prototxt_string(const struct mx_prototxt *tree,
		       const struct mx_prototxt_field *field, const char **out,
		       struct mx_err *err);

/* Fail with -EBADMSG and the place of @field: "path:line:column: " + @fmt. */
int mx_prototxt_fail(const struct mx_prototxt *tree,
		     const struct mx_prototxt_field *field, struct mx_err *err,
		     const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
