/*
 * ONNX tensor files (test_data_set_N/input_0.pb): one TensorProto. Just the
 * wire format and the fields that hold values.
 */
#ifndef MX_CLI_TENSOR_FILE_H
#define MX_CLI_TENSOR_FILE_H

#include <stddef.h>

#include "cli/array.h"

struct mx_err;

/*
 * Decode into *@out (mx_array_fini() ends it): float, double, int32, int64,
 * int8, uint8 and bool. @name is for messages.
 *
 * Returns 0, -EBADMSG or -ENOMEM.
 */
int mx_tensor_file_decode(const unsigned char *data, size_t size_bytes,
			  const char *name, struct mx_array *out,
			  struct mx_err *err);

#endif
