/*
 * A progress bar on standard error: on a terminal only, at most some ten times
 * a second, erased when it is done.
 */
#ifndef MX_CLI_PROGRESS_H
#define MX_CLI_PROGRESS_H

#include <stdint.h>

struct mx_progress {
	const char *what; /* "import vgg19" */
	int shown; /* 0: draws nothing */
	int drawn; /* something is on the line now */
	uint64_t next_ns; /* not drawn before */
};

/* @quiet (-q) or no terminal: nothing is drawn. @what is borrowed. */
void mx_progress_init(struct mx_progress *progress, const char *what,
		      int quiet);

/*
 * A mx_progress_fn whose user pointer is a struct mx_progress. Returns 1 when
 * a held signal has come (mx_cli_hold_signals), so that the work stops.
 */
int mx_progress_update(void *progress, uint64_t done_bytes,
		       uint64_t total_bytes);

/* Erase the line. */
void mx_progress_end(struct mx_progress *progress);

/* "[=====>    ]  52 %" of @width marks into @text (width + 10 bytes). */
void mx_progress_bar(char *text, unsigned width, uint64_t done, uint64_t total);

#endif
