/*
 * A board's beginning and end.
 */
#include "sched/board.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "pager/residency.h"
#include "sched/board_impl.h"
#include "sched/policy.h"

#define MIB (1024.0 * 1024.0)
#define WORD_BITS 64

static void note_dropped(void *user, struct mx_unit_ref ref)
{
	struct mx_board *board = user;

	board->dropped[board->dropped_count++] = ref;
}

static void note_moved(void *user, struct mx_unit_ref ref, uint64_t from,
		       uint64_t to, uint64_t bytes)
{
	const struct mx_board *board = user;

	board->opts.moved(board->opts.moved_user, ref, from, to, bytes);
}

static uint64_t next_use(void *user, struct mx_unit_ref ref)
{
	struct mx_board *board = user;

	return mx_board_use(
		board->opts.policy->next_use(board->policy_state, board, ref));
}

/* Where each unit's steps are. */
static void find_steps(struct mx_board_home *home,
		       const struct mx_board_net *net)
{
	uint32_t i;

	memset(home->first_step, 0xff, net->unit_count * sizeof(uint32_t));
	memset(home->last_step, 0xff, net->unit_count * sizeof(uint32_t));
	for (i = 0; i < net->step_count; i++) {
		const uint32_t unit = net->steps[i].unit;

		if (unit == MX_STEP_NONE)
			continue;
		assert(unit < net->unit_count);
		if (home->first_step[unit] == MX_STEP_NONE)
			home->first_step[unit] = i;
		home->last_step[unit] = i;
	}
}

static int make_homes(struct mx_board *board, struct mx_err *err)
{
	const struct mx_board_opts *opts = &board->opts;
	uint64_t units = 0;
	uint32_t widest = 1;
	uint32_t *at;
	uint32_t i, k;

	for (i = 0; i < opts->net_count; i++) {
		const struct mx_board_net *net = &opts->nets[i];

		assert(net->layer_count > 0);
		units += net->unit_count;
		for (k = 0; k < net->layer_count; k++)
			if (net->layers[k].step_count > widest)
				widest = net->layers[k].step_count;
	}
	board->entry_words = (widest + WORD_BITS - 1) / WORD_BITS;
	board->entry_bytes = sizeof(struct mx_board_entry) +
			     board->entry_words * sizeof(uint64_t);
	board->homes =
		calloc((size_t)opts->net_count + 1, sizeof(*board->homes));
	board->unit_tables = calloc(3 * (size_t)units + 1, sizeof(uint32_t));
	board->dropped = calloc((size_t)units + 1, sizeof(*board->dropped));
	if (!board->homes || !board->unit_tables || !board->dropped)
		return mx_fail(err, ENOMEM, "no memory for a board");
	at = board->unit_tables;
	for (i = 0; i < opts->net_count; i++) {
		const uint32_t count = opts->nets[i].unit_count;
		struct mx_board_home *home = &board->homes[i];

		home->first_step = at;
		home->last_step = at + count;
		home->consumed = at + 2 * (size_t)count;
		at += 3 * (size_t)count;
		find_steps(home, &opts->nets[i]);
	}
	return 0;
}

static int add_units(struct mx_board *board, const struct mx_board_net *net,
		     struct mx_err *err)
{
	const int pins = board->opts.policy->traits & MX_POLICY_PINS;
	uint64_t *sizes;
	uint32_t i;
	int rc;

	sizes = calloc((size_t)net->unit_count + 1, sizeof(*sizes));
	if (!sizes)
		return mx_fail(err, ENOMEM, "%s: no memory for a board",
			       net->name);
	for (i = 0; i < net->unit_count; i++)
		sizes[i] = net->units[i].size_bytes;
	rc = mx_residency_add(board->residency, sizes, net->unit_count,
			      pins ? net->pinned : NULL, err);
	free(sizes);
	return rc;
}

static int make_residency(struct mx_board *board, struct mx_err *err)
{
	const struct mx_board_opts *opts = &board->opts;
	const struct mx_residency_opts wanted = {
		.capacity_bytes = opts->memory_bytes,
		.dropped = note_dropped,
		.next_use = opts->policy->next_use ? next_use : NULL,
		.recent_use = opts->policy->recent_use
				      ? mx_board_use(opts->policy->recent_use)
				      : 0,
		.idle_use = opts->policy->idle_use
				    ? mx_board_use(opts->policy->idle_use)
				    : 0,
		.moved = opts->moved ? note_moved : NULL,
		.user = board,
	};
	uint32_t i;
	int rc;

	rc = mx_residency_new(&board->residency, &wanted, err);
	for (i = 0; i < opts->net_count && !rc; i++)
		rc = add_units(board, &opts->nets[i], err);
	for (i = 0; i < opts->net_count && !rc; i++) {
		const uint64_t bytes = opts->nets[i].arena_bytes;

		if (!mx_residency_arena_fits(board->residency, bytes))
			rc = mx_fail(err, EDQUOT,
				     "%s: %.1f MiB do not hold its activations "
				     "(%.1f MiB) and the largest slice",
				     opts->nets[i].name,
				     (double)opts->memory_bytes / MIB,
				     (double)bytes / MIB);
	}
	return rc;
}

int mx_board_new(struct mx_board **out, const struct mx_board_opts *opts,
		 struct mx_err *err)
{
	struct mx_board *board;
	int rc;

	board = calloc(1, sizeof(*board));
	if (!board)
		return mx_fail(err, ENOMEM, "no memory for a board");
	board->opts = *opts;
	if (board->opts.budget_bytes == 0)
		board->opts.budget_bytes = opts->memory_bytes;
	board->helped_out = UINT64_MAX;
	board->loaded_out = UINT64_MAX;
	board->blocked_bytes = UINT64_MAX;
	rc = make_homes(board, err);
	if (!rc)
		rc = make_residency(board, err);
	if (!rc && opts->policy->init) {
		rc = opts->policy->init(&board->policy_state, board, err);
		board->policy_is_there = !rc;
	}
	if (rc)
		goto fail;
	*out = board;
	return 0;

fail:
	mx_board_free(board);
	return rc;
}

void mx_board_free(struct mx_board *board)
{
	struct mx_board_block *block;

	if (!board)
		return;
	if (board->policy_is_there && board->opts.policy->fini)
		board->opts.policy->fini(board->policy_state);
	while ((block = board->blocks) != NULL) {
		board->blocks = block->next;
		free(block);
	}
	mx_residency_free(board->residency);
	free(board->dropped);
	free(board->unit_tables);
	free(board->homes);
	free(board);
}
