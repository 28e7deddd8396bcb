#include "loader/write.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/err.h"
#include "loader/model_impl.h"
#include "loader/outdir.h"
#include "loader/write_impl.h"

static int put_weights(struct mx_network *net, const struct mx_write_opts *opts,
		       struct mx_outdir *dir, struct mx_err *err)
{
	int fd;
	int rc;

	rc = mx_slices_plan(net,
			    opts->slice_bytes ? opts->slice_bytes
					      : MX_SLICE_BYTES_DEFAULT,
			    err);
	if (rc)
		return rc;
	rc = mx_outdir_create(dir, MX_MODEL_WEIGHTS, &fd, err);
	if (rc)
		return rc;
	rc = mx_weights_write(net, opts, fd, mx_outdir_path(dir), err);
	(void)close(fd);
	return rc;
}

static int put_structure(const struct mx_network *net, struct mx_outdir *dir,
			 struct mx_err *err)
{
	struct mx_err why = {""};
	struct mx_network again;
	unsigned char *bytes;
	size_t size;
	int rc;

	rc = mx_network_pack(net, &bytes, &size, err);
	if (rc)
		return rc;
	/* What the reader would refuse must not be written. */
	rc = mx_network_unpack(&again, bytes, size, &why);
	if (rc) {
		rc = mx_fail(err, -rc, "write %s: %s", mx_outdir_path(dir),
			     why.text);
		goto out;
	}
	mx_network_fini(&again);
	rc = mx_outdir_put(dir, MX_MODEL_PB, bytes, size, err);
out:
	free(bytes);
	return rc;
}

static int put_labels(const struct mx_network *net, struct mx_outdir *dir,
		      struct mx_err *err)
{
	struct mx_err why = {""};
	unsigned char *bytes;
	size_t size;
	int rc;

	if (net->label_count == 0)
		return 0;
	rc = mx_labels_text(net, &bytes, &size, &why);
	if (rc)
		return mx_fail(err, -rc, "write %s: %s", mx_outdir_path(dir),
			       why.text);
	rc = mx_outdir_put(dir, MX_MODEL_LABELS, bytes, size, err);
	free(bytes);
	return rc;
}

int mx_model_write(struct mx_network *net, const struct mx_write_opts *opts,
		   struct mx_err *err)
{
	struct mx_outdir *dir;
	int rc;

	if (opts->slice_bytes && (opts->slice_bytes < MX_SLICE_BYTES_MIN ||
				  opts->slice_bytes > MX_SLICE_BYTES_MAX))
		return mx_fail(err, EINVAL,
			       "slices of %" PRIu64 " bytes: must be %u to %u",
			       opts->slice_bytes, MX_SLICE_BYTES_MIN,
			       MX_SLICE_BYTES_MAX);
	rc = mx_outdir_open(&dir, opts->path,
			    opts->force ? MX_OUTDIR_REPLACE : MX_OUTDIR_NEW,
			    err);
	if (rc)
		return rc;
	rc = put_weights(net, opts, dir, err);
	if (rc)
		goto out;
	rc = put_structure(net, dir, err);
	if (rc)
		goto out;
	rc = put_labels(net, dir, err);
	if (rc)
		goto out;
	rc = mx_outdir_commit(dir, err);
out:
	mx_outdir_close(dir);
	return rc;
}
