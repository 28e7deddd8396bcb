#include "loader/import/prototxt.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "loader/import/prototxt_lex.h"

/*
 * Invariants while parsing:
 *
 *  (1) fields[0] is the root; open[0 .. depth] are the messages around the
 *      cursor, last[d] the newest field of open[d] (0: none yet), so that
 *      appending is constant time.
 *  (2) Names and values point into the tree's own copy of the text and are
 *      terminated only when all is read: the byte after one is a delimiter
 *      that the lexer has taken by then.
 *  (3) sizes[i] are the lengths of field i's name and value until then.
 */
struct sizes {
	uint32_t name;
	uint32_t text;
};

struct parser {
	struct mx_prototxt *tree;
	struct mx_lexer lexer;
	struct mx_token token; /* the next one */
	struct sizes *sizes;
	uint32_t room;
	uint32_t depth;
	uint32_t open[MX_PROTOTXT_DEPTH_MAX + 1];
	uint32_t last[MX_PROTOTXT_DEPTH_MAX + 1];
	char close[MX_PROTOTXT_DEPTH_MAX + 1];
	struct mx_err *err;
};

static int expected(const struct parser *p, const char *what)
{
	const struct mx_token *t = &p->token;

	if (t->kind == MX_TOKEN_END)
		return mx_fail(p->err, EBADMSG,
			       "%s:%u:%u: expected %s, not the end",
			       p->tree->path, t->line, t->column, what);
	return mx_fail(p->err, EBADMSG, "%s:%u:%u: expected %s, not \"%.*s\"",
		       p->tree->path, t->line, t->column, what,
		       (int)(t->size < 40 ? t->size : 40), t->text);
}

static int advance(struct parser *p)
{
	return mx_lexer_next(&p->lexer, &p->token, p->err);
}

static int at_mark(const struct parser *p, char mark)
{
	return p->token.kind == MX_TOKEN_MARK && p->token.text[0] == mark;
}

static int grow(struct parser *p)
{
	const uint32_t room = p->room ? p->room * 2 : 64;
	struct mx_prototxt_field *fields;
	struct sizes *sizes;

	/* The text's cap keeps the doubling far from overflow. */
	fields = realloc(p->tree->fields, room * sizeof(*fields));
	if (!fields)
		return mx_fail_errno(p->err, "parse %s", p->tree->path);
	p->tree->fields = fields;
	sizes = realloc(p->sizes, room * sizeof(*sizes));
	if (!sizes)
		return mx_fail_errno(p->err, "parse %s", p->tree->path);
	p->sizes = sizes;
	p->room = room;
	return 0;
}

/* A field of the innermost open message; its value stands at p->token. */
static int add_field(struct parser *p, const struct mx_token *name,
		     enum mx_prototxt_kind kind)
{
	struct mx_prototxt *tree = p->tree;
	const uint32_t index = tree->count;
	int rc;

	if (index == p->room) {
		rc = grow(p);
		if (rc < 0)
			return rc;
	}
	tree->count++;
	tree->fields[index] = (struct mx_prototxt_field){
		.name = name ? name->text : "",
		.kind = kind,
		.line = p->token.line,
		.column = p->token.column,
	};
	p->sizes[index] = (struct sizes){
		.name = name ? (uint32_t)name->size : 0,
	};
	if (index == 0)
		return 0;
	if (p->last[p->depth])
		tree->fields[p->last[p->depth]].next = index;
	else
		tree->fields[p->open[p->depth]].child = index;
	p->last[p->depth] = index;
	return 0;
}

static void set_text(struct parser *p, char *text, size_t size)
{
	p->tree->fields[p->tree->count - 1].text = text;
	p->sizes[p->tree->count - 1].text = (uint32_t)size;
}

/* Strings side by side are one string. */
static int parse_string(struct parser *p, const struct mx_token *name)
{
	char *const text = p->token.text;
	size_t size = p->token.size;
	int rc;

	rc = add_field(p, name, MX_PROTOTXT_STRING);
	if (rc < 0)
		return rc;
	for (;;) {
		rc = advance(p);
		if (rc < 0)
			return rc;
		if (p->token.kind != MX_TOKEN_STRING)
			break;
		memmove(text + size, p->token.text, p->token.size);
		size += p->token.size;
	}
	set_text(p, text, size);
	return 0;
}

static int parse_scalar(struct parser *p, const struct mx_token *name)
{
	const struct mx_token sign = p->token;
	const int minus = at_mark(p, '-');
	enum mx_prototxt_kind kind = MX_PROTOTXT_NUMBER;
	char *text;
	size_t size;
	int rc;

	if (p->token.kind == MX_TOKEN_STRING)
		return parse_string(p, name);
	if (minus) {
		rc = advance(p);
		if (rc < 0)
			return rc;
	}
	if (p->token.kind != MX_TOKEN_NUMBER && p->token.kind != MX_TOKEN_WORD)
		return expected(p, minus ? "a number" : "a value");
	if (p->token.kind == MX_TOKEN_WORD && !minus)
		kind = MX_PROTOTXT_WORD;
	rc = add_field(p, name, kind);
	if (rc < 0)
		return rc;
	text = p->token.text;
	size = p->token.size;
	if (minus) {
		p->tree->fields[p->tree->count - 1].line = sign.line;
		p->tree->fields[p->tree->count - 1].column = sign.column;
		/* The byte before is the sign, a blank or a comment's end. */
		*--text = '-';
		size++;
	}
	set_text(p, text, size);
	return advance(p);
}

static int open_message(struct parser *p, const struct mx_token *name)
{
	const char close = at_mark(p, '{') ? '}' : '>';
	int rc;

	if (p->depth == MX_PROTOTXT_DEPTH_MAX)
		return mx_fail(p->err, EBADMSG,
			       "%s:%u:%u: messages nest deeper than %d",
			       p->tree->path, p->token.line, p->token.column,
			       MX_PROTOTXT_DEPTH_MAX);
	rc = add_field(p, name, MX_PROTOTXT_MESSAGE);
	if (rc < 0)
		return rc;
	p->depth++;
	p->open[p->depth] = p->tree->count - 1;
	p->last[p->depth] = 0;
	p->close[p->depth] = close;
	return advance(p);
}

static int is_open(const struct parser *p)
{
	return at_mark(p, '{') || at_mark(p, '<');
}

/*
 * "[a, b]". Caffe has lists of scalars alone in practice; a list of messages
 * is refused rather than half understood.
 */
static int parse_list(struct parser *p, const struct mx_token *name)
{
	int rc;

	rc = advance(p);
	if (rc < 0 || at_mark(p, ']'))
		return rc < 0 ? rc : advance(p);
	for (;;) {
		rc = parse_scalar(p, name);
		if (rc < 0)
			return rc;
		if (at_mark(p, ']'))
			return advance(p);
		if (!at_mark(p, ','))
			return expected(p, "\",\" or \"]\"");
		rc = advance(p);
		if (rc < 0)
			return rc;
	}
}

/* One field, or the opening of one, or the closing of the message. */
static int parse_step(struct parser *p)
{
	struct mx_token name;
	int rc;

	if (p->depth > 0 && at_mark(p, p->close[p->depth])) {
		p->depth--;
		goto separator;
	}
	if (p->token.kind != MX_TOKEN_WORD)
		return expected(p, p->depth == 0 ? "a field name"
				   : p->close[p->depth] == '}'
					   ? "a field name or \"}\""
					   : "a field name or \">\"");
	name = p->token;
	rc = advance(p);
	if (rc < 0)
		return rc;
	if (is_open(p))
		return open_message(p, &name);
	if (!at_mark(p, ':'))
		return expected(p, "\":\" or \"{\"");
	rc = advance(p);
	if (rc < 0)
		return rc;
	if (is_open(p))
		return open_message(p, &name);
	rc = at_mark(p, '[') ? parse_list(p, &name) : parse_scalar(p, &name);
	if (rc < 0)
		return rc;
	if (at_mark(p, ',') || at_mark(p, ';'))
		return advance(p);
	return 0;

separator:
	rc = advance(p);
	if (rc < 0)
		return rc;
	if (at_mark(p, ',') || at_mark(p, ';'))
		return advance(p);
	return 0;
}

static void terminate_all(struct parser *p)
{
	struct mx_prototxt *tree = p->tree;
	uint32_t i;

	for (i = 1; i < tree->count; i++) {
		/* They point into tree->text, which is ours to write. */
		char *const name =
			tree->text + (tree->fields[i].name - tree->text);

		name[p->sizes[i].name] = 0;
		if (tree->fields[i].text) {
			char *const text = tree->text +
					   (tree->fields[i].text - tree->text);

			text[p->sizes[i].text] = 0;
		}
	}
}

int mx_prototxt_parse(struct mx_prototxt **out, const char *path,
		      const void *text, size_t size_bytes, struct mx_err *err)
{
	struct parser p = {.err = err};
	int rc;

	if (size_bytes > MX_PROTOTXT_BYTES_MAX)
		return mx_fail(err, EBADMSG, "%s: %zu bytes, more than %zu",
			       path, size_bytes, MX_PROTOTXT_BYTES_MAX);
	p.tree = calloc(1, sizeof(*p.tree));
	if (!p.tree)
		return mx_fail_errno(err, "parse %s", path);
	p.tree->path = strdup(path);
	/* The last value needs its terminator too. */
	p.tree->text = malloc(size_bytes + 1);
	if (!p.tree->path || !p.tree->text) {
		rc = mx_fail_errno(err, "parse %s", path);
		goto fail;
	}
	if (size_bytes > 0)
		memcpy(p.tree->text, text, size_bytes);
	p.lexer = (struct mx_lexer){
		.path = p.tree->path,
		.at = p.tree->text,
		.end = p.tree->text + size_bytes,
		.line_start = p.tree->text,
		.line = 1,
	};
	rc = advance(&p);
	if (rc == 0)
		rc = add_field(&p, NULL, MX_PROTOTXT_MESSAGE);
	while (rc == 0 && (p.depth > 0 || p.token.kind != MX_TOKEN_END))
		rc = parse_step(&p);
	if (rc < 0)
		goto fail;
	terminate_all(&p);
	free(p.sizes);
	*out = p.tree;
	return 0;

fail:
	free(p.sizes);
	mx_prototxt_free(p.tree);
	return rc;
}

void mx_prototxt_free(struct mx_prototxt *tree)
{
	if (!tree)
		return;
	free(tree->fields);
	free(tree->text);
	free(tree->path);
	free(tree);
}

const struct mx_prototxt_field *mx_prototxt_first(
	const struct mx_prototxt *tree, const struct mx_prototxt_field *in)
{
	return in->child ? &tree->fields[in->child] : NULL;
}

const struct mx_prototxt_field *mx_prototxt_next(
	const struct mx_prototxt *tree, const struct mx_prototxt_field *field)
{
	return field->next ? &tree->fields[field->next] : NULL;
}

const struct mx_prototxt_field *mx_prototxt_find(
	const struct mx_prototxt *tree, const struct mx_prototxt_field *in,
	const char *name)
{
	const struct mx_prototxt_field *f = mx_prototxt_first(tree, in);

	while (f && strcmp(f->name, name) != 0)
		f = mx_prototxt_next(tree, f);
	return f;
}

const struct mx_prototxt_field *mx_prototxt_again(
	const struct mx_prototxt *tree, const struct mx_prototxt_field *field)
{
	const struct mx_prototxt_field *f = mx_prototxt_next(tree, field);

	while (f && strcmp(f->name, field->name) != 0)
		f = mx_prototxt_next(tree, f);
	return f;
}

int mx_prototxt_fail(const struct mx_prototxt *tree,
		     const struct mx_prototxt_field *field, struct mx_err *err,
		     const char *fmt, ...)
{
	char text[MX_ERR_BYTES];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return mx_fail(err, EBADMSG, "%s:%u:%u: %s", tree->path, field->line,
		       field->column, text);
}

int mx_prototxt_int(const struct mx_prototxt *tree,
		    const struct mx_prototxt_field *field, int64_t min,
		    int64_t max, int64_t *out, struct mx_err *err)
{
	long long value;
	char *end;

	if (field->kind != MX_PROTOTXT_NUMBER)
		return mx_prototxt_fail(tree, field, err,
					"%s: expected an integer", field->name);
	errno = 0;
	value = strtoll(field->text, &end, 0);
	if (*end || end == field->text)
		return mx_prototxt_fail(tree, field, err,
					"%s: expected an integer, not \"%s\"",
					field->name, field->text);
	if (errno || value < min || value > max)
		return mx_prototxt_fail(tree, field, err,
					"%s: %s is not in %lld to %lld",
					field->name, field->text,
					(long long)min, (long long)max);
	*out = value;
	return 0;
}

int mx_prototxt_float(const struct mx_prototxt *tree,
		      const struct mx_prototxt_field *field, double *out,
		      struct mx_err *err)
{
	double value;
	char *end = NULL;

	if (field->kind == MX_PROTOTXT_NUMBER ||
	    field->kind == MX_PROTOTXT_WORD) {
		value = strtod(field->text, &end);
		if (!*end && end != field->text) {
			*out = value;
			return 0;
		}
	}
	return mx_prototxt_fail(tree, field, err, "%s: expected a number",
				field->name);
}

int mx_prototxt_bool(const struct mx_prototxt *tree,
		     const struct mx_prototxt_field *field, int *out,
		     struct mx_err *err)
{
	static const char *const words[2][4] = {
		{"false", "False", "f", "0"},
		{"true", "True", "t", "1"},
	};
	size_t k;

	if (field->kind == MX_PROTOTXT_WORD ||
	    field->kind == MX_PROTOTXT_NUMBER) {
		for (k = 0; k < 8; k++) {
			if (strcmp(field->text, words[k / 4][k % 4]) == 0) {
				*out = (int)(k / 4);
				return 0;
			}
		}
	}
	return mx_prototxt_fail(tree, field, err, "%s: expected true or false",
				field->name);
}

int mx_prototxt_string(const struct mx_prototxt *tree,
		       const struct mx_prototxt_field *field, const char **out,
		       struct mx_err *err)
{
	if (field->kind != MX_PROTOTXT_STRING)
		return mx_prototxt_fail(tree, field, err,
					"%s: expected a string", field->name);
	*out = field->text;
	return 0;
}
