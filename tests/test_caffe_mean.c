#include "tests/caffe_fixture.h"

static int mean_of(const struct wire *blob, float mean[4], size_t *channels,
		   struct mx_err *err)
{
	char path[TEMP_PATH_BYTES];
	int rc;

	temp_file_of(path, blob->bytes, blob->size);
	rc = mx_caffe_mean(path, mean, channels, err);
	replace_all(err->text, path, "MEAN");
	unlink(path);
	return rc;
}

static void each_channel_has_its_mean(void **state)
{
	static struct wire blob;
	float mean[4] = {0};
	struct mx_err err;
	size_t channels = 0;

	(void)state;
	make_blob(&blob, 4, (int64_t[]){1, 3, 30, 40}, 0);
	assert_int_equal(mean_of(&blob, mean, &channels, &err), 0);
	assert_int_equal(channels, 3);
	assert_true(mean[0] == 599.5f);
	assert_true(mean[1] == 1799.5f);
	assert_true(mean[2] == 2999.5f);

	make_blob(&blob, 2, (int64_t[]){2, 2}, 1);
	assert_int_equal(mean_of(&blob, mean, &channels, &err), 0);
	assert_int_equal(channels, 1);
	assert_true(mean[0] == 2.5f);
}

static void what_is_no_mean_picture_is_refused(void **state)
{
	static struct wire blob;
	float mean[4];
	struct mx_err err;
	size_t channels;

	(void)state;
	make_blob(&blob, 4, (int64_t[]){2, 3, 2, 2}, 0);
	assert_int_equal(mean_of(&blob, mean, &channels, &err), -EBADMSG);
	assert_string_equal(err.text, "MEAN: no mean picture: 2x3x2x2");
	make_blob(&blob, 3, (int64_t[]){5, 2, 2}, 0);
	assert_int_equal(mean_of(&blob, mean, &channels, &err), -EBADMSG);
	assert_string_equal(err.text, "MEAN: no mean picture: 5x2x2");
	blob.size -= 1;
	assert_int_equal(mean_of(&blob, mean, &channels, &err), -EBADMSG);
	assert_int_equal(mx_caffe_mean("/nowhere", mean, &channels, &err),
			 -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_channel_has_its_mean),
		cmocka_unit_test(what_is_no_mean_picture_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
