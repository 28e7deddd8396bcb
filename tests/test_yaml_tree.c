#include "cli/yaml_tree.h"

#include <errno.h>

#include "lib/err.h"
#include "tests/scratch_dir.h"

static struct mx_yaml *read_text(struct scratch_dir *dir, const char *text)
{
	struct mx_yaml *yaml;

	scratch_dir_put(dir, "f.yaml", text, strlen(text));
	assert_int_equal(mx_yaml_read(&yaml, dir->file, NULL), 0);
	return yaml;
}

static void keys_and_items_are_found(void **state)
{
	struct mx_yaml *yaml =
		read_text(*state, "a: 1\nlist: [(0-2), 'x y', {k: v}]\n");
	const struct mx_yaml_node *root = mx_yaml_root(yaml);
	const struct mx_yaml_node *list = mx_yaml_get(yaml, root, "list");

	assert_string_equal(mx_yaml_text(mx_yaml_get(yaml, root, "a")), "1");
	assert_null(mx_yaml_get(yaml, root, "b"));
	assert_null(mx_yaml_text(mx_yaml_get(yaml, root, "b")));
	assert_int_equal(mx_yaml_count(list), 3);
	assert_string_equal(mx_yaml_text(mx_yaml_item(yaml, list, 0)), "(0-2)");
	assert_string_equal(mx_yaml_text(mx_yaml_item(yaml, list, 1)), "x y");
	assert_string_equal(mx_yaml_text(mx_yaml_get(
				    yaml, mx_yaml_item(yaml, list, 2), "k")),
			    "v");
	/* A wrong kind is no such thing. */
	assert_null(mx_yaml_text(list));
	assert_int_equal(mx_yaml_count(root), 0);
	assert_null(mx_yaml_get(yaml, list, "a"));
	mx_yaml_free(yaml);
}

static void json_is_read_too(void **state)
{
	struct mx_yaml *yaml = read_text(
		*state, "{\n  \"results\": [ {\"median_ns\": 12} ]\n}\n");
	const struct mx_yaml_node *list =
		mx_yaml_get(yaml, mx_yaml_root(yaml), "results");

	assert_int_equal(mx_yaml_count(list), 1);
	assert_string_equal(
		mx_yaml_text(mx_yaml_get(yaml, mx_yaml_item(yaml, list, 0),
					 "median_ns")),
		"12");
	mx_yaml_free(yaml);
}

static void an_empty_file_has_no_root(void **state)
{
	struct mx_yaml *yaml = read_text(*state, "");

	assert_null(mx_yaml_root(yaml));
	assert_null(mx_yaml_get(yaml, mx_yaml_root(yaml), "a"));
	mx_yaml_free(yaml);
}

static void nodes_know_their_line_and_mappings_their_keys(void **state)
{
	struct mx_yaml *yaml =
		read_text(*state, "a: 1\n\nb:\n  - {x: 1, y: 2}\n  - z\n");
	const struct mx_yaml_node *root = mx_yaml_root(yaml);
	const struct mx_yaml_node *list = mx_yaml_get(yaml, root, "b");

	assert_int_equal(mx_yaml_line(mx_yaml_get(yaml, root, "a")), 1);
	assert_int_equal(mx_yaml_line(mx_yaml_item(yaml, list, 0)), 4);
	assert_int_equal(mx_yaml_line(mx_yaml_item(yaml, list, 1)), 5);
	assert_int_equal(mx_yaml_line(NULL), 0);
	assert_string_equal(mx_yaml_key(yaml, root, 0), "a");
	assert_string_equal(mx_yaml_key(yaml, root, 1), "b");
	assert_null(mx_yaml_key(yaml, root, 2));
	assert_null(mx_yaml_key(yaml, list, 0));
	assert_null(mx_yaml_key(yaml, NULL, 0));
	mx_yaml_free(yaml);
}

static void errors_have_line_and_column(void **state)
{
	struct scratch_dir *dir = *state;
	struct mx_yaml *yaml;
	struct mx_err err;
	char want[256];

	scratch_dir_put(dir, "bad", "a: 1\nb: [1,\n", 12);
	assert_int_equal(mx_yaml_read(&yaml, dir->file, &err), -EBADMSG);
	(void)snprintf(want, sizeof(want), "%s:3:1: ", dir->file);
	assert_memory_equal(err.text, want, strlen(want));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_and_items_are_found),
		cmocka_unit_test(json_is_read_too),
		cmocka_unit_test(an_empty_file_has_no_root),
		cmocka_unit_test(nodes_know_their_line_and_mappings_their_keys),
		cmocka_unit_test(errors_have_line_and_column),
	};

	return cmocka_run_group_tests(tests, scratch_dir_setup,
				      scratch_dir_teardown);
}
