#include "loader/import/prototxt_lex.h"

#include <errno.h>
#include <string.h>

#include "lib/err.h"

static int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int is_word_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static uint32_t column_of(const struct mx_lexer *lexer, const char *at)
{
	return (uint32_t)(at - lexer->line_start) + 1;
}

static int bad(const struct mx_lexer *lexer, const char *at, struct mx_err *err,
	       const char *what)
{
	return mx_fail(err, EBADMSG, "%s:%u:%u: %s", lexer->path, lexer->line,
		       column_of(lexer, at), what);
}

static void skip_blank(struct mx_lexer *lexer)
{
	for (; lexer->at < lexer->end; lexer->at++) {
		switch (*lexer->at) {
		case '\n':
			lexer->line++;
			lexer->line_start = lexer->at + 1;
			break;
		case ' ':
		case '\t':
		case '\r':
		case '\v':
		case '\f':
			break;
		case '#':
			while (lexer->at + 1 < lexer->end &&
			       lexer->at[1] != '\n')
				lexer->at++;
			break;
		default:
			return;
		}
	}
}

/* Write code point @code as UTF-8; "\u" is longer than what it stands for. */
static char *put_utf8(char *out, uint32_t code)
{
	if (code < 0x80) {
		*out++ = (char)code;
	} else if (code < 0x800) {
		*out++ = (char)(0xc0 | code >> 6);
		*out++ = (char)(0x80 | (code & 0x3f));
	} else if (code < 0x10000) {
		*out++ = (char)(0xe0 | code >> 12);
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
		*out++ = (char)(0x80 | (code & 0x3f));
	} else {
		*out++ = (char)(0xf0 | code >> 18);
		*out++ = (char)(0x80 | (code >> 12 & 0x3f));
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
		*out++ = (char)(0x80 | (code & 0x3f));
	}
	return out;
}

/* Digits of base 8 or 16 at lexer->at, at most @most; at least one. */
static int read_code(struct mx_lexer *lexer, int base, int most, uint32_t *code)
{
	int count = 0;

	*code = 0;
	while (count < most && lexer->at < lexer->end) {
		const int digit = hex_value(*lexer->at);

		if (digit < 0 || digit >= base)
			break;
		*code = *code * (uint32_t)base + (uint32_t)digit;
		lexer->at++;
		count++;
	}
	return count > 0;
}

/* After a backslash. Appends what it stands for at *@out. */
static int escape(struct mx_lexer *lexer, char **out, struct mx_err *err)
{
	static const char plain[] = "abfnrtv\\'\"?";
	static const char meaning[] = "\a\b\f\n\r\t\v\\'\"?";
	char *const start = lexer->at;
	const char *found;
	uint32_t code;
	char c;

	if (start == lexer->end)
		return bad(lexer, start, err, "a string does not end");
	c = *lexer->at++;
	found = c ? strchr(plain, c) : NULL;
	if (found) {
		*(*out)++ = meaning[found - plain];
		return 0;
	}
	if (c >= '0' && c <= '7') {
		lexer->at--;
		(void)read_code(lexer, 8, 3, &code);
		*(*out)++ = (char)(unsigned char)code;
	} else if ((c == 'x' || c == 'X') && read_code(lexer, 16, 2, &code)) {
		*(*out)++ = (char)(unsigned char)code;
	} else if ((c == 'u' && read_code(lexer, 16, 4, &code) &&
		    lexer->at - start == 5) ||
		   (c == 'U' && read_code(lexer, 16, 8, &code) &&
		    lexer->at - start == 9 && code <= 0x10ffff)) {
		*out = put_utf8(*out, code);
	} else {
		return bad(lexer, start - 1, err, "unknown escape in a string");
	}
	return 0;
}

static int lex_string(struct mx_lexer *lexer, struct mx_token *token,
		      struct mx_err *err)
{
	const char quote = *lexer->at++;
	char *out = token->text + 1;
	int rc;

	token->kind = MX_TOKEN_STRING;
	token->text = out;
	for (;;) {
		char c;

		if (lexer->at == lexer->end || *lexer->at == '\n')
			return bad(lexer, lexer->at, err,
				   "a string does not end");
		c = *lexer->at++;
		if (c == quote)
			break;
		if (c != '\\') {
			*out++ = c;
			continue;
		}
		rc = escape(lexer, &out, err);
		if (rc < 0)
			return rc;
	}
	token->size = (size_t)(out - token->text);
	if (memchr(token->text, 0, token->size))
		return bad(lexer, token->text, err,
			   "a string holds a zero byte");
	return 0;
}

/* Takes what looks like a number; mx_prototxt_int() and so on judge it. */
static int lex_number(struct mx_lexer *lexer, struct mx_token *token,
		      struct mx_err *err)
{
	char *at = lexer->at;

	token->kind = MX_TOKEN_NUMBER;
	if (*at == '0' && at + 1 < lexer->end &&
	    (at[1] == 'x' || at[1] == 'X')) {
		at += 2;
		while (at < lexer->end && hex_value(*at) >= 0)
			at++;
	} else {
		while (at < lexer->end && (is_digit(*at) || *at == '.'))
			at++;
		if (at < lexer->end && (*at == 'e' || *at == 'E')) {
			at++;
			if (at < lexer->end && (*at == '+' || *at == '-'))
				at++;
			while (at < lexer->end && is_digit(*at))
				at++;
		}
		token->size = (size_t)(at - token->text);
		if (at < lexer->end && (*at == 'f' || *at == 'F')) {
			lexer->at = ++at;
			goto check;
		}
	}
	token->size = (size_t)(at - token->text);
	lexer->at = at;
check:
	if (at < lexer->end &&
	    (is_word_start(*at) || *at == '"' || *at == '\'' || *at == '.'))
		return bad(lexer, token->text, err, "bad number");
	return 0;
}

int mx_lexer_next(struct mx_lexer *lexer, struct mx_token *out,
		  struct mx_err *err)
{
	char *at;

	skip_blank(lexer);
	at = lexer->at;
	out->text = at;
	out->size = 1;
	out->line = lexer->line;
	out->column = column_of(lexer, at);
	if (at == lexer->end) {
		out->kind = MX_TOKEN_END;
		out->size = 0;
		return 0;
	}
	if (is_word_start(*at)) {
		while (at < lexer->end && (is_word_start(*at) || is_digit(*at)))
			at++;
		out->kind = MX_TOKEN_WORD;
		out->size = (size_t)(at - lexer->at);
		lexer->at = at;
		return 0;
	}
	if (is_digit(*at) ||
	    (*at == '.' && at + 1 < lexer->end && is_digit(at[1])))
		return lex_number(lexer, out, err);
	if (*at == '"' || *at == '\'')
		return lex_string(lexer, out, err);
	if (!strchr("{}<>[]:,;-", *at) || !*at)
		return bad(lexer, at, err, "unexpected character");
	out->kind = MX_TOKEN_MARK;
	lexer->at = at + 1;
	return 0;
}
