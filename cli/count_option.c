#include "cli/count_option.h"

#include <errno.h>
#include <inttypes.h>

#include "cli/command.h"
#include "cli/number.h"

error_t mx_count_option(struct mx_cli *cli, const char *verb,
			const char *option, const char *text, uint32_t max,
			uint32_t *out)
{
	uint64_t value;

	if (!mx_parse_count(text, max, &value) && value) {
		*out = (uint32_t)value;
		return 0;
	}
	(void)mx_fail(&cli->err, EINVAL,
		      "%s: --%s=%s: must be a number from 1 to %" PRIu32, verb,
		      option, text, max);
	return EINVAL;
}
