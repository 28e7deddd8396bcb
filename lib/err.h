/*
 * Why something failed: a status for the program and a line for a person.
 *
 * A status is 0 or -errno. Callers pass it up unchanged; these have a meaning
 * of their own in memexec, and the program's exit status comes from them:
 *
 *   -EBADMSG     a model or plan is invalid or corrupt
 *   -ENOTSUP     an operator or attribute is not supported
 *   -EDQUOT      the budget cannot hold what was asked for
 *   -ENOSYS      a feature of the machine that was required is missing
 *   -ETIME       the time that was given is over
 *   -EINVAL      the caller asked for something that makes no sense
 *
 * Everything else is what a system call said.
 *
 * Threads: a struct mx_err belongs to one thread at a time.
 */
#ifndef MX_LIB_ERR_H
#define MX_LIB_ERR_H

#define MX_ERR_BYTES 1024

/* The caller's, on its stack; text is always terminated. */
struct mx_err {
	char text[MX_ERR_BYTES];
};

/*
 * Write the message into @err (which may be NULL) and return -@errnum.
 * @errnum is positive. A message too long is cut and ends in "...".
 */
int mx_fail(struct mx_err *err, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* As mx_fail() with errno, whose text is appended: "open x: No such file". */
int mx_fail_errno(struct mx_err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
