#include "cli/policy_option.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/count_option.h"
#include "sched/policy.h"

/* "a, b or c", cut where @room ends. */
static void list_names(char *text, size_t room)
{
	const struct mx_policy *policy;
	const char *between;
	size_t i;

	text[0] = '\0';
	for (i = 0; (policy = mx_policy_at(i)); i++) {
		between = !i ? "" : mx_policy_at(i + 1) ? ", " : " or ";
		(void)strncat(text, between, room - strlen(text) - 1);
		(void)strncat(text, policy->name, room - strlen(text) - 1);
	}
}

error_t mx_policy_option(struct mx_cli *cli, const char *verb, const char *text,
			 const char **out)
{
	const struct mx_policy *policy = mx_policy_find(text);
	char names[256];

	if (policy) {
		*out = policy->name;
		return 0;
	}
	list_names(names, sizeof(names));
	(void)mx_fail(&cli->err, EINVAL, "%s: --policy=%s: must be %s", verb,
		      text, names);
	return EINVAL;
}

error_t mx_policy_options(struct mx_cli *cli, const char *verb,
			  const char *text, const char **out, size_t room,
			  size_t *count)
{
	char *names = strdup(text), *at = names, *name;
	error_t rc = 0;

	if (!names)
		return ENOMEM;
	*count = 0;
	while (!rc && (name = strsep(&at, ","))) {
		if (*count < room) {
			rc = mx_policy_option(cli, verb, name, &out[*count]);
			++*count;
			continue;
		}
		rc = EINVAL;
		(void)mx_fail(&cli->err, EINVAL,
			      "%s: --policy=%s: must be fewer names", verb,
			      text);
	}
	free(names);
	return rc;
}

error_t mx_policy_workers(struct mx_cli *cli, const char *verb,
			  const char *text, uint32_t *out)
{
	return mx_count_option(cli, verb, "workers", text,
			       MX_POLICY_WORKERS_MAX, out);
}

error_t mx_policy_masa_profile(struct mx_cli *cli, const char *verb,
			       const char *text, int *described)
{
	*described = !strcmp(text, "description");
	if (*described || !strcmp(text, "measured"))
		return 0;
	(void)mx_fail(&cli->err, EINVAL,
		      "%s: --masa-profile=%s: must be measured or description",
		      verb, text);
	return EINVAL;
}
