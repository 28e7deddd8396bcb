#include "cli/description.h"

#include <errno.h>

#include "lib/err.h"
#include "sched/board.h"
#include "tests/scratch_dir.h"

static int read_text(struct scratch_dir *dir, const char *text,
		     struct mx_description *out, struct mx_err *err)
{
	scratch_dir_put(dir, "description.yaml", text, strlen(text));
	return mx_description_read(out, dir->path, err);
}

static void a_description_names_files_mean_and_labels(void **state)
{
	struct scratch_dir *dir = *state;
	struct mx_description description;
	char want[256];

	assert_int_equal(read_text(dir,
				   "name: AgeNet\n"
				   "network-file: age.prototxt\n"
				   "model-file: age.caffemodel\n"
				   "mean-scalar: [78.5, 87, 114]\n"
				   "uses-result-vector: true\n"
				   "result-vector: [(0-2), Male]\n"
				   "use-scales: true\n",
				   &description, NULL),
			 0);
	assert_string_equal(description.name, "AgeNet");
	(void)snprintf(want, sizeof(want), "%s/age.prototxt", dir->path);
	assert_string_equal(description.network_path, want);
	(void)snprintf(want, sizeof(want), "%s/age.caffemodel", dir->path);
	assert_string_equal(description.weights_path, want);
	assert_int_equal(description.mean_count, 3);
	assert_true(description.mean[0] == 78.5f && description.mean[2] == 114);
	assert_int_equal(description.label_count, 2);
	assert_string_equal(description.labels[0], "(0-2)");
	assert_true(description.uses_scales);
	mx_description_fini(&description);
}

static void an_unused_result_vector_is_left_out(void **state)
{
	struct mx_description description;

	assert_int_equal(read_text(*state,
				   "network-file: a\n"
				   "uses-result-vector: false\n"
				   "result-vector: [(0-2), Male]\n",
				   &description, NULL),
			 0);
	assert_int_equal(description.label_count, 0);
	assert_null(description.name);
	assert_null(description.weights_path);
	assert_int_equal(description.mean_count, 0);
	assert_false(description.uses_scales);
	mx_description_fini(&description);
}

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *text;
		const char *why;
	} cases[] = {
		{"name: x\n", "network-file is missing"},
		{"[1, 2]\n", "network-file is missing"},
		{"network-file: ../x\n",
		 "network-file must name a file in the directory"},
		{"network-file: [x]\n",
		 "network-file must name a file in the directory"},
		{"network-file: x\nmodel-file: /etc/passwd\n",
		 "model-file must name a file in the directory"},
		{"network-file: x\nmean-scalar: [1, 2]\n",
		 "mean-scalar must be 1 or 3 numbers"},
		{"network-file: x\nmean-scalar: 5\n",
		 "mean-scalar must be 1 or 3 numbers"},
		{"network-file: x\nmean-scalar: [a]\n",
		 "mean-scalar must be 1 or 3 numbers"},
		{"network-file: x\nuses-result-vector: true\n",
		 "result-vector must be a list"},
		{"network-file: x\nuses-result-vector: true\n"
		 "result-vector: [[1]]\n",
		 "item 0 of result-vector is no text"},
	};
	struct scratch_dir *dir = *state;
	struct mx_description description;
	struct mx_err err;
	char want[256];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
			read_text(dir, cases[i].text, &description, &err),
			-EBADMSG);
		(void)snprintf(want, sizeof(want), "%s/description.yaml: %s",
			       dir->path, cases[i].why);
		assert_string_equal(err.text, want);
	}
}

static void a_directory_is_told_by_its_description(void **state)
{
	struct scratch_dir *dir = *state;

	scratch_dir_put(dir, "description.yaml", "", 0);
	assert_true(mx_description_is(dir->path));
	assert_false(mx_description_is("/nonexistent"));
	assert_false(mx_description_is(dir->file));
}

static int read_profile(struct scratch_dir *dir, const char *text,
			const char *key, struct mx_masa_profile *out,
			struct mx_err *err)
{
	scratch_dir_put(dir, "description.yaml", text, strlen(text));
	return mx_description_profile(out, dir->path, key, err);
}

static void a_profile_is_the_peak_asked_for_and_the_mean_time(void **state)
{
	static const char text[] = "max-memory-valgrind: 161.74\n"
				   "max-memory-rss: 303\n"
				   "mean-execution-time: 294\n";
	struct mx_masa_profile profile;

	assert_int_equal(read_profile(*state, text, "valgrind", &profile, NULL),
			 0);
	assert_int_equal(profile.peak_bytes, 161740000);
	assert_int_equal(profile.key_ns, 294000000);
	assert_int_equal(read_profile(*state, text, "rss", &profile, NULL), 0);
	assert_int_equal(profile.peak_bytes, 303000000);
}

static void a_profile_without_its_numbers_is_refused(void **state)
{
	static const struct {
		const char *text;
		const char *key;
	} cases[] = {
		{"mean-execution-time: 1\n", "max-memory-rss"},
		{"max-memory-rss: 0\n", "max-memory-rss"},
		{"max-memory-rss: -1\n", "max-memory-rss"},
		{"max-memory-rss: nan\n", "max-memory-rss"},
		{"max-memory-rss: 1e10\n", "max-memory-rss"},
		{"max-memory-rss: [1]\n", "max-memory-rss"},
		{"max-memory-rss: 1\n", "mean-execution-time"},
	};
	struct scratch_dir *dir = *state;
	struct mx_masa_profile profile;
	struct mx_err err;
	char want[256];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
			read_profile(dir, cases[i].text, "rss", &profile, &err),
			-EBADMSG);
		(void)snprintf(
			want, sizeof(want),
			"%s/description.yaml: %s must be there, a number "
			"above 0",
			dir->path, cases[i].key);
		assert_string_equal(err.text, want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_description_names_files_mean_and_labels),
		cmocka_unit_test(an_unused_result_vector_is_left_out),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(a_directory_is_told_by_its_description),
		cmocka_unit_test(
			a_profile_is_the_peak_asked_for_and_the_mean_time),
		cmocka_unit_test(a_profile_without_its_numbers_is_refused),
	};

	return cmocka_run_group_tests(tests, scratch_dir_setup,
				      scratch_dir_teardown);
}
