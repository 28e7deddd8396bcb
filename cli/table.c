#include "cli/table.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void mx_table_init(struct mx_table *table, const char *align)
{
	*table = (struct mx_table){.align = align, .columns = strlen(align)};
	assert(table->columns && table->columns <= MX_TABLE_COLUMNS_MAX);
}

void mx_table_cell(struct mx_table *table, const char *fmt, ...)
{
	char **grown, *text;
	va_list args;
	size_t room;
	int n;

	if (table->count == table->room) {
		room = table->room ? 2 * table->room : 64;
		grown = realloc(table->cells, room * sizeof(*grown));
		if (!grown) {
			table->failed = 1;
			return;
		}
		table->cells = grown;
		table->room = room;
	}
	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	if (n < 0)
		table->failed = 1;
	else
		table->cells[table->count++] = text;
}

/* Columns as they look on a terminal: bytes that begin a character. */
static size_t text_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void put_padding(FILE *out, size_t width)
{
	while (width--)
		fputc(' ', out);
}

static void put_csv(FILE *out, const char *text)
{
	if (!strpbrk(text, ",\"\n")) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void put_csv_row(const struct mx_table *table, FILE *out, size_t first)
{
	size_t i;

	for (i = 0; i < table->columns; i++) {
		if (i)
			fputc(',', out);
		put_csv(out, table->cells[first + i]);
	}
	fputc('\n', out);
}

static void put_row(const struct mx_table *table, FILE *out, size_t first,
		    const size_t *width, enum mx_table_style style)
{
	const int markdown = style == MX_TABLE_MARKDOWN;
	const char *text;
	size_t i, padding;
	int right;

	for (i = 0; i < table->columns; i++) {
		text = table->cells[first + i];
		padding = width[i] - text_width(text);
		right = table->align[i] == 'r';
		if (markdown)
			fputs("| ", out);
		if (right)
			put_padding(out, padding);
		fputs(text, out);
		/* No trailing spaces in plain text. */
		if (!right && (markdown || i + 1 < table->columns))
			put_padding(out, padding);
		if (i + 1 < table->columns)
			fputs(markdown ? " " : "  ", out);
	}
	fputs(markdown ? " |\n" : "\n", out);
}

static void put_rule(const struct mx_table *table, FILE *out,
		     const size_t *width)
{
	size_t i, k;

	for (i = 0; i < table->columns; i++) {
		fputs("|-", out);
		for (k = 0; k < width[i]; k++)
			fputc('-', out);
		fputc(table->align[i] == 'r' ? ':' : '-', out);
	}
	fputs("|\n", out);
}

int mx_table_print(const struct mx_table *table, FILE *out,
		   enum mx_table_style style)
{
	size_t width[MX_TABLE_COLUMNS_MAX] = {0}, i, cell;

	if (table->failed)
		return -ENOMEM;
	assert(table->count % table->columns == 0);
	for (i = 0; i < table->count; i++) {
		cell = text_width(table->cells[i]);
		if (cell > width[i % table->columns])
			width[i % table->columns] = cell;
	}
	for (i = 0; i < table->count; i += table->columns) {
		if (style == MX_TABLE_CSV)
			put_csv_row(table, out, i);
		else
			put_row(table, out, i, width, style);
		if (!i && style == MX_TABLE_MARKDOWN)
			put_rule(table, out, width);
	}
	return 0;
}

void mx_table_fini(struct mx_table *table)
{
	size_t i;

	for (i = 0; i < table->count; i++)
		free(table->cells[i]);
	free(table->cells);
	*table = (struct mx_table){.align = NULL};
}
