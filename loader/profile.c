/*
 * Invariants of writing:
 *
 *  (1) Only the temporary file is ever written, by the process that holds its
 *      lock while it has that name; profile.pb is complete whenever it exists.
 *  (2) A temporary file that nobody locks is a dead writer's.
 */
#include "loader/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/network.h"
#include "loader/model_impl.h"
#include "loader/profile.pb-c.h"

/* What both directions demand. Returns NULL, or what is wrong. */
static const char *fault_of(const struct mx_profile *profile)
{
	const size_t values =
		(size_t)profile->thread_count * profile->layer_count;
	size_t i;

	if (!profile->host || !profile->host[0] ||
	    strlen(profile->host) > MX_PROFILE_HOST_BYTES_MAX)
		return "it names no host";
	for (i = 0; profile->host[i]; i++)
		if ((unsigned char)profile->host[i] < ' ')
			return "it names no host";
	if (profile->thread_count > MX_PROFILE_THREADS_MAX)
		return "it has too many threads";
	for (i = 0; i < values; i++)
		if (profile->layer_ns[i] == 0 ||
		    profile->layer_ns[i] > MX_PROFILE_NS_MAX)
			return "a layer's time is out of range";
	if (profile->read_bytes_per_s > MX_PROFILE_RATE_MAX ||
	    profile->latency_ns > MX_PROFILE_NS_MAX)
		return "its storage is out of range";
	return NULL;
}

static int fail_bad(const char *dir, const char *why, struct mx_err *err)
{
	return mx_fail(err, EBADMSG, "%s/%s: %s", dir, MX_MODEL_PROFILE, why);
}

/* From the message: copies, then checks. */
static int take(struct mx_profile *profile, const Mx__Pb__Profile *pb,
		const char *dir, struct mx_err *err)
{
	const char *why;

	if (pb->format != MX_PROFILE_FORMAT)
		return mx_fail(err, EBADMSG,
			       "%s/%s: format %" PRIu32 ", where this program "
			       "knows %d",
			       dir, MX_MODEL_PROFILE, pb->format,
			       MX_PROFILE_FORMAT);
	if (pb->n_layer_ns != (uint64_t)pb->layer_count * pb->thread_count)
		return fail_bad(dir, "its number of times is wrong", err);
	profile->source_hash = pb->source_hash;
	profile->layer_count = pb->layer_count;
	profile->thread_count = pb->thread_count;
	profile->read_bytes_per_s = pb->read_bytes_per_s;
	profile->latency_ns = pb->latency_ns;
	profile->measured_unix_s = pb->measured_unix_s;
	profile->host = strdup(pb->host);
	profile->layer_ns =
		calloc(pb->n_layer_ns + 1, sizeof(*profile->layer_ns));
	if (!profile->host || !profile->layer_ns)
		return mx_fail(err, ENOMEM, "%s/%s: no memory", dir,
			       MX_MODEL_PROFILE);
	if (pb->n_layer_ns)
		memcpy(profile->layer_ns, pb->layer_ns,
		       pb->n_layer_ns * sizeof(*profile->layer_ns));
	why = fault_of(profile);
	return why ? fail_bad(dir, why, err) : 0;
}

static int open_dir(const char *dir, int *fd, struct mx_err *err)
{
	*fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd < 0 ? mx_fail_errno(err, "open %s", dir) : 0;
}

int mx_profile_read(struct mx_profile *profile, const char *dir,
		    const struct mx_network *net, const char *host,
		    enum mx_profile_match *match, struct mx_err *err)
{
	Mx__Pb__Profile *pb = NULL;
	unsigned char *bytes = NULL;
	struct mx_err why = {""};
	size_t size;
	int dir_fd;
	int rc;

	memset(profile, 0, sizeof(*profile));
	rc = open_dir(dir, &dir_fd, err);
	if (rc)
		return rc;
	rc = mx_entry_read(dir_fd, dir, MX_MODEL_PROFILE, MX_PROFILE_BYTES_MAX,
			   &bytes, &size, &why);
	(void)close(dir_fd);
	if (rc == -ENOENT) {
		*match = MX_PROFILE_ABSENT;
		return 0;
	}
	if (rc)
		return mx_fail(err, -rc, "%s", why.text);
	pb = mx__pb__profile__unpack(NULL, size, bytes);
	rc = pb ? take(profile, pb, dir, err)
		: fail_bad(dir, "is no profile", err);
	if (pb)
		mx__pb__profile__free_unpacked(pb, NULL);
	free(bytes);
	if (rc) {
		mx_profile_fini(profile);
		return rc;
	}
	if (profile->source_hash != net->source_hash ||
	    profile->layer_count != net->layer_count)
		*match = MX_PROFILE_OTHER_MODEL;
	else if (strcmp(profile->host, host) != 0)
		*match = MX_PROFILE_OTHER_HOST;
	else
		*match = MX_PROFILE_APPLIES;
	return 0;
}

static int pack(const struct mx_profile *profile, const char *dir,
		unsigned char **bytes, size_t *size, struct mx_err *err)
{
	Mx__Pb__Profile pb = MX__PB__PROFILE__INIT;
	const char *why = fault_of(profile);

	if (why)
		return mx_fail(err, EINVAL, "%s/%s: not written: %s", dir,
			       MX_MODEL_PROFILE, why);
	pb.format = MX_PROFILE_FORMAT;
	pb.host = profile->host;
	pb.source_hash = profile->source_hash;
	pb.layer_count = profile->layer_count;
	pb.thread_count = profile->thread_count;
	pb.n_layer_ns = (size_t)profile->thread_count * profile->layer_count;
	pb.layer_ns = profile->layer_ns;
	pb.read_bytes_per_s = profile->read_bytes_per_s;
	pb.latency_ns = profile->latency_ns;
	pb.measured_unix_s = profile->measured_unix_s;
	*size = mx__pb__profile__get_packed_size(&pb);
	if (*size > MX_PROFILE_BYTES_MAX)
		return mx_fail(err, EFBIG,
			       "%s/%s: %zu bytes are more than a profile may "
			       "have",
			       dir, MX_MODEL_PROFILE, *size);
	*bytes = malloc(*size);
	if (!*bytes)
		return mx_fail(err, ENOMEM, "%s/%s: no memory", dir,
			       MX_MODEL_PROFILE);
	(void)mx__pb__profile__pack(&pb, *bytes);
	return 0;
}

/* The temporary file, locked and empty. Its descriptor is the caller's, also
 * after a failure that left it open. */
static int open_temp(int dir_fd, const char *dir, int *fd, struct mx_err *err)
{
	struct stat ours, there;

	*fd = openat(dir_fd, MX_MODEL_PROFILE_TEMP,
		     O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
		     0666);
	if (*fd < 0)
		return mx_fail_errno(err, "write %s/%s", dir, MX_MODEL_PROFILE);
	/* Between the two calls it may have got its final name: what is locked
	 * then is profile.pb itself, which must not be touched. */
	if (flock(*fd, LOCK_EX | LOCK_NB) < 0 || fstat(*fd, &ours) < 0 ||
	    fstatat(dir_fd, MX_MODEL_PROFILE_TEMP, &there,
		    AT_SYMLINK_NOFOLLOW) < 0 ||
	    ours.st_ino != there.st_ino || ours.st_dev != there.st_dev)
		return mx_fail(err, EBUSY,
			       "write %s/%s: somebody else is writing it", dir,
			       MX_MODEL_PROFILE);
	if (!S_ISREG(ours.st_mode) || ftruncate(*fd, 0) < 0)
		return mx_fail(err, EBADMSG, "write %s/%s: no regular file",
			       dir, MX_MODEL_PROFILE_TEMP);
	return 0;
}

static int write_all(int fd, const unsigned char *bytes, size_t size)
{
	size_t used = 0;
	ssize_t put;

	while (used < size) {
		put = write(fd, bytes + used, size - used);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		used += (size_t)put;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

static int replace(int dir_fd, const char *dir, const unsigned char *bytes,
		   size_t size, struct mx_err *err)
{
	int fd = -1;
	int rc;

	rc = open_temp(dir_fd, dir, &fd, err);
	if (rc)
		goto done;
	rc = write_all(fd, bytes, size);
	if (!rc && renameat(dir_fd, MX_MODEL_PROFILE_TEMP, dir_fd,
			    MX_MODEL_PROFILE) < 0)
		rc = -errno;
	if (rc) {
		(void)unlinkat(dir_fd, MX_MODEL_PROFILE_TEMP, 0);
		rc = mx_fail(err, -rc, "write %s/%s: %s", dir, MX_MODEL_PROFILE,
			     strerror(-rc));
		goto done;
	}
	if (fsync(dir_fd) < 0)
		rc = mx_fail_errno(err, "sync %s", dir);

done:
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

int mx_profile_write(const struct mx_profile *profile, const char *dir,
		     struct mx_err *err)
{
	unsigned char *bytes = NULL;
	size_t size = 0;
	int dir_fd;
	int rc;

	rc = pack(profile, dir, &bytes, &size, err);
	if (rc)
		return rc;
	rc = open_dir(dir, &dir_fd, err);
	if (!rc) {
		rc = replace(dir_fd, dir, bytes, size, err);
		(void)close(dir_fd);
	}
	free(bytes);
	return rc;
}

void mx_profile_fini(struct mx_profile *profile)
{
	free(profile->host);
	free(profile->layer_ns);
	memset(profile, 0, sizeof(*profile));
}
