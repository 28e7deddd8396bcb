/*
 * A result: the outputs of a network, one after another sample joined along
 * the first axis, and what can be said of them.
 */
#ifndef MX_CLI_RESULT_H
#define MX_CLI_RESULT_H

#include <stddef.h>
#include <stdint.h>

#include "cli/array.h"

struct mx_err;
struct mx_job;
struct mx_network;

struct mx_result {
	const struct mx_network *net;
	size_t sample_count;
	struct mx_array *outputs; /* net->output_count, joined */
};

/* Room for @sample_count samples. mx_result_fini() ends it.
 * Returns 0 or -ENOMEM. */
int mx_result_init(struct mx_result *result, const struct mx_network *net,
		   size_t sample_count, struct mx_err *err);
void mx_result_fini(struct mx_result *result);

/* Copy the outputs of a job that is done: they are sample @sample's. */
void mx_result_take(struct mx_result *result, size_t sample,
		    const struct mx_job *job);

/* The name of output @index. */
const char *mx_result_name(const struct mx_result *result, uint32_t index);

/* Values of output @index for one sample, and how many they are. */
const float *mx_result_sample(const struct mx_result *result, uint32_t index,
			      size_t sample, size_t *count);

/* 1 if one sample of output @index is a list of scores: one dimension but for
 * ones, of more than one value. */
int mx_result_is_vector(const struct mx_result *result, uint32_t index);

/* The label of value @index of a vector of @count; NULL if the network has
 * none for it. */
const char *mx_result_label(const struct mx_result *result, size_t index,
			    size_t count);

/*
 * The indices of the @k largest of @count values, largest first, of equal ones
 * the first; NaN comes last. Returns how many: @k or @count.
 */
size_t mx_top(const float *values, size_t count, size_t k, size_t *out);

struct mx_summary {
	float min;
	float max;
	double mean;
};
/* Of @count values; all zero when there are none. */
void mx_summary_init(struct mx_summary *summary, const float *values,
		     size_t count);

/* Make the directory @path, and those above it, where they are missing.
 * Returns 0 or -errno. */
int mx_result_directory(const char *path, struct mx_err *err);

/*
 * Write @directory/@name/output_K.npy for each output; the directories are
 * made where they are missing. Returns 0 or -errno.
 */
int mx_result_write(const struct mx_result *result, const char *directory,
		    const char *name, struct mx_err *err);

#endif
