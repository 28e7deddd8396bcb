/*
 * Whole files in memory, with a cap.
 */
#ifndef MX_CLI_FILE_H
#define MX_CLI_FILE_H

#include <stddef.h>
#include <stdio.h>

struct mx_err;

/*
 * Read the regular file @path, at most @max_bytes. *@data is the caller's to
 * free(); one byte behind it is zero, so that text can be read as a string.
 *
 * Returns 0, -EINVAL (no regular file, or too big), -EIO, -ENOMEM or -errno.
 */
int mx_file_read(const char *path, size_t max_bytes, unsigned char **data,
		 size_t *size_bytes, struct mx_err *err);

/*
 * The last component of @path without the ending @suffix (NULL: without
 * whatever follows its last dot), trailing slashes ignored: "m/vgg19.mx/"
 * gives "vgg19". Heap, the caller's; NULL: out of memory.
 */
char *mx_file_stem(const char *path, const char *suffix);

/* 1 if @path is a directory. */
int mx_file_is_directory(const char *path);

/* 1 if there is something at @path. */
int mx_file_exists(const char *path);

/* "@directory/@name", heap, the caller's; NULL: out of memory. */
char *mx_file_join(const char *directory, const char *name);

/*
 * Close @out, which was written at @path. What could not be written whole is
 * removed, if it is a regular file. Returns 0 or -errno.
 */
int mx_file_end(FILE *out, const char *path, struct mx_err *err);

/*
 * The lines of a text file (a label file), without line ends, empty last line
 * left out. *@lines and each of them are the caller's: mx_file_lines_free().
 *
 * Returns 0 or as mx_file_read(), -EINVAL when there are too many.
 */
int mx_file_lines(const char *path, char ***lines, size_t *count,
		  struct mx_err *err);
void mx_file_lines_free(char **lines, size_t count);

#endif
