/*
 * Variables, T being the tasks and E the EXECs among them:
 *
 *   s(t)     when t starts, in [least(t), most(t)]
 *   o(i, t)  0 only if i starts after t does
 *   d(e, t)  1 only if EXEC e has ended when t starts
 *
 * What is in use when t starts is then a sum: of a layer's weights
 * o(LOAD, t) - d(EXEC, t), of what its EXEC takes o(EXEC, t) - d(EXEC, t), of
 * what is kept d(EXEC, t) - o(the next EXEC, t). An o that is 1 without need,
 * or a d that is 0, makes that larger only, and so need not be forbidden.
 * Processors are counted in the same way. Of two LOADs, o says which is first.
 *
 * Where the order is known (within a network) o and d are constants. The other
 * rows are big-M rows, M being the least that the bounds of s allow. That some
 * best schedule ends by the last release plus the sum of all durations gives
 * these bounds: it never waits with nothing running once all are released.
 */
#include "sched/optimum_glpk.h"

#include <errno.h>

#include "lib/err.h"

#ifndef MX_HAVE_GLPK
#define MX_HAVE_GLPK 0
#endif

#if MX_HAVE_GLPK
#include <assert.h>
#include <glpk.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sched/instance.h"

#define TASKS_MAX 32
/* The longest row has three terms for each task. */
#define TERMS_MAX (3 * TASKS_MAX + 1)
#define MS_PER_S 1000
/* What o and d are where that is known, in place of a column. */
#define ZERO 0
#define ONE (-1)
#define NO_TASK UINT32_MAX

struct task {
	const struct mx_instance_layer *layer;
	uint32_t net;
	uint32_t index; /* of the layer */
	int is_load;
	int column; /* s */
	double span; /* all times in units */
	double least, most;
};

struct program {
	const struct mx_instance *instance;
	glp_prob *problem;
	uint64_t unit_ns; /* the times' greatest common divisor */
	double horizon;
	struct task tasks[TASKS_MAX];
	uint32_t count;
	int order[TASKS_MAX][TASKS_MAX];
	int ended[TASKS_MAX][TASKS_MAX];
	/* The row being made. */
	int columns[TERMS_MAX];
	double factors[TERMS_MAX];
	int terms;
	double constant;
};

/* ---- tasks and their windows ---- */

static uint64_t divisor(uint64_t a, uint64_t b)
{
	uint64_t rest;

	for (; b; b = rest) {
		rest = a % b;
		a = b;
	}
	return a;
}

static double units(const struct program *p, uint64_t ns)
{
	return (double)(ns / p->unit_ns);
}

static void measure(struct program *p)
{
	const struct mx_instance *instance = p->instance;
	uint64_t unit = 0, release = 0, sum = 0;
	const struct mx_instance_net *net;
	uint32_t i, k;

	for (i = 0; i < instance->net_count; i++) {
		net = &instance->nets[i];
		unit = divisor(unit, net->release_ns);
		release = net->release_ns > release ? net->release_ns : release;
		for (k = 0; k < net->layer_count; k++) {
			unit = divisor(unit, net->layers[k].load_ns);
			unit = divisor(unit, net->layers[k].exec_ns);
			sum += net->layers[k].load_ns + net->layers[k].exec_ns;
		}
	}
	p->unit_ns = unit;
	p->horizon = units(p, release + sum);
}

static struct task *add_task(struct program *p, uint32_t net, uint32_t index,
			     int is_load)
{
	struct task *task = &p->tasks[p->count++];

	task->layer = &p->instance->nets[net].layers[index];
	task->net = net;
	task->index = index;
	task->is_load = is_load;
	task->span =
		units(p, is_load ? task->layer->load_ns : task->layer->exec_ns);
	return task;
}

/* An EXEC comes after all LOADs and EXECs up to it, and before all EXECs from
 * it on. */
static void add_net(struct program *p, uint32_t index)
{
	const struct mx_instance_net *net = &p->instance->nets[index];
	const double release = units(p, net->release_ns);
	double loads = release, execs = release, rest = 0;
	struct task *load = NULL, *exec;
	uint32_t k;

	for (k = 0; k < net->layer_count; k++)
		rest += units(p, net->layers[k].exec_ns);
	for (k = 0; k < net->layer_count; k++) {
		load = net->layers[k].weight_bytes ? add_task(p, index, k, 1)
						   : NULL;
		exec = add_task(p, index, k, 0);
		loads += load ? load->span : 0;
		exec->least = fmax(loads, execs);
		exec->most = p->horizon - rest;
		execs = exec->least + exec->span;
		rest -= exec->span;
		if (!load)
			continue;
		load->least = release;
		load->most = exec->most - load->span;
	}
}

/* ---- columns ---- */

static int add_binary(struct program *p)
{
	const int column = glp_add_cols(p->problem, 1);

	glp_set_col_kind(p->problem, column, GLP_BV);
	return column;
}

/* Whether @a starts before @b does: ZERO, ONE, or 1 for unknown. */
static int known_order(const struct task *a, const struct task *b)
{
	if (a == b)
		return ONE;
	if (a->net == b->net && !a->is_load && a->index >= b->index)
		return ZERO;
	if (a->net == b->net && !b->is_load && a->index <= b->index)
		return ONE;
	if (a->least > b->most)
		return ZERO;
	return a->most <= b->least ? ONE : 1;
}

/* Whether EXEC @a has ended when @b starts. */
static int known_ended(const struct task *a, const struct task *b)
{
	if (a->net == b->net && a->index >= b->index)
		return ZERO;
	if (a->net == b->net && !b->is_load)
		return ONE;
	if (a->least + a->span > b->most)
		return ZERO;
	return a->most + a->span <= b->least ? ONE : 1;
}

static void add_columns(struct program *p)
{
	struct task *a, *b;
	uint32_t i, k;

	for (i = 0; i < p->count; i++) {
		a = &p->tasks[i];
		a->column = glp_add_cols(p->problem, 1);
		glp_set_col_bnds(p->problem, a->column,
				 a->least < a->most ? GLP_DB : GLP_FX, a->least,
				 a->most);
		if (!a->is_load &&
		    a->index + 1 == p->instance->nets[a->net].layer_count)
			glp_set_obj_coef(p->problem, a->column, 1);
	}
	for (i = 0; i < p->count; i++)
		for (k = 0; k < p->count; k++) {
			a = &p->tasks[i];
			b = &p->tasks[k];
			p->order[i][k] = known_order(a, b);
			if (p->order[i][k] == 1)
				p->order[i][k] = add_binary(p);
			if (a->is_load)
				continue;
			p->ended[i][k] = known_ended(a, b);
			if (p->ended[i][k] == 1)
				p->ended[i][k] = add_binary(p);
		}
}

/* ---- rows ---- */

static void row_begin(struct program *p)
{
	p->terms = 0;
	p->constant = 0;
}

/* A column comes once in a row: what is added twice is summed. */
static void row_add(struct program *p, int column, double factor)
{
	int i;

	if (column == ONE)
		p->constant += factor;
	if (column == ZERO || column == ONE)
		return;
	for (i = 1; i <= p->terms; i++)
		if (p->columns[i] == column) {
			p->factors[i] += factor;
			return;
		}
	assert(p->terms + 1 < TERMS_MAX);
	p->columns[++p->terms] = column;
	p->factors[p->terms] = factor;
}

/* The row's sum is @kind (GLP_UP, GLP_FX) @limit. */
static void row_end(struct program *p, int kind, double limit)
{
	const int row = glp_add_rows(p->problem, 1);

	limit -= p->constant;
	glp_set_row_bnds(p->problem, row, kind, limit, limit);
	glp_set_mat_row(p->problem, row, p->terms, p->columns, p->factors);
}

/* Task a's start and @gap are no later than b's start. */
static void add_before(struct program *p, const struct task *a,
		       const struct task *b, double gap)
{
	row_begin(p);
	row_add(p, a->column, 1);
	row_add(p, b->column, -1);
	row_end(p, GLP_UP, -gap);
}

/* The same, where @column is @value (0 or 1). */
static void add_before_if(struct program *p, const struct task *a,
			  const struct task *b, double gap, int column,
			  int value)
{
	const double slack = a->most + gap - b->least;

	row_begin(p);
	row_add(p, a->column, 1);
	row_add(p, b->column, -1);
	row_add(p, column, value ? slack : -slack);
	row_end(p, GLP_UP, value ? slack - gap : -gap);
}

/* Column @low is no more than column @high. */
static void add_no_more(struct program *p, int low, int high)
{
	if (low == ZERO || high == ONE)
		return;
	row_begin(p);
	row_add(p, low, 1);
	row_add(p, high, -1);
	if (p->terms)
		row_end(p, GLP_UP, 0);
}

/* The EXEC of the layer behind task @i's, or NO_TASK. */
static uint32_t next_exec(const struct program *p, uint32_t i)
{
	const struct task *task = &p->tasks[i];
	uint32_t k;

	for (k = i + 1; k < p->count; k++)
		if (!p->tasks[k].is_load && p->tasks[k].net == task->net &&
		    p->tasks[k].index == task->index + 1)
			return k;
	return NO_TASK;
}

/* The EXEC of LOAD @i stands behind it. */
static void add_chain(struct program *p, uint32_t i)
{
	const struct task *task = &p->tasks[i];
	const uint32_t next = task->is_load ? i + 1 : next_exec(p, i);

	if (next != NO_TASK)
		add_before(p, task, &p->tasks[next], task->span);
}

/* What o and d mean for tasks @i and @k. */
static void add_meaning(struct program *p, uint32_t i, uint32_t k)
{
	const struct task *a = &p->tasks[i], *b = &p->tasks[k];
	const int order = p->order[i][k];
	uint32_t next;

	if (order > 0)
		add_before_if(p, b, a, 1, order, 0);
	if (a->is_load) {
		/* Its EXEC starts after it. */
		add_no_more(p, p->order[i + 1][k], order);
		if (!b->is_load || i == k)
			return;
		if (order > 0)
			add_before_if(p, a, b, a->span, order, 1);
		row_begin(p);
		row_add(p, order, 1);
		row_add(p, p->order[k][i], 1);
		if (p->terms)
			row_end(p, GLP_FX, 1);
		return;
	}
	if (p->ended[i][k] > 0)
		add_before_if(p, a, b, a->span, p->ended[i][k], 1);
	add_no_more(p, p->ended[i][k], order);
	next = next_exec(p, i);
	if (next != NO_TASK)
		add_no_more(p, p->order[next][k], p->ended[i][k]);
}

static void add_processors(struct program *p, uint32_t k)
{
	uint32_t i;

	row_begin(p);
	for (i = 0; i < p->count; i++) {
		if (p->tasks[i].is_load)
			continue;
		row_add(p, p->order[i][k], 1);
		row_add(p, p->ended[i][k], -1);
	}
	row_end(p, GLP_UP, p->instance->processors);
}

/* In shares of the budget. */
static double share(const struct program *p, uint64_t bytes)
{
	return (double)bytes / (double)p->instance->budget_bytes;
}

static void add_memory(struct program *p, uint32_t k)
{
	const struct mx_instance_layer *layer;
	uint32_t i, next;

	row_begin(p);
	for (i = 0; i < p->count; i++) {
		layer = p->tasks[i].layer;
		if (p->tasks[i].is_load) {
			row_add(p, p->order[i][k],
				share(p, layer->weight_bytes));
			row_add(p, p->ended[i + 1][k],
				-share(p, layer->weight_bytes));
			continue;
		}
		row_add(p, p->order[i][k], share(p, layer->run_bytes));
		row_add(p, p->ended[i][k], -share(p, layer->run_bytes));
		next = next_exec(p, i);
		if (next == NO_TASK)
			continue;
		row_add(p, p->ended[i][k], share(p, layer->keep_bytes));
		row_add(p, p->order[next][k], -share(p, layer->keep_bytes));
	}
	row_end(p, GLP_UP, 1);
}

static void add_rows(struct program *p)
{
	uint32_t i, k;

	for (i = 0; i < p->count; i++) {
		add_chain(p, i);
		for (k = 0; k < p->count; k++)
			add_meaning(p, i, k);
		add_memory(p, i);
		if (!p->tasks[i].is_load)
			add_processors(p, i);
	}
}

/* ---- the solver ---- */

static int solve(struct program *p, unsigned limit_s, uint64_t *response_ns,
		 struct mx_err *err)
{
	const struct mx_instance *instance = p->instance;
	const struct mx_instance_net *net;
	double sum;
	glp_iocp how;
	uint32_t i;
	int rc;

	glp_init_iocp(&how);
	how.msg_lev = GLP_MSG_OFF;
	how.presolve = GLP_ON;
	how.mir_cuts = GLP_ON;
	how.tm_lim = (int)limit_s * MS_PER_S;
	rc = glp_intopt(p->problem, &how);
	if (rc == GLP_ETMLIM)
		return mx_fail(err, EAGAIN,
			       "GLPK: not done after %u s (%u tasks)", limit_s,
			       p->count);
	if (rc == GLP_ENOPFS ||
	    (!rc && glp_mip_status(p->problem) == GLP_NOFEAS))
		return mx_fail(err, EDQUOT, "GLPK: there is no schedule");
	if (rc || glp_mip_status(p->problem) != GLP_OPT)
		return mx_fail(err, EINVAL, "GLPK: status %d, %d", rc,
			       glp_mip_status(p->problem));
	sum = glp_mip_obj_val(p->problem);
	*response_ns = (uint64_t)llround(sum) * p->unit_ns;
	for (i = 0; i < instance->net_count; i++) {
		net = &instance->nets[i];
		*response_ns += net->layers[net->layer_count - 1].exec_ns;
		*response_ns -= net->release_ns;
	}
	return 0;
}

int mx_optimum_glpk(uint64_t *response_ns, const struct mx_instance *instance,
		    unsigned limit_s, struct mx_err *err)
{
	struct program *p;
	uint32_t i;
	int rc;

	if (mx_instance_task_count(instance) > TASKS_MAX)
		return mx_fail(err, EINVAL, "GLPK: more than %d tasks",
			       TASKS_MAX);
	p = calloc(1, sizeof(*p));
	if (!p)
		return mx_fail(err, ENOMEM, "GLPK: no memory");
	p->instance = instance;
	(void)glp_term_out(GLP_OFF);
	p->problem = glp_create_prob();
	measure(p);
	for (i = 0; i < instance->net_count; i++)
		add_net(p, i);
	add_columns(p);
	add_rows(p);
	rc = solve(p, limit_s, response_ns, err);
	glp_delete_prob(p->problem);
	(void)glp_free_env();
	free(p);
	return rc;
}
#else
int mx_optimum_glpk(uint64_t *response_ns, const struct mx_instance *instance,
		    unsigned limit_s, struct mx_err *err)
{
	(void)response_ns;
	(void)instance;
	(void)limit_s;
	return mx_fail(err, ENOSYS, "built without GLPK");
}
#endif
