/*
 * NumPy's .npy files: read versions 1 to 3 of the types f4, f8, u1, i1, i4,
 * i8 and b1, little-endian; write version 1, f4.
 */
#ifndef MX_CLI_NPY_H
#define MX_CLI_NPY_H

#include <stddef.h>

#include "cli/array.h"

struct mx_err;

/* 1 if the bytes begin as an .npy file does. */
int mx_npy_is(const unsigned char *data, size_t size_bytes);

/*
 * Decode into *@out (mx_array_fini() ends it). Fortran order is refused.
 * @name is for messages.
 *
 * Returns 0, -EBADMSG (not valid, or of a type that is not read), -ENOMEM.
 */
int mx_npy_decode(const unsigned char *data, size_t size_bytes,
		  const char *name, struct mx_array *out, struct mx_err *err);

/* Write a file. Returns 0 or -errno. */
int mx_npy_write(const char *path, const struct mx_shape *shape,
		 const float *data, struct mx_err *err);

#endif
