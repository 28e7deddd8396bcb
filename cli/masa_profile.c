#include "cli/masa_profile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/description.h"
#include "cli/file.h"
#include "cli/session.h"
#include "lib/err.h"
#include "lib/log.h"
#include "sched/board.h"

#define MEMORY_KEY "valgrind"

static int no_memory(const struct mx_task *task, struct mx_err *err)
{
	return mx_fail(err, ENOMEM, "%s: no memory for its profile",
		       task->name);
}

/* "DIR/../NAME"; also of "DIR/NAME.mx/", ".", and links. Heap. */
static char *beside(const struct mx_task *task)
{
	char *path;

	if (asprintf(&path, "%s/../%s", task->directory, task->name) < 0)
		return NULL;
	return path;
}

/* The directory of the task's description, heap, into *@out. */
static int find(const struct mx_task *task, const char *networks_path,
		char **out, struct mx_err *err)
{
	char *named = NULL, *near = beside(task);
	int rc = 0;

	if (networks_path)
		named = mx_file_join(networks_path, task->name);
	if (!near || (networks_path && !named)) {
		rc = no_memory(task, err);
	} else if (named && mx_description_is(named)) {
		*out = named;
		named = NULL;
	} else if (mx_description_is(near)) {
		*out = near;
		near = NULL;
	} else {
		rc = mx_fail(err, EINVAL,
			     "queue: --masa-profile=description: no "
			     "%s%s%s/description.yaml",
			     named ? named : "",
			     named ? "/description.yaml and no " : "", near);
	}
	free(named);
	free(near);
	return rc;
}

static int read_one(struct mx_masa_profile *out, const struct mx_session *s,
		    const struct mx_task *task,
		    const struct mx_masa_profile_source *source,
		    struct mx_err *err)
{
	const char *key = source->memory_key ? source->memory_key : MEMORY_KEY;
	char *directory = NULL;
	int rc;

	rc = find(task, source->networks_path, &directory, err);
	if (!rc)
		rc = mx_description_profile(out, directory, key, err);
	if (!rc)
		mx_log(s->opts.log, MX_LOG_INFO,
		       "%s: masa goes by %" PRIu64 " bytes and %" PRIu64
		       " ms (%s)",
		       task->name, out->peak_bytes, out->key_ns / 1000000,
		       directory);
	free(directory);
	return rc;
}

int mx_masa_profiles_read(struct mx_masa_profile **out,
			  const struct mx_session *session,
			  const struct mx_masa_profile_source *source,
			  struct mx_err *err)
{
	struct mx_masa_profile *profiles;
	size_t count = 0, i;
	int rc = 0;

	profiles = calloc(session->task_count + 1, sizeof(*profiles));
	if (!profiles)
		return mx_fail(err, ENOMEM, "queue: no memory");
	for (i = 0; !rc && i < session->task_count; i++)
		if (!session->tasks[i].sharer)
			rc = read_one(&profiles[count++], session,
				      &session->tasks[i], source, err);
	if (rc)
		free(profiles);
	else
		*out = profiles;
	return rc;
}
