#include "cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/number.h"
#include "sched/clock.h"

#define BAR_WIDTH 30
#define REDRAW_NS 100000000u

void mx_progress_init(struct mx_progress *progress, const char *what, int quiet)
{
	*progress = (struct mx_progress){
		.what = what,
		.shown = !quiet && mx_cli_is_terminal(STDERR_FILENO),
	};
}

void mx_progress_bar(char *text, unsigned width, uint64_t done, uint64_t total)
{
	unsigned marks, percent, i;
	double share = 1;

	if (total)
		share = (double)done / (double)total;
	if (share > 1)
		share = 1;
	marks = (unsigned)(share * width);
	percent = (unsigned)(share * 100);
	*text++ = '[';
	for (i = 0; i < width; i++)
		*text++ = (char)(i < marks ? '=' : i == marks ? '>' : ' ');
	(void)snprintf(text, 9, "] %3u %%", percent > 100 ? 100 : percent);
}

int mx_progress_update(void *user, uint64_t done_bytes, uint64_t total_bytes)
{
	struct mx_progress *progress = user;
	char bar[BAR_WIDTH + 10], size[MX_TEXT_BYTES];
	uint64_t now;

	if (mx_cli_signal())
		return 1;
	if (!progress->shown)
		return 0;
	now = mx_clock_ns();
	if (now < progress->next_ns)
		return 0;
	progress->next_ns = now + REDRAW_NS;
	mx_progress_bar(bar, BAR_WIDTH, done_bytes, total_bytes);
	(void)fprintf(stderr, "\r\033[K%s %s of %s", progress->what, bar,
		      mx_text_bytes(total_bytes, size));
	(void)fflush(stderr);
	progress->drawn = 1;
	return 0;
}

void mx_progress_end(struct mx_progress *progress)
{
	if (progress->drawn)
		(void)fputs("\r\033[K", stderr);
	progress->drawn = 0;
}
