#include "cli/queue_runner.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/experiment.h"
#include "cli/json.h"
#include "cli/queue_execute.h"
#include "cli/queue_store.h"
#include "cli/table.h"
#include "cli/workload.h"
#include "lib/err.h"
#include "lib/log.h"

static int is_open(const struct mx_queue_item *item)
{
	return item->state == MX_QUEUE_WAITING ||
	       item->state == MX_QUEUE_RUNNING;
}

/* ---- changes ---- */

struct files {
	char **paths; /* absolute */
	size_t count;
	char *const *options;
	size_t option_count;
};

static void free_paths(char **paths, size_t count)
{
	while (paths && count-- > 0)
		free(paths[count]);
	free(paths);
}

static int find_files(struct files *files, char *const *names, size_t count,
		      struct mx_err *err)
{
	size_t i;
	int rc;

	files->paths = calloc(count + 1, sizeof(*files->paths));
	if (!files->paths)
		return mx_fail(err, ENOMEM, "queue: no memory");
	for (i = 0; i < count; i++) {
		files->paths[i] = realpath(names[i], NULL);
		if (!files->paths[i]) {
			rc = mx_fail_errno(err, "%s", names[i]);
			free_paths(files->paths, i);
			return rc;
		}
	}
	files->count = count;
	return 0;
}

static int is_listed(const struct files *files, const char *path)
{
	size_t i;

	for (i = 0; i < files->count; i++)
		if (!strcmp(files->paths[i], path))
			return 1;
	return 0;
}

static int append_all(const struct files *files, struct mx_queue *queue,
		      struct mx_err *err)
{
	size_t i;
	int rc = 0;

	if (!queue->option_count)
		rc = mx_queue_set_options(queue, files->options,
					  files->option_count, err);
	for (i = 0; !rc && i < files->count; i++)
		rc = mx_queue_append(queue, files->paths[i], err);
	return rc;
}

static int replace(void *user, struct mx_queue *queue, struct mx_err *err)
{
	const struct files *files = user;
	size_t i;

	for (i = 0; i < queue->count; i++)
		if (is_open(&queue->items[i]) &&
		    !is_listed(files, queue->items[i].path))
			return mx_fail(err, EEXIST,
				       "queue: %s has not been run: --resume "
				       "runs it and what is behind it, --add "
				       "adds to them, -o takes another "
				       "directory",
				       queue->items[i].path);
	mx_queue_fini(queue);
	return append_all(files, queue, err);
}

static int extend(void *user, struct mx_queue *queue, struct mx_err *err)
{
	return append_all(user, queue, err);
}

static int change_files(struct mx_queue_store *store, char *const *names,
			size_t count, struct files *files,
			mx_queue_change_fn *change, struct mx_err *err)
{
	int rc;

	rc = find_files(files, names, count, err);
	if (rc)
		return rc;
	rc = mx_queue_store_change(store, change, files, err);
	free_paths(files->paths, files->count);
	return rc;
}

int mx_queue_begin(struct mx_queue_store *store, char *const *files,
		   size_t count, char *const *options, size_t option_count,
		   struct mx_err *err)
{
	struct files list = {.options = options, .option_count = option_count};

	return change_files(store, files, count, &list, replace, err);
}

int mx_queue_extend(struct mx_queue_store *store, char *const *files,
		    size_t count, char *const *options, size_t option_count,
		    struct mx_err *err)
{
	struct files list = {.options = options, .option_count = option_count};

	return change_files(store, files, count, &list, extend, err);
}

static int set_halt(void *user, struct mx_queue *queue, struct mx_err *err)
{
	(void)user;
	(void)err;
	queue->halt = 1;
	return 0;
}

int mx_queue_halt(struct mx_queue_store *store, struct mx_err *err)
{
	int rc;

	if (!mx_queue_store_is_running(store))
		return 0;
	rc = mx_queue_store_change(store, set_halt, NULL, err);
	return rc ? rc : 1;
}

/* ---- listing ---- */

static void list_json(const struct mx_queue *queue, int running)
{
	struct mx_json json;
	size_t i;

	mx_json_init(&json, stdout);
	mx_json_object(&json, NULL);
	mx_json_string(&json, "schema", "memexec.queue-list/1");
	mx_json_bool(&json, "running", running);
	mx_json_bool(&json, "halt", queue->halt);
	mx_json_array(&json, "experiments");
	for (i = 0; i < queue->count; i++) {
		mx_json_object(&json, NULL);
		mx_json_string(&json, "state",
			       mx_queue_state_text(queue->items[i].state));
		mx_json_string(&json, "name", queue->items[i].name);
		mx_json_string(&json, "path", queue->items[i].path);
		mx_json_object_end(&json);
	}
	mx_json_array_end(&json);
	mx_json_object_end(&json);
}

static int list_text(const struct mx_queue *queue, int running)
{
	const struct mx_queue_item *item;
	struct mx_table table;
	size_t i;
	int rc;

	mx_table_init(&table, "lll");
	mx_table_cell(&table, "state");
	mx_table_cell(&table, "name");
	mx_table_cell(&table, "path");
	for (i = 0; i < queue->count; i++) {
		item = &queue->items[i];
		mx_table_cell(&table, "%s",
			      item->state == MX_QUEUE_RUNNING && !running
				      ? "interrupted"
				      : mx_queue_state_text(item->state));
		mx_table_cell(&table, "%s", item->name);
		mx_table_cell(&table, "%s", item->path);
	}
	rc = mx_table_print(&table, stdout, MX_TABLE_PLAIN);
	mx_table_fini(&table);
	return rc;
}

int mx_queue_list(struct mx_queue_store *store, int json, struct mx_err *err)
{
	const int running = mx_queue_store_is_running(store);
	struct mx_queue queue;
	int rc;

	rc = mx_queue_store_read(store, &queue, err);
	if (rc)
		return rc;
	if (json)
		list_json(&queue, running);
	else if (list_text(&queue, running))
		rc = mx_fail(err, ENOMEM, "queue: no memory for the list");
	mx_queue_fini(&queue);
	return rc;
}

/* ---- running ---- */

struct runner {
	struct mx_queue_store *store;
	const struct mx_queue_runner_opts *opts;
	struct mx_cli *cli;
	struct mx_queue_output output;
	/* The present experiment; path NULL: none is left, or halted. */
	size_t index;
	size_t count; /* of the queue */
	char *name;
	char *path;
	char *missing; /* the last picture that was not there */
	int halted;
	enum mx_queue_state state; /* that it gets */
};

static int take_next(void *user, struct mx_queue *queue, struct mx_err *err)
{
	struct runner *runner = user;
	struct mx_queue_item *item;

	runner->halted = queue->halt;
	queue->halt = 0;
	runner->index = mx_queue_next(queue);
	runner->count = queue->count;
	if (runner->halted || runner->index == queue->count)
		return 0;
	item = &queue->items[runner->index];
	runner->name = strdup(item->name);
	runner->path = strdup(item->path);
	if (!runner->name || !runner->path)
		return mx_fail(err, ENOMEM, "queue: no memory");
	item->state = MX_QUEUE_RUNNING;
	return 0;
}

static int set_state(void *user, struct mx_queue *queue, struct mx_err *err)
{
	const struct runner *runner = user;

	/* Items are only ever added, but somebody may have begun anew. */
	if (runner->index >= queue->count ||
	    strcmp(queue->items[runner->index].path, runner->path) != 0)
		return mx_fail(err, EBUSY, "queue: %s is no more in it",
			       runner->path);
	queue->items[runner->index].state = runner->state;
	return 0;
}

static int run_file(struct runner *runner, struct mx_err *err)
{
	const struct mx_queue_runner_opts *opts = runner->opts;
	const struct mx_log *log = &runner->cli->log;
	const struct mx_workload_experiment places = {
		.networks_path = opts->networks_path,
		.pictures_path = opts->pictures_path,
		.missing = &runner->missing,
		.log = log,
	};
	struct mx_experiment experiment;
	struct mx_workload workload;
	struct mx_queue_own own;
	int rc;

	rc = mx_experiment_read(&experiment, runner->path, opts->count, log,
				err);
	if (rc)
		return rc;
	own = (struct mx_queue_own){
		.policy = experiment.policy,
		.budget_bytes = experiment.memory_bytes,
		.workers = experiment.workers,
		.memory_key = experiment.memory_key,
	};
	rc = mx_workload_of_experiment(&workload, &experiment, &places, err);
	if (!rc) {
		rc = mx_queue_execute(&runner->output, &workload, &own, err);
		mx_workload_fini(&workload);
	}
	mx_experiment_fini(&experiment);
	return rc;
}

/* One experiment, from taking it to keeping what came of it. Returns 1 when
 * there is another; 0; or what it returned, with *@goes_on. */
static int run_next(struct runner *runner, struct mx_err *err, int *goes_on)
{
	const struct mx_log *log = &runner->cli->log;
	struct mx_err why;
	int rc, status;

	*goes_on = 0;
	rc = mx_queue_store_change(runner->store, take_next, runner, err);
	if (rc || !runner->path)
		return rc;
	mx_queue_store_log(runner->store, "start %s %s", runner->name,
			   runner->path);
	mx_log(log, MX_LOG_INFO, "queue: start %s (%zu of %zu)", runner->name,
	       runner->index + 1, runner->count);
	rc = run_file(runner, err);
	runner->state = !rc		   ? MX_QUEUE_DONE
			: rc == -ECANCELED ? MX_QUEUE_WAITING
					   : MX_QUEUE_FAILED;
	mx_queue_store_log(runner->store, "finish %s %s%s%s", runner->name,
			   mx_queue_state_text(runner->state), rc ? ": " : "",
			   rc ? err->text : "");
	mx_log(log, MX_LOG_INFO, "queue: finish %s: %s", runner->name,
	       mx_queue_state_text(runner->state));
	status = mx_queue_store_change(runner->store, set_state, runner, &why);
	if (status && !rc)
		*err = why;
	*goes_on = !status && rc != -ECANCELED;
	return rc ? rc : status;
}

static int run_all(struct runner *runner)
{
	struct mx_err *err = &runner->cli->err, why;
	int rc = 0, status, goes_on = 1;

	while (goes_on) {
		status = run_next(runner, &why, &goes_on);
		free(runner->name);
		free(runner->path);
		runner->name = runner->path = NULL;
		if (status && (!rc || status == -ECANCELED)) {
			*err = why;
			rc = status;
		} else if (status) {
			mx_log(&runner->cli->log, MX_LOG_ERROR, "%s", why.text);
		}
	}
	if (runner->halted) {
		mx_queue_store_log(runner->store, "halt");
		mx_log(&runner->cli->log, MX_LOG_INFO,
		       "queue: halted: memexec queue --resume goes on");
	}
	return rc;
}

/* How many are to be run: it decides how standard output looks. Whoever was to
 * halt for an earlier wish is not there any more. */
static int open_queue(void *user, struct mx_queue *queue, struct mx_err *err)
{
	size_t *count = user, i;

	(void)err;
	queue->halt = 0;
	for (i = 0, *count = 0; i < queue->count; i++)
		*count += (size_t)is_open(&queue->items[i]);
	return 0;
}

int mx_queue_runner(struct mx_queue_store *store,
		    const struct mx_queue_runner_opts *opts, struct mx_cli *cli)
{
	struct runner runner = {.store = store, .opts = opts, .cli = cli};
	struct mx_err why;
	size_t count = 0;
	int rc, status;

	rc = mx_queue_store_change(store, open_queue, &count, &cli->err);
	if (rc)
		return rc;
	mx_queue_output_init(&runner.output, opts->execute,
			     count > 1 || opts->execute->policy_count > 1);
	rc = run_all(&runner);
	free(runner.missing);
	status = mx_queue_output_end(&runner.output, rc ? &why : &cli->err);
	return rc ? rc : status;
}
