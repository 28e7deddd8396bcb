#include "cli/open.h"

#include <errno.h>
#include <string.h>

#include "lib/err.h"
#include "loader/mxload.h"

int mx_open_bound(struct mx_model **out, const char *path, struct mx_err *err)
{
	struct mx_model *model;
	struct mx_err why;
	int rc;

	rc = mx_model_open(&model, path, err);
	if (rc == -ENOTDIR)
		return mx_fail(err, EBADMSG,
			       "%s: no model directory: import makes one",
			       path);
	if (rc)
		return rc;
	why.text[0] = '\0';
	rc = mx_network_bind(mx_model_network(model), &why);
	if (rc) {
		mx_model_close(model);
		/* It is whole and in itself right: another version wrote it. */
		return mx_fail(err, -rc, "%s: %s%s", path, why.text,
			       rc == -ENOMEM ? "" : ": import it again");
	}
	*out = model;
	return 0;
}
