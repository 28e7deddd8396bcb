#include "cli/timeout_option.h"

#include <errno.h>

#include "cli/command.h"
#include "cli/number.h"

error_t mx_timeout_option(struct mx_cli *cli, const char *verb,
			  const char *text, uint64_t *out_ns)
{
	uint64_t ns;

	if (!mx_parse_duration(text, &ns) && ns) {
		*out_ns = ns;
		return 0;
	}
	(void)mx_fail(
		&cli->err, EINVAL,
		"%s: --timeout=%s: must be a time such as 500ms, 2s or 5m",
		verb, text);
	return EINVAL;
}
