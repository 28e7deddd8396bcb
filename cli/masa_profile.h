/*
 * What masa goes by when it is not what is measured here: the peaks and mean
 * times that the reference published with its networks.
 */
#ifndef MX_CLI_MASA_PROFILE_H
#define MX_CLI_MASA_PROFILE_H

struct mx_err;
struct mx_masa_profile;
struct mx_session;

struct mx_masa_profile_source {
	const char *networks_path; /* looked in first; NULL: not */
	const char *memory_key; /* which peak, as "rss"; NULL: valgrind's */
};

/*
 * Of each network of @session, in the order in which it adds them, from
 * NAME/description.yaml in the networks' directory, else beside the model's
 * directory (mx_description_profile()). *@out is heap, the caller's to free.
 *
 * Returns 0; -EINVAL, and what was looked for, if a description is not there;
 * what mx_description_profile() returns; -ENOMEM.
 */
int mx_masa_profiles_read(struct mx_masa_profile **out,
			  const struct mx_session *session,
			  const struct mx_masa_profile_source *source,
			  struct mx_err *err);

#endif
