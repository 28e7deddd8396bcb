/*
 * Log: lines for a person that no caller can be told by a return value (a
 * fallback taken, a background decision). Never a failure that is returned.
 *
 * Threads: the callback may be called from any thread that uses the object
 * which holds the log.
 */
#ifndef MX_LIB_LOG_H
#define MX_LIB_LOG_H

enum mx_log_level {
	MX_LOG_ERROR,
	MX_LOG_WARNING,
	MX_LOG_INFO,
	MX_LOG_DEBUG,
};

struct mx_log {
	enum mx_log_level level; /* nothing less urgent is passed on */
	/* @line has no newline and dies when the callback returns. */
	void (*write)(void *user, enum mx_log_level level, const char *line);
	void *user;
};

/* Format a line and pass it on. @log may be NULL: silent. */
void mx_log(const struct mx_log *log, enum mx_log_level level, const char *fmt,
	    ...) __attribute__((format(printf, 3, 4)));

#endif
