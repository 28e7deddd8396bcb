/*
 * Opening what the verbs work on: a model directory, ready to compute.
 */
#ifndef MX_CLI_OPEN_H
#define MX_CLI_OPEN_H

struct mx_err;
struct mx_model;

/*
 * Open and bind the model directory @path. mx_model_close() ends it.
 * Returns as mx_model_open() and mx_network_bind(); messages begin with the
 * path.
 */
int mx_open_bound(struct mx_model **out, const char *path, struct mx_err *err);

#endif
