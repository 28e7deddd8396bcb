/*
 * Invariants: names maps a layer's name to the index of its last entry with
 * blobs (any entry if none has). An entry's message lies inside the file and
 * its own fields were walked once, so that walking them again cannot fail.
 */
#include "loader/import/caffe_model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "loader/import/caffe.pb-c.h"
#include "loader/import/caffe_blob.h"
#include "loader/import/caffe_names.h"
#include "loader/import/caffe_wire.h"
#include "loader/import/graph.h"

enum { NET_LAYERS_V1 = 2, NET_LAYER = 100 };
enum { LAYER_NAME = 1, LAYER_BLOBS = 7 };
enum { V1_NAME = 4, V1_BLOBS = 6 };

struct entry {
	char *name;
	struct mx_wire wire; /* its message */
	uint32_t blob_number; /* the field that blobs have */
	uint32_t blob_count;
};

struct mx_caffe_model {
	char *path;
	struct entry *entries;
	uint32_t count;
	uint32_t room;
	struct mx_names names;
};

static int read_name(struct entry *entry, const struct mx_wire_rest *rest,
		     int is_v1)
{
	const char *name = NULL;
	MxCaffe__LayerParameter *v2 = NULL;
	MxCaffe__V1LayerParameter *v1 = NULL;
	int rc = -EBADMSG;

	if (is_v1) {
		v1 = mx_caffe__v1_layer_parameter__unpack(NULL, rest->size,
							  rest->bytes);
		name = v1 ? (v1->name ? v1->name : "") : NULL;
	} else {
		v2 = mx_caffe__layer_parameter__unpack(NULL, rest->size,
						       rest->bytes);
		name = v2 ? (v2->name ? v2->name : "") : NULL;
	}
	if (name) {
		entry->name = strdup(name);
		rc = entry->name ? 0 : -ENOMEM;
	}
	if (v1)
		mx_caffe__v1_layer_parameter__free_unpacked(v1, NULL);
	if (v2)
		mx_caffe__layer_parameter__free_unpacked(v2, NULL);
	return rc;
}

/* Walk a layer's fields: its name, the number of its blobs. */
static int read_layer(struct mx_caffe_model *model, struct entry *entry,
		      int is_v1, struct mx_err *err)
{
	const uint32_t name_number = is_v1 ? V1_NAME : LAYER_NAME;
	struct mx_wire wire = entry->wire;
	struct mx_wire_rest rest = {0};
	struct mx_wire_field field;
	int rc;

	entry->blob_number = is_v1 ? V1_BLOBS : LAYER_BLOBS;
	while ((rc = mx_wire_next(&wire, &field)) == 1) {
		if (field.number == entry->blob_number) {
			if (field.type != MX_WIRE_BYTES) {
				wire.at = field.start;
				rc = -EBADMSG;
				break;
			}
			entry->blob_count++;
		} else if (field.number == name_number) {
			rc = mx_wire_rest_add(&rest, &wire, &field);
			if (rc < 0)
				break;
		}
	}
	if (rc == 0)
		rc = read_name(entry, &rest, is_v1);
	if (rc < 0)
		(void)mx_fail(err, -rc, "%s: layer %u: broken at byte %zu",
			      model->path, model->count, wire.at);
	free(rest.bytes);
	return rc;
}

static int add_layer(struct mx_caffe_model *model, struct mx_wire wire,
		     int is_v1, struct mx_err *err)
{
	struct entry *entry;
	const uint32_t *known;
	int rc;

	if (model->count == model->room) {
		const uint32_t room = model->room ? model->room * 2 : 64;
		struct entry *more =
			realloc(model->entries, room * sizeof(*more));

		if (!more)
			return mx_fail_errno(err, "read %s", model->path);
		model->entries = more;
		model->room = room;
	}
	entry = &model->entries[model->count];
	*entry = (struct entry){.wire = wire};
	rc = read_layer(model, entry, is_v1, err);
	if (rc < 0)
		return rc;
	model->count++;
	known = mx_names_find(&model->names, entry->name);
	if (known && entry->blob_count == 0)
		return 0;
	rc = mx_names_put(&model->names, entry->name, model->count - 1);
	return rc < 0 ? mx_fail(err, -rc, "%s: no memory", model->path) : 0;
}

int mx_caffe_model_open(struct mx_caffe_model **out, const char *path,
			const unsigned char *data, size_t size_bytes,
			struct mx_err *err)
{
	struct mx_wire wire = {.base = data, .end = size_bytes};
	struct mx_caffe_model *model;
	struct mx_wire_field field;
	int rc;

	model = calloc(1, sizeof(*model));
	if (!model)
		return mx_fail_errno(err, "read %s", path);
	model->path = strdup(path);
	if (!model->path) {
		rc = mx_fail_errno(err, "read %s", path);
		goto fail;
	}
	while ((rc = mx_wire_next(&wire, &field)) == 1) {
		if (field.number != NET_LAYER && field.number != NET_LAYERS_V1)
			continue;
		if (field.type != MX_WIRE_BYTES) {
			wire.at = field.start;
			rc = -EBADMSG;
			break;
		}
		rc = add_layer(model, mx_wire_inside(&wire, &field),
			       field.number == NET_LAYERS_V1, err);
		if (rc < 0)
			goto fail;
	}
	if (rc < 0) {
		(void)mx_fail(err, EBADMSG,
			      "%s: no caffemodel, or broken after layer \"%s\" "
			      "at byte %zu",
			      path,
			      model->count
				      ? model->entries[model->count - 1].name
				      : "",
			      wire.at);
		goto fail;
	}
	if (model->count == 0) {
		rc = mx_fail(err, EBADMSG, "%s: no caffemodel: has no layers",
			     path);
		goto fail;
	}
	*out = model;
	return 0;

fail:
	mx_caffe_model_close(model);
	return rc;
}

void mx_caffe_model_close(struct mx_caffe_model *model)
{
	uint32_t i;

	if (!model)
		return;
	for (i = 0; i < model->count; i++)
		free(model->entries[i].name);
	free(model->entries);
	mx_names_fini(&model->names);
	free(model->path);
	free(model);
}

static const struct entry *find(const struct mx_caffe_model *model,
				const char *name)
{
	const uint32_t *index = mx_names_find(&model->names, name);

	return index ? &model->entries[*index] : NULL;
}

uint32_t mx_caffe_model_blob_count(const struct mx_caffe_model *model,
				   const char *name)
{
	const struct entry *entry = find(model, name);

	return entry ? entry->blob_count : 0;
}

int mx_caffe_model_blob(const struct mx_caffe_model *model, const char *name,
			uint32_t index, struct mx_graph *graph,
			struct mx_blob *blob, struct mx_shape *shape,
			struct mx_err *err)
{
	const struct entry *entry = find(model, name);
	struct mx_wire_field field;
	struct mx_wire wire;
	uint32_t seen = 0;
	char what[MX_ERR_BYTES / 2];
	void *copy;
	int rc;

	if (!entry || index >= entry->blob_count)
		return mx_fail(err, EBADMSG,
			       "%s: layer \"%s\": weights %u are missing",
			       model->path, name, index);
	wire = entry->wire;
	while (mx_wire_next(&wire, &field) == 1)
		if (field.number == entry->blob_number && seen++ == index)
			break;
	(void)snprintf(what, sizeof(what),
		       "%s: layer \"%s\": weights %u at byte %zu", model->path,
		       name, index, field.data);
	rc = mx_caffe_blob_read(mx_wire_inside(&wire, &field), what, blob,
				shape, &copy, err);
	if (rc < 0)
		return rc;
	if (copy && mx_graph_own(graph, copy) < 0)
		return mx_fail(err, ENOMEM, "%s: no memory", what);
	return 0;
}
