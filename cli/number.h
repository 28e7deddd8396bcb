/*
 * Numbers as people write and read them: sizes (K M G, 1024), lists and
 * ranges, and back to text. Every parser takes the whole text or refuses it.
 */
#ifndef MX_CLI_NUMBER_H
#define MX_CLI_NUMBER_H

#include <stddef.h>
#include <stdint.h>

/* "12", at most @max. Returns 0 or -EINVAL, and leaves *@out alone then. */
int mx_parse_count(const char *text, uint64_t max, uint64_t *out);

/* "4194304", "4M", "1.5G". Returns 0 or -EINVAL. */
int mx_parse_size(const char *text, uint64_t *out);

/* "30us", "1.5ms", "2s", "5m", "1h"; without a unit ms. At most 10^15 ns.
 * Returns 0 or -EINVAL. */
int mx_parse_duration(const char *text, uint64_t *out_ns);

/* A finite number. Returns 0 or -EINVAL. */
int mx_parse_float(const char *text, double *out);

/* "5%" as 0.05, "0.05" as 0.05; not negative. Returns 0 or -EINVAL. */
int mx_parse_share(const char *text, double *out);

/*
 * "104,117,123": up to @room numbers into @out; *@count says how many.
 * Returns 0 or -EINVAL (no number, or too many).
 */
int mx_parse_floats(const char *text, float *out, size_t room, size_t *count);

/*
 * "1,2,4-6,8-64*2": counts of 1 to @max. A range goes in steps of one, or
 * with *N by that factor. At most @room. Returns 0 or -EINVAL.
 */
int mx_parse_counts(const char *text, uint64_t max, uint64_t *out, size_t room,
		    size_t *count);

/*
 * "64M,128M-512M*2": sizes above 0; a range goes by its factor, which it must
 * have. At most @room. Returns 0 or -EINVAL.
 */
int mx_parse_sizes(const char *text, uint64_t *out, size_t room, size_t *count);

#define MX_TEXT_BYTES 32

/* "12 B", "3.4 MiB"; "870 ns", "12.3 ms", "4.56 s". @text is returned. */
const char *mx_text_bytes(uint64_t bytes, char text[MX_TEXT_BYTES]);
const char *mx_text_ns(uint64_t ns, char text[MX_TEXT_BYTES]);
/* "1.24 G" (thousands), for counts of operations. */
const char *mx_text_count(uint64_t count, char text[MX_TEXT_BYTES]);

#endif
