#include "cli/guard.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/command.h"
#include "pager/wall.h"
#include "sched/process.h"

static const int guarded[] = {SIGINT, SIGTERM, SIGHUP};

#define GUARDED_COUNT (sizeof(guarded) / sizeof(guarded[0]))

/* Changed with the signals blocked only, by the one thread there is. */
static struct mx_wall *volatile standing;

static void take_down(int signal)
{
	mx_wall_emergency(standing);
	_exit(MX_EXIT_SIGNAL + signal);
}

static void block(sigset_t *before)
{
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < GUARDED_COUNT; i++)
		sigaddset(&set, guarded[i]);
	(void)pthread_sigmask(SIG_BLOCK, &set, before);
}

static void handle(void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler};
	struct sigaction now;
	size_t i;

	/* None interrupts another: the first does it all. */
	sigfillset(&action.sa_mask);
	for (i = 0; i < GUARDED_COUNT; i++) {
		/* Who started us may want them ignored (nohup). */
		if (sigaction(guarded[i], NULL, &now) == 0 &&
		    now.sa_handler != SIG_IGN)
			(void)sigaction(guarded[i], &action, NULL);
	}
}

int mx_guard_raise(struct mx_wall **out, const char *mode, uint64_t limit_bytes,
		   const struct mx_log *log, struct mx_err *err)
{
	struct mx_wall_opts opts = {
		.mode = mode,
		.limit_bytes = limit_bytes,
		.log = log,
	};
	struct mx_wall *wall = NULL;
	uint64_t least;
	sigset_t before;
	int rc;

	assert(!standing);
	/* A budget below this cannot hold anything; it is to be refused in
	 * words, and not by a SIGKILL. */
	least = mx_process_anonymous_bytes() + MX_GUARD_BYTES_MIN;
	if (opts.limit_bytes < least)
		opts.limit_bytes = least;
	block(&before);
	rc = mx_wall_raise(&wall, &opts, err);
	if (!rc) {
		standing = wall;
		handle(take_down);
		*out = wall;
	}
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

void mx_guard_lower(struct mx_wall *wall)
{
	sigset_t before;

	if (!wall)
		return;
	assert(wall == standing);
	block(&before);
	standing = NULL;
	mx_wall_lower(wall);
	handle(SIG_DFL);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}
