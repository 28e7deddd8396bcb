/*
 * The board's lists of jobs, and the memory that jobs are made of.
 */
#include "sched/board_impl.h"

#include <assert.h>
#include <stdlib.h>

/* A new job is the last; a released one is seldom far from an end. */
void mx_board_join_waiting(struct mx_board *board, struct mx_board_job *job)
{
	struct mx_board_home *home = &board->homes[job->net];
	struct mx_board_job *before = home->last_waiting;
	struct mx_board_job *after = home->first_waiting;

	while (before && before->id > job->id && after->id < job->id) {
		before = before->prev;
		after = after->next;
	}
	if (!before || before->id < job->id)
		after = before ? before->next : home->first_waiting;
	else
		before = after->prev;
	job->prev = before;
	job->next = after;
	if (before)
		before->next = job;
	else
		home->first_waiting = job;
	if (after)
		after->prev = job;
	else
		home->last_waiting = job;
	home->waiting_count++;
}

static void unlink_from(struct mx_board_job **first, struct mx_board_job **last,
			struct mx_board_job *job)
{
	if (job->prev)
		job->prev->next = job->next;
	else
		*first = job->next;
	if (job->next)
		job->next->prev = job->prev;
	else
		*last = job->prev;
	job->next = NULL;
	job->prev = NULL;
}

void mx_board_leave_waiting(struct mx_board *board, struct mx_board_job *job)
{
	struct mx_board_home *home = &board->homes[job->net];

	unlink_from(&home->first_waiting, &home->last_waiting, job);
	home->waiting_count--;
}

void mx_board_join_running(struct mx_board *board, struct mx_board_job *job)
{
	job->prev = board->last_running;
	job->next = NULL;
	if (board->last_running)
		board->last_running->next = job;
	else
		board->first_running = job;
	board->last_running = job;
	board->running_count++;
	board->homes[job->net].running_count++;
}

void mx_board_leave_running(struct mx_board *board, struct mx_board_job *job)
{
	unlink_from(&board->first_running, &board->last_running, job);
	board->running_count--;
	board->homes[job->net].running_count--;
}

static int grow_pool(struct mx_board *board)
{
	struct mx_board_block *block;
	uint64_t i;

	block = malloc(sizeof(*block) +
		       MX_BOARD_BLOCK_ENTRIES * board->entry_bytes);
	if (!block)
		return 0;
	block->next = board->blocks;
	board->blocks = block;
	for (i = MX_BOARD_BLOCK_ENTRIES; i-- > 0;) {
		struct mx_board_entry *entry =
			(void *)((unsigned char *)block->entries +
				 i * board->entry_bytes);

		entry->next_free = board->free_entries;
		board->free_entries = entry;
	}
	return 1;
}

struct mx_board_job *mx_board_take_job(struct mx_board *board)
{
	struct mx_board_entry *entry;

	if (!board->free_entries && !grow_pool(board))
		return NULL;
	entry = board->free_entries;
	board->free_entries = entry->next_free;
	return &entry->job;
}

void mx_board_forget(struct mx_board *board, struct mx_board_job *job)
{
	struct mx_board_entry *entry = (struct mx_board_entry *)job;

	assert(job->state > MX_JOB_RUNNING);
	entry->next_free = board->free_entries;
	board->free_entries = entry;
}
