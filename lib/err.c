#include "lib/err.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static __attribute__((format(printf, 2, 0))) void put(struct mx_err *err,
						      const char *fmt,
						      va_list args,
						      const char *tail)
{
	const size_t room = sizeof(err->text);
	size_t used;
	int n;

	n = vsnprintf(err->text, room, fmt, args);
	used = n < 0 ? 0 : (size_t)n;
	if (used < room && tail) {
		n = snprintf(err->text + used, room - used, ": %s", tail);
		used += n < 0 ? 0 : (size_t)n;
	}
	if (used >= room)
		memcpy(err->text + room - 4, "...", 4);
}

int mx_fail(struct mx_err *err, int errnum, const char *fmt, ...)
{
	va_list args;

	assert(errnum > 0);
	if (err) {
		va_start(args, fmt);
		put(err, fmt, args, NULL);
		va_end(args);
	}
	return -errnum;
}

int mx_fail_errno(struct mx_err *err, const char *fmt, ...)
{
	const int errnum = errno ? errno : EIO;
	char text[128];
	va_list args;

	if (err) {
		va_start(args, fmt);
		put(err, fmt, args, strerror_r(errnum, text, sizeof(text)));
		va_end(args);
	}
	return -errnum;
}
