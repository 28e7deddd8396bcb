#include "tests/onnx_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

/* A directory with a model and its data. */
struct fixture {
	char dir[TEMP_PATH_BYTES];
};

static const float values[] = {1, 2, 3, 4};

static char *path_of(const struct fixture *fx, const char *name)
{
	static char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", fx->dir, name);
	return path;
}

static void write_file(const struct fixture *fx, const char *name,
		       const void *data, size_t size)
{
	int fd = open(path_of(fx, name), O_CREAT | O_WRONLY | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	close(fd);
}

static int setup(void **state)
{
	struct fixture *fx = calloc(1, sizeof(*fx));

	assert_non_null(fx);
	temp_directory(fx->dir);
	assert_int_equal(mkdir(path_of(fx, "sub"), 0700), 0);
	write_file(fx, "data", values, sizeof(values));
	write_file(fx, "sub/data", values, sizeof(values));
	*state = fx;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fx = *state;

	temp_remove(fx->dir);
	free(fx);
	return 0;
}

static void entry(struct pb *tensor, const char *key, const char *value)
{
	struct pb pair = {0};

	if (!value)
		return;
	pb_text(&pair, 1, key);
	pb_text(&pair, 2, value);
	pb_message(tensor, 13, &pair);
}

/* Import a model whose output "w" (@count floats) is external. */
static int import_external(const struct fixture *fx, int64_t count,
			   const char *location, const char *offset,
			   const char *length, struct import *import)
{
	struct pb tensor = {0}, graph = {0}, model = {0};
	struct mx_import_opts opts = {.keep_batch = 1};
	char path[256];
	int rc;

	pb_int(&tensor, 1, count);
	pb_int(&tensor, 2, 1);
	pb_text(&tensor, 8, "w");
	entry(&tensor, "location", location);
	entry(&tensor, "offset", offset);
	entry(&tensor, "length", length);
	pb_int(&tensor, 14, 1);
	pb_message(&graph, 5, &tensor);
	put_value_info(&graph, 12, "w", "");
	put_model(&model, &graph, DEFAULT_OPSET);
	write_file(fx, "model", model.data, model.size);
	free(model.data);
	memset(import, 0, sizeof(*import));
	(void)snprintf(path, sizeof(path), "%s", path_of(fx, "model"));
	opts.source = path;
	rc = mx_onnx_graph(&opts, &import->graph, &import->source,
			   &import->err);
	hide_path(&import->err, path);
	hide_path(&import->err, fx->dir);
	return rc;
}

static void bytes_beside_the_model_are_read(void **state)
{
	static const struct {
		int64_t count;
		const char *offset;
		const char *length;
		const char *want;
	} cases[] = {
		{4, NULL, NULL, "Constant() shape=4 rows=1,2,3,4 -> w 4\n"},
		{2, "8", "8", "Constant() shape=2 rows=3,4 -> w 2\n"},
		{1, "4", NULL, "Constant() shape=1 rows=2 -> w 1\n"},
	};
	static char text[TEXT_BYTES];
	struct import import;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(import_external(*state, cases[i].count, "data",
						 cases[i].offset,
						 cases[i].length, &import),
				 0);
		graph_text(import.graph, text);
		assert_string_equal(text, cases[i].want);
		import_end(&import);
	}
}

static void expect_refused(const struct fixture *fx, const char *location,
			   const char *offset, const char *length, int want,
			   const char *message)
{
	struct import import;
	int rc = import_external(fx, 4, location, offset, length, &import);

	assert_string_equal(import.err.text, message);
	assert_int_equal(rc, want);
	import_end(&import);
}

static void names_outside_of_the_directory_are_refused(void **state)
{
	static const char *const names[] = {
		"/etc/passwd", "../data", "..", "sub/data", "./data", ".", ""};
	char message[256];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(message, sizeof(message),
			       "FILE: tensor w: its data file %s is not in the "
			       "model's directory",
			       names[i]);
		expect_refused(*state, names[i], NULL, NULL, -EBADMSG, message);
	}
}

static void links_are_refused(void **state)
{
	struct fixture *fx = *state;
	char target[256];

	assert_int_equal(symlink("data", path_of(fx, "link")), 0);
	expect_refused(fx, "link", NULL, NULL, -EBADMSG,
		       "tensor w: its data file FILE/link is a symbolic link");
	unlink(path_of(fx, "link"));
	(void)snprintf(target, sizeof(target), "%s", path_of(fx, "sub/data"));
	assert_int_equal(link(target, path_of(fx, "link")), 0);
	expect_refused(fx, "link", NULL, NULL, -EBADMSG,
		       "tensor w: its data file FILE/link has other names "
		       "(hard links)");
}

static void what_is_no_file_is_refused(void **state)
{
	struct fixture *fx = *state;

	expect_refused(fx, "sub", NULL, NULL, -EBADMSG,
		       "tensor w: its data file FILE/sub is no regular file");
	assert_int_equal(mkfifo(path_of(fx, "pipe"), 0600), 0);
	expect_refused(fx, "pipe", NULL, NULL, -EBADMSG,
		       "tensor w: its data file FILE/pipe is no regular file");
	expect_refused(fx, "none", NULL, NULL, -ENOENT,
		       "tensor w: open FILE/none: No such file or directory");
}

static void offset_and_length_stay_inside_the_file(void **state)
{
	static const struct {
		const char *offset;
		const char *length;
	} cases[] = {
		{"17", NULL},
		{"0", "17"},
		{"8", "16"},
		{"18446744073709551615", "16"},
		{"1", "18446744073709551615"},
	};
	static const char *const words[] = {"-1", "1x", "",
					    "18446744073709551616"};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_refused(*state, "data", cases[i].offset, cases[i].length,
			       -EBADMSG,
			       "FILE: tensor w: its data file data has only 16 "
			       "bytes");
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		expect_refused(*state, "data", words[i], NULL, -EBADMSG,
			       "FILE: tensor w: its external data is not "
			       "described");
	expect_refused(*state, NULL, NULL, NULL, -EBADMSG,
		       "FILE: tensor w: its external data is not described");
	write_file(*state, "empty", "", 0);
	expect_refused(*state, "empty", NULL, NULL, -EBADMSG,
		       "FILE: tensor w: its shape has 4 elements, its data 0 "
		       "bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bytes_beside_the_model_are_read,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			names_outside_of_the_directory_are_refused, setup,
			teardown),
		cmocka_unit_test_setup_teardown(links_are_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_is_no_file_is_refused,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			offset_and_length_stay_inside_the_file, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
