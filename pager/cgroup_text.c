/*
 * The grammars, one line each:
 *
 *   /proc/PID/cgroup     ID:CONTROLLER,CONTROLLER...:PATH   (v2: 0::PATH)
 *   /proc/PID/mountinfo  ID PARENT DEVICE ROOT POINT OPTIONS TAG... - TYPE
 *                        SOURCE OPTIONS
 *
 * ROOT and POINT have spaces and the like as \ooo. PATH goes to the end of the
 * line and may hold colons. ROOT is the part of the hierarchy that is mounted
 * at POINT: "/" but in containers.
 */
#include "pager/cgroup_text.h"

#include <errno.h>
#include <string.h>

#define DECIMAL 10
#define OCTAL 8
#define OCTAL_DIGITS 3

/* Part of a text; not terminated. */
struct span {
	const char *at;
	size_t len;
};

static int span_is(struct span span, const char *text)
{
	return strlen(text) == span.len && !memcmp(span.at, text, span.len);
}

/* Cut the next piece that ends at @end, or at the end, off @rest. */
static struct span cut(struct span *rest, char end)
{
	const char *stop = memchr(rest->at, end, rest->len);
	struct span piece = *rest;

	if (!stop) {
		rest->at += rest->len;
		rest->len = 0;
		return piece;
	}
	piece.len = (size_t)(stop - piece.at);
	rest->at += piece.len + 1;
	rest->len -= piece.len + 1;
	return piece;
}

static int span_has(struct span list, char separator, const char *word)
{
	while (list.len > 0)
		if (span_is(cut(&list, separator), word))
			return 1;
	return 0;
}

static struct span whole(const char *text)
{
	return (struct span){text, strlen(text)};
}

static int digit_of(char c, unsigned base)
{
	return c >= '0' && c < (char)('0' + base) ? c - '0' : -1;
}

/* The character at span's @index, which moves behind it. */
static char unescaped(struct span span, size_t *index)
{
	unsigned value = 0;
	size_t i;

	if (span.at[*index] != '\\' || span.len - *index <= OCTAL_DIGITS)
		return span.at[(*index)++];
	for (i = 1; i <= OCTAL_DIGITS; i++) {
		const int digit = digit_of(span.at[*index + i], OCTAL);

		if (digit < 0)
			return span.at[(*index)++];
		value = value * OCTAL + (unsigned)digit;
	}
	*index += 1 + OCTAL_DIGITS;
	return (char)value;
}

static int copy_unescaped(char out[MX_CGROUP_PATH_BYTES], struct span span)
{
	size_t i = 0, n = 0;

	while (i < span.len) {
		if (n + 1 >= MX_CGROUP_PATH_BYTES)
			return -ENAMETOOLONG;
		out[n++] = unescaped(span, &i);
	}
	out[n] = '\0';
	return 0;
}

/* The path of the process in a hierarchy: all but nothing is a v1 one. */
static int find_path(const char *self, const char *controller,
		     struct span *path)
{
	struct span rest = whole(self);

	while (rest.len > 0) {
		struct span line = cut(&rest, '\n');
		const struct span id = cut(&line, ':');
		const struct span names = cut(&line, ':');

		*path = line;
		if (controller ? span_has(names, ',', controller)
			       : span_is(id, "0") && names.len == 0)
			return line.len > 0 && line.at[0] == '/' ? 0 : -ENOENT;
	}
	return -ENOENT;
}

/* Is the line of mountinfo the hierarchy? Then its root and its point. */
static int is_mount(struct span line, const char *controller, struct span *root,
		    struct span *point)
{
	struct span type;
	int i;

	for (i = 0; i < 3; i++)
		(void)cut(&line, ' ');
	*root = cut(&line, ' ');
	*point = cut(&line, ' ');
	while (line.len > 0 && !span_is(cut(&line, ' '), "-"))
		continue;
	type = cut(&line, ' ');
	(void)cut(&line, ' ');
	if (!controller)
		return span_is(type, "cgroup2");
	return span_is(type, "cgroup") && span_has(line, ',', controller);
}

/* What is left of @path below @root, "/" if nothing; NULL: not below it. */
static const char *below(const char *path, const char *root)
{
	const size_t len = strcmp(root, "/") ? strlen(root) : 0;

	if (strncmp(path, root, len) != 0)
		return NULL;
	if (path[len] == '\0')
		return "/";
	return path[len] == '/' ? path + len : NULL;
}

int mx_cgroup_text_place(const char *self, const char *mounts,
			 const char *controller, struct mx_cgroup_place *out)
{
	struct span rest = whole(mounts), path, root_span, point;
	char full[MX_CGROUP_PATH_BYTES], root[MX_CGROUP_PATH_BYTES];
	int rc, missing = -ENOENT;

	rc = find_path(self, controller, &path);
	if (rc)
		return rc;
	if (path.len >= sizeof(full))
		return -ENAMETOOLONG;
	memcpy(full, path.at, path.len);
	full[path.len] = '\0';
	while (rest.len > 0) {
		const struct span line = cut(&rest, '\n');
		const char *name;

		if (!is_mount(line, controller, &root_span, &point))
			continue;
		rc = copy_unescaped(root, root_span);
		if (!rc)
			rc = copy_unescaped(out->point, point);
		if (rc)
			return rc;
		name = below(full, root);
		/* "/..": above the root of our cgroup namespace. */
		if (!name || !strncmp(name, "/..", 3)) {
			missing = -EXDEV;
			continue;
		}
		memcpy(out->name, name, strlen(name) + 1);
		return 0;
	}
	return missing;
}

int mx_cgroup_text_has(const char *text, const char *word)
{
	struct span rest = whole(text), line;

	while (rest.len > 0) {
		line = cut(&rest, '\n');
		if (span_has(line, ' ', word))
			return 1;
	}
	return 0;
}

/* The decimal number at the beginning of @text. */
static int number(const char *text, const char **end, uint64_t *out)
{
	uint64_t value = 0;
	const char *p;

	for (p = text; digit_of(*p, DECIMAL) >= 0; p++) {
		const uint64_t digit = (uint64_t)digit_of(*p, DECIMAL);

		if (value > (UINT64_MAX - digit) / DECIMAL)
			return -EBADMSG;
		value = value * DECIMAL + digit;
	}
	if (p == text)
		return -EBADMSG;
	*end = p;
	*out = value;
	return 0;
}

int mx_cgroup_text_value(const char *text, uint64_t *out)
{
	const char *end;
	uint64_t value;
	int rc;

	if (!strcmp(text, "max") || !strcmp(text, "max\n")) {
		*out = MX_CGROUP_UNLIMITED;
		return 0;
	}
	rc = number(text, &end, &value);
	if (rc || (end[0] != '\0' && strcmp(end, "\n") != 0))
		return -EBADMSG;
	*out = value;
	return 0;
}

int mx_cgroup_text_key(const char *text, const char *key, uint64_t *out)
{
	const size_t len = strlen(key);
	struct span rest = whole(text);
	const char *p, *end;

	while (rest.len > 0) {
		const struct span line = cut(&rest, '\n');

		if (line.len <= len || memcmp(line.at, key, len) != 0)
			continue;
		p = line.at + len;
		if (*p != ' ' && *p != '\t')
			continue;
		p += strspn(p, " \t");
		return number(p, &end, out);
	}
	return -ENOENT;
}

int mx_cgroup_text_start_time(const char *text, uint64_t *out)
{
	/* The name, in brackets, may hold spaces and brackets. After it come
	 * the fields 3 (the state), 4, ...; 22 is the start. */
	enum { STATE = 3, START = 22 };
	const char *name_end = strrchr(text, ')'), *end;
	struct span rest, field;
	int i;

	if (!name_end || name_end[1] != ' ')
		return -EBADMSG;
	rest = whole(name_end + 2);
	for (i = STATE; i < START; i++)
		(void)cut(&rest, ' ');
	field = cut(&rest, ' ');
	return field.len ? number(field.at, &end, out) : -EBADMSG;
}

uint64_t mx_cgroup_text_room(uint64_t limit_bytes, uint64_t usage_bytes,
			     uint64_t reclaimable_bytes)
{
	const uint64_t held = usage_bytes > reclaimable_bytes
				      ? usage_bytes - reclaimable_bytes
				      : 0;

	if (limit_bytes == MX_CGROUP_UNLIMITED)
		return MX_CGROUP_UNLIMITED;
	return limit_bytes > held ? limit_bytes - held : 0;
}
