#include "lib/log.h"

#include <stdarg.h>
#include <stdio.h>

#define LINE_BYTES 1024

void mx_log(const struct mx_log *log, enum mx_log_level level, const char *fmt,
	    ...)
{
	char line[LINE_BYTES];
	va_list args;

	if (!log || !log->write || level > log->level)
		return;
	va_start(args, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	log->write(log->user, level, line);
}
