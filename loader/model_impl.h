/*
 * What the files of loader/ share: the names inside a model directory, the
 * two directions of model.pb, and of labels.txt. For this folder and tests.
 *
 * Threads: the functions keep no state; a network is one thread's at a time.
 */
#ifndef MX_LOADER_MODEL_IMPL_H
#define MX_LOADER_MODEL_IMPL_H

#include <stddef.h>
#include <stdint.h>

#include "loader/mxload.h"

struct mx_err;

#define MX_MODEL_PB "model.pb"
#define MX_MODEL_WEIGHTS "weights.bin"
#define MX_MODEL_LABELS "labels.txt"
#define MX_MODEL_PROFILE "profile.pb"
/* What a killed mx_profile_write() may leave. */
#define MX_MODEL_PROFILE_TEMP "." MX_MODEL_PROFILE ".tmp"

struct mx_model {
	struct mx_network net;
	void *base; /* weights.bin, mapped; NULL when it is empty */
	size_t base_bytes;
};

/* Longer attribute lists and labels files are refused. */
#define MX_MODEL_ATTRS_MAX 256u
#define MX_MODEL_LABELS_BYTES_MAX (16u << 20)

/* model.pb ends in this: the tag of Model.hash and the hash. */
#define MX_MODEL_HASH_TAG 0x79u
#define MX_MODEL_TRAILER_BYTES 9u

/*
 * The bytes of model.pb for @net into *@bytes, malloc'ed, the caller's. Labels
 * and the mapping are not part of it. Returns 0, -ENOMEM, or -EFBIG if they
 * are more than MX_MODEL_PB_BYTES_MAX.
 */
int mx_network_pack(const struct mx_network *net, unsigned char **bytes,
		    size_t *size, struct mx_err *err);

/*
 * The network from the bytes of model.pb, checked with mx_network_check().
 * @net is overwritten; on success the caller ends it with mx_network_fini(),
 * on failure it is empty. Memory is bounded by a small multiple of @size.
 *
 * Returns 0; -EBADMSG; -ENOMEM.
 */
int mx_network_unpack(struct mx_network *net, const unsigned char *bytes,
		      size_t size, struct mx_err *err);

/*
 * Open the regular file @name in the directory @dir_fd, which people call
 * @dir_path, for reading; no symbolic link is followed. The descriptor is the
 * caller's.
 *
 * Returns 0; -ENOENT if there is none; -EBADMSG if it is no regular file; or
 * -errno.
 */
int mx_entry_open(int dir_fd, const char *dir_path, const char *name, int *fd,
		  uint64_t *size_bytes, struct mx_err *err);

/*
 * All of such a file, at most @cap bytes, into *@bytes: malloc'ed, the
 * caller's, with a 0 after the last byte. Returns as mx_entry_open(); also
 * -EBADMSG if it is larger than @cap, -ENOMEM, -EIO if it shrinks meanwhile.
 */
int mx_entry_read(int dir_fd, const char *dir_path, const char *name,
		  size_t cap, unsigned char **bytes, size_t *size,
		  struct mx_err *err);

/*
 * Labels from the text of a labels file, one a line; a CR before the line's
 * end is dropped. @net must have none yet.
 *
 * Returns 0; -EBADMSG (a zero byte, or a line above MX_MODEL_NAME_BYTES_MAX);
 * -ENOMEM.
 */
int mx_labels_parse(struct mx_network *net, const char *text, size_t size,
		    struct mx_err *err);

/*
 * The text of @net's labels, malloc'ed, the caller's. Returns 0, -EINVAL if a
 * label holds a line's end, or -ENOMEM.
 */
int mx_labels_text(const struct mx_network *net, unsigned char **bytes,
		   size_t *size, struct mx_err *err);

#endif
