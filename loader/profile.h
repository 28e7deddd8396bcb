/*
 * Profile: what a model's layers and its storage were measured to take on one
 * board, kept as profile.pb in the model directory. It says for which board
 * and model it holds, so that one that was copied along does no harm.
 *
 * Threads: the functions keep no state. Any number of processes may read while
 * one writes; of two that write at once one is refused.
 */
#ifndef MX_LOADER_PROFILE_H
#define MX_LOADER_PROFILE_H

#include <stddef.h>
#include <stdint.h>

struct mx_err;
struct mx_network;

#define MX_PROFILE_FORMAT 1

/* Caps, checked before anything rests on the numbers. */
#define MX_PROFILE_BYTES_MAX ((size_t)1 << 20)
#define MX_PROFILE_HOST_BYTES_MAX 255u
#define MX_PROFILE_THREADS_MAX 256u
#define MX_PROFILE_NS_MAX ((uint64_t)1000000000000000u) /* 11 days */
#define MX_PROFILE_RATE_MAX ((uint64_t)1000000000000000u) /* bytes a second */

struct mx_profile {
	char *host; /* CPU, count, kernels: mx_host_text() (sched/host.h) */
	uint64_t source_hash; /* of the network */
	uint32_t layer_count;
	uint32_t thread_count; /* 0: layers were not measured */
	/* Wall-clock nanoseconds: layer_count values for 1 thread, then for 2,
	 * ... thread_count; each 1 .. MX_PROFILE_NS_MAX. */
	uint64_t *layer_ns;
	uint64_t read_bytes_per_s; /* 0: the storage was not measured */
	uint64_t latency_ns;
	uint64_t measured_unix_s; /* when, in seconds since 1970 */
};

enum mx_profile_match {
	MX_PROFILE_APPLIES,
	MX_PROFILE_ABSENT, /* there is none */
	MX_PROFILE_OTHER_HOST,
	MX_PROFILE_OTHER_MODEL, /* another source or number of layers */
};

/*
 * Read the profile in model directory @dir, if there is one, and say in
 * *@match whether it holds for network @net on @host. On success @profile is
 * filled in unless *@match is MX_PROFILE_ABSENT; mx_profile_fini() ends it in
 * any case.
 *
 * Returns 0; -EBADMSG if the file is no profile (the message names it);
 * -ENOMEM; or the -errno of a system call.
 */
int mx_profile_read(struct mx_profile *profile, const char *dir,
		    const struct mx_network *net, const char *host,
		    enum mx_profile_match *match, struct mx_err *err);

/*
 * Write @profile to model directory @dir, in place of one that is there. A
 * kill at any moment leaves the old one or the new one (and perhaps a
 * temporary file, which the next write takes over).
 *
 * Returns 0; -EINVAL if @profile is not what mx_profile_read() would accept;
 * -EFBIG if it takes more than MX_PROFILE_BYTES_MAX; -EBUSY if another process
 * is writing one; -ENOMEM; or the -errno of a system call.
 */
int mx_profile_write(const struct mx_profile *profile, const char *dir,
		     struct mx_err *err);

/* Free what the members point to and zero it; a zeroed one is fine. */
void mx_profile_fini(struct mx_profile *profile);

#endif
