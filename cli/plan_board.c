#include "cli/plan_board.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/err.h"
#include "sched/board_net.h"
#include "sched/cost.h"
#include "sched/plan.h"

int mx_plan_board_init(struct mx_plan_board *board, const struct mx_plan *plan,
		       const struct mx_costs *costs, struct mx_err *err)
{
	int rc = 0;

	*board = (struct mx_plan_board){
		.memory_bytes = plan->streaming ? plan->memory_bytes
						: MX_RESIDENCY_UNLIMITED,
	};
	board->nets = calloc((size_t)plan->net_count + 1, sizeof(*board->nets));
	if (!board->nets)
		return mx_fail(err, ENOMEM, "plan: no memory");
	while (!rc && board->net_count < plan->net_count) {
		const uint32_t i = board->net_count;

		rc = mx_board_net_init(&board->nets[i], plan->nets[i].net,
				       plan->streaming ? &plan->nets[i] : NULL,
				       &costs->nets[i], 0, err);
		if (!rc)
			board->net_count++;
	}
	if (rc)
		mx_plan_board_fini(board);
	return rc;
}

void mx_plan_board_fini(struct mx_plan_board *board)
{
	uint32_t i;

	for (i = 0; i < board->net_count; i++)
		mx_board_net_fini(&board->nets[i]);
	free(board->nets);
	*board = (struct mx_plan_board){.nets = NULL};
}
