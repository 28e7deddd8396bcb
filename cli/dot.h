/*
 * The task graph of a plan as Graphviz reads it: each network's INIT, LOADs and
 * EXECs; solid edges for what a network asks for, dashed ones for the order
 * that a policy gave to tasks of different networks, on the storage and on the
 * processors.
 */
#ifndef MX_CLI_DOT_H
#define MX_CLI_DOT_H

#include <stdio.h>

struct mx_err;
struct mx_picture;

/* Returns 0, or -ENOMEM. That @out can be written is the caller's to check. */
int mx_dot_write(const struct mx_picture *picture, FILE *out,
		 struct mx_err *err);

#endif
