#include "cli/open.h"

#include <string.h>

#include "lib/err.h"
#include "loader/mxload.h"

int mx_open_bound(struct mx_model **out, const char *path, struct mx_err *err)
{
	struct mx_model *model;
	struct mx_err why;
	int rc;

	rc = mx_model_open(&model, path, err);
	if (rc)
		return rc;
	why.text[0] = '\0';
	rc = mx_network_bind(mx_model_network(model), &why);
	if (rc) {
		mx_model_close(model);
		return mx_fail(err, -rc, "%s: %s", path, why.text);
	}
	*out = model;
	return 0;
}
