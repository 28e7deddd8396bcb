#include "cli/memory_option.h"

#include <errno.h>
#include <string.h>

#include "cli/command.h"
#include "cli/number.h"

error_t mx_memory_budget(struct mx_cli *cli, const char *verb, const char *text,
			 uint64_t *out)
{
	uint64_t value;

	if (!mx_parse_size(text, &value) && value) {
		*out = value;
		return 0;
	}
	(void)mx_fail(&cli->err, EINVAL,
		      "%s: --budget=%s: must be a size such as 64M", verb,
		      text);
	return EINVAL;
}

error_t mx_memory_budgets(struct mx_cli *cli, const char *verb,
			  const char *text, uint64_t *out, size_t room,
			  size_t *count)
{
	if (!mx_parse_sizes(text, out, room, count))
		return 0;
	(void)mx_fail(&cli->err, EINVAL,
		      "%s: --budget=%s: must be sizes such as "
		      "64M,128M-512M*2, at most %zu",
		      verb, text, room);
	return EINVAL;
}

error_t mx_memory_io(struct mx_cli *cli, const char *verb, const char *text,
		     const char **out)
{
	static const char *const names[] = {"auto", "uring", "threads", "sync"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(text, names[i])) {
			*out = text;
			return 0;
		}
	(void)mx_fail(&cli->err, EINVAL,
		      "%s: --io=%s: must be auto, uring, threads or sync", verb,
		      text);
	return EINVAL;
}

error_t mx_memory_storage(struct mx_cli *cli, const char *verb,
			  const char *text, uint64_t *out)
{
	uint64_t rate = 0;

	if (!strcmp(text, "auto") || (!mx_parse_size(text, &rate) && rate)) {
		*out = rate;
		return 0;
	}
	(void)mx_fail(&cli->err, EINVAL,
		      "%s: --storage=%s: must be auto or bytes a second such "
		      "as 40M",
		      verb, text);
	return EINVAL;
}
