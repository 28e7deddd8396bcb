/*
 * Tokens of protobuf's text format. For prototxt.c alone.
 */
#ifndef MX_LOADER_IMPORT_PROTOTXT_LEX_H
#define MX_LOADER_IMPORT_PROTOTXT_LEX_H

#include <stddef.h>
#include <stdint.h>

struct mx_err;

enum mx_token_kind {
	MX_TOKEN_END,
	MX_TOKEN_WORD,
	MX_TOKEN_NUMBER, /* unsigned: the minus is a mark of its own */
	MX_TOKEN_STRING, /* text is decoded */
	MX_TOKEN_MARK, /* one character, text[0] */
};

struct mx_token {
	enum mx_token_kind kind;
	char *text; /* not terminated */
	size_t size;
	uint32_t line;
	uint32_t column;
};

/* Strings are decoded in place: a decoded one is never longer. */
struct mx_lexer {
	const char *path;
	char *at;
	char *end;
	char *line_start;
	uint32_t line;
};

/* The next token. Returns 0 or -EBADMSG. */
int mx_lexer_next(struct mx_lexer *lexer, struct mx_token *out,
		  struct mx_err *err);

#endif
