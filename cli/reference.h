/*
 * The numeric check: a network's outputs against reference tensors.
 */
#ifndef MX_CLI_REFERENCE_H
#define MX_CLI_REFERENCE_H

#include <stddef.h>

struct mx_err;
struct mx_log;

#define MX_REFERENCE_PATHS_MAX 64

struct mx_reference {
	/* .npy files, one for each input and output of the network; or one
	 * input path alone, a directory of input_K.pb and output_K.pb. */
	const char *inputs[MX_REFERENCE_PATHS_MAX];
	size_t input_count;
	const char *outputs[MX_REFERENCE_PATHS_MAX];
	size_t output_count;
	unsigned flags; /* enum mx_session_flags */
	double rtol;
	double atol;
};

/*
 * Run the model directory on the inputs and print a line for each output.
 *
 * Returns 0 if every value is within atol + rtol * |wanted|,
 * MX_EXIT_NEGATIVE if not, or -errno.
 */
int mx_reference_check(const struct mx_reference *reference,
		       const char *directory, const struct mx_log *log,
		       struct mx_err *err);

#endif
