/*
 * A timeline as a picture (SVG): a row for each network, reading above and
 * computing below, and the memory in use under all of them.
 */
#ifndef MX_CLI_GANTT_H
#define MX_CLI_GANTT_H

#include <stdio.h>

struct mx_picture;

/* That @out can be written is the caller's to check. */
void mx_gantt_write(const struct mx_picture *picture, FILE *out);

#endif
