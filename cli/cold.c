#include "cli/cold.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/number.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/network.h"

/* Pages asked about in one call: a file of any size costs this much. */
#define WINDOW_PAGES 4096

/* The kernel tells who could write the file alone, or owns it. */
static int may_ask(int fd)
{
	char path[64];
	struct stat st;

	if (fstat(fd, &st) == 0 && st.st_uid == geteuid())
		return 1;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return access(path, W_OK) == 0;
}

static uint64_t resident_bytes(const struct mx_network *net)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char here[WINDOW_PAGES];
	uint64_t at, size, bytes = 0;
	size_t i;

	for (at = 0; at < net->weights_file_bytes; at += size) {
		size = net->weights_file_bytes - at;
		if (size > WINDOW_PAGES * page)
			size = WINDOW_PAGES * page;
		/* mincore() takes no const, and changes nothing. */
		if (mincore((void *)(uintptr_t)(net->weights_base + at),
			    (size_t)size, here) < 0)
			return bytes;
		for (i = 0; i < (size + page - 1) / page; i++)
			if (here[i] & 1)
				bytes += page;
	}
	return bytes;
}

int mx_cold_drop(const struct mx_network *net, uint64_t *stayed_bytes,
		 struct mx_err *err)
{
	int rc;

	*stayed_bytes = 0;
	if (!net->weights_base)
		return 0;
	/* The page cache keeps pages that are mapped: ours go first. */
	if (madvise((void *)(uintptr_t)net->weights_base,
		    (size_t)net->weights_file_bytes, MADV_DONTNEED) < 0)
		return mx_fail_errno(err, "%s: drop its weights", net->name);
	rc = posix_fadvise(net->weights_fd, 0, 0, POSIX_FADV_DONTNEED);
	if (rc)
		return mx_fail(err, rc, "%s: drop its weights file: %s",
			       net->name, strerror(rc));
	if (may_ask(net->weights_fd))
		*stayed_bytes = resident_bytes(net);
	return 0;
}

int mx_cold_start(const struct mx_network *net, const struct mx_log *log,
		  struct mx_err *err)
{
	char stayed[MX_TEXT_BYTES], all[MX_TEXT_BYTES];
	uint64_t stayed_bytes;
	int rc;

	rc = mx_cold_drop(net, &stayed_bytes, err);
	if (!rc && stayed_bytes)
		mx_log(log, MX_LOG_WARNING,
		       "%s: %s of %s of its weights stay in the page cache: "
		       "another process maps or writes them",
		       net->name, mx_text_bytes(stayed_bytes, stayed),
		       mx_text_bytes(net->weights_file_bytes, all));
	return rc;
}
