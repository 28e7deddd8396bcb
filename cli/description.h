/*
 * A reference network directory: description.yaml names the files and holds
 * mean and labels.
 */
#ifndef MX_CLI_DESCRIPTION_H
#define MX_CLI_DESCRIPTION_H

#include <stddef.h>

struct mx_err;
struct mx_masa_profile;

struct mx_description {
	char *name; /* NULL: not given */
	char *network_path; /* the prototxt, directory included */
	char *weights_path; /* the caffemodel; NULL: not named */
	float mean[4];
	size_t mean_count;
	char **labels; /* result-vector, when uses-result-vector is true */
	size_t label_count;
	int uses_scales; /* the reference runs it at several sizes */
};

/* 1 if @path is a directory with a description.yaml. */
int mx_description_is(const char *path);

/*
 * Read @directory/description.yaml. mx_description_fini() ends it. Files it
 * names must lie in the directory; whether they are there is not checked.
 *
 * Returns 0, -EBADMSG (not valid YAML, a key is missing or of a wrong kind),
 * -ENOMEM, or as mx_file_read().
 */
int mx_description_read(struct mx_description *out, const char *directory,
			struct mx_err *err);

/*
 * What masa went by in the reference: max-memory-@memory_key (of 10^6 bytes)
 * and mean-execution-time (ms) of @directory/description.yaml. Returns 0, or as
 * mx_description_read().
 */
int mx_description_profile(struct mx_masa_profile *out, const char *directory,
			   const char *memory_key, struct mx_err *err);

void mx_description_fini(struct mx_description *description);

#endif
