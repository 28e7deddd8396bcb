/*
 * --version: the program's version, and with -v what it computes with.
 */
#ifndef MX_CLI_VERSION_H
#define MX_CLI_VERSION_H

struct mx_err;

/*
 * Print to standard output. @verbose also names OpenBLAS's kernels, who chose
 * them, and our own instruction set; it loads OpenBLAS. Returns 0 or -ENOSYS.
 */
int mx_version_print(int verbose, struct mx_err *err);

#endif
