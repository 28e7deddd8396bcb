#include "cli/plan_draw.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/dot.h"
#include "cli/file.h"
#include "cli/gantt.h"
#include "cli/plan_board.h"
#include "cli/session.h"
#include "cli/timeline.h"
#include "lib/err.h"
#include "sched/plan.h"

static int write_gantt(const struct mx_picture *picture, const char *path,
		       struct mx_err *err)
{
	FILE *out = fopen(path, "we");

	if (!out)
		return mx_fail_errno(err, "write %s", path);
	mx_gantt_write(picture, out);
	return mx_file_end(out, path, err);
}

static int draw_all(const struct mx_plan_draw *draw,
		    const struct mx_timeline *timeline,
		    const struct mx_plan_board *board, struct mx_err *err)
{
	const uint32_t count = board->net_count;
	const struct mx_network **nets;
	const char **names;
	struct mx_picture picture = {
		.timeline = timeline,
		.net_count = count,
		.policy = draw->policy,
		.memory_bytes = board->memory_bytes,
	};
	const struct mx_task *task = draw->session->tasks;
	uint32_t i;
	int rc = 0;

	nets = calloc((size_t)count + 1, sizeof(*nets));
	names = calloc((size_t)count + 1, sizeof(*names));
	if (!nets || !names) {
		rc = mx_fail(err, ENOMEM, "plan: no memory");
		goto done;
	}
	for (i = 0; i < count; task++) {
		if (task->sharer)
			continue;
		nets[i] = draw->plan->nets[i].net;
		names[i++] = task->name;
	}
	picture.nets = nets;
	picture.names = names;
	if (draw->gantt)
		rc = write_gantt(&picture, draw->gantt, err);
	if (!rc && draw->dot)
		rc = mx_dot_write(&picture, stdout, err);

done:
	free(nets);
	free(names);
	return rc;
}

int mx_plan_draw(const struct mx_plan_draw *draw, struct mx_err *err)
{
	struct mx_timeline timeline;
	struct mx_plan_board board;
	int rc;

	rc = mx_plan_board_init(&board, draw->plan, draw->costs, err);
	if (rc)
		return rc;
	rc = mx_timeline_init(&timeline, &board, draw->policy, err);
	if (!rc) {
		rc = draw_all(draw, &timeline, &board, err);
		mx_timeline_fini(&timeline);
	}
	mx_plan_board_fini(&board);
	return rc;
}
