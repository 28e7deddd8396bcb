#include "sched/host.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/simd.h"

/* The first processor's part of /proc/cpuinfo is less. */
#define CPUINFO_BYTES 4096
#define NAME_BYTES 128

/* The value of the first line "key : value": its begin, and its length. NULL
 * if there is none. */
static const char *value_of(const char *text, const char *key, size_t *len)
{
	const size_t key_len = strlen(key);

	while (*text) {
		const size_t line_len = strcspn(text, "\n");

		if (line_len > key_len && strncmp(text, key, key_len) == 0 &&
		    strchr("\t :", text[key_len])) {
			const size_t skip =
				key_len + strspn(text + key_len, "\t :");

			*len = skip < line_len ? line_len - skip : 0;
			return text + skip;
		}
		text += line_len;
		text += *text == '\n';
	}
	return NULL;
}

void mx_host_cpu(const char *cpuinfo, char *out, size_t room)
{
	size_t name_len = 0, implementer_len = 0, part_len = 0;
	const char *name = value_of(cpuinfo, "model name", &name_len);
	const char *implementer =
		value_of(cpuinfo, "CPU implementer", &implementer_len);
	const char *part = value_of(cpuinfo, "CPU part", &part_len);

	if (name && name_len)
		(void)snprintf(out, room, "%.*s", (int)name_len, name);
	else if (implementer && part)
		(void)snprintf(out, room, "CPU %.*s/%.*s", (int)implementer_len,
			       implementer, (int)part_len, part);
	else
		(void)snprintf(out, room, "unknown CPU");
}

void mx_host_text(const char *blas_core, char text[MX_HOST_TEXT_BYTES])
{
	const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	char cpuinfo[CPUINFO_BYTES];
	char name[NAME_BYTES];
	ssize_t n = -1;
	int fd;

	fd = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, cpuinfo, sizeof(cpuinfo) - 1);
		(void)close(fd);
	}
	cpuinfo[n > 0 ? n : 0] = '\0';
	mx_host_cpu(cpuinfo, name, sizeof(name));
	(void)snprintf(text, MX_HOST_TEXT_BYTES,
		       "%s, %ld CPU%s, %s, OpenBLAS %s", name,
		       cpus > 0 ? cpus : 1, cpus > 1 ? "s" : "",
		       mx_simd_best()->isa, blas_core ? blas_core : "none");
}
