/*
 * Tables of text: aligned columns for people, Markdown, or CSV.
 */
#ifndef MX_CLI_TABLE_H
#define MX_CLI_TABLE_H

#include <stddef.h>
#include <stdio.h>

enum mx_table_style { MX_TABLE_PLAIN, MX_TABLE_MARKDOWN, MX_TABLE_CSV };

#define MX_TABLE_COLUMNS_MAX 16

/* The caller's storage; init, cells, print, fini. */
struct mx_table {
	const char *align; /* a letter a column: 'l' or 'r' */
	size_t columns;
	char **cells; /* row by row */
	size_t count;
	size_t room;
	int failed; /* out of memory */
};

/* @align has one letter for each column, at most MX_TABLE_COLUMNS_MAX. */
void mx_table_init(struct mx_table *table, const char *align);

/* The next cell, left to right and down; the first row is the heading. */
void mx_table_cell(struct mx_table *table, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Returns 0, or -ENOMEM if a cell could not be kept. */
int mx_table_print(const struct mx_table *table, FILE *out,
		   enum mx_table_style style);

void mx_table_fini(struct mx_table *table);

#endif
