/* wrap: malloc calloc strdup strndup open openat fstat read mmap */
#include "tests/model_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "loader/model_impl.h"
#include "tests/faults.h"

enum read_mode { READ_ALL, READ_BYTES, READ_INTERRUPTED, READ_CUT };
static enum read_mode read_mode;

FAULT(void *, malloc, (size_t size), (size), ENOMEM, NULL)
FAULT(void *, calloc, (size_t count, size_t size), (count, size), ENOMEM, NULL)
FAULT(char *, strdup, (const char *text), (text), ENOMEM, NULL)
FAULT(char *, strndup, (const char *text, size_t len), (text, len), ENOMEM,
      NULL)
FAULT(int, open, (const char *path, int flags, mode_t mode),
      (path, flags, mode), EIO, -1)
FAULT(int, openat, (int fd, const char *path, int flags, mode_t mode),
      (fd, path, flags, mode), EIO, -1)
FAULT(int, fstat, (int fd, struct stat *st), (fd, st), EIO, -1)
FAULT(void *, mmap,
      (void *at, size_t size, int prot, int flags, int fd, off_t offset),
      (at, size, prot, flags, fd, offset), EIO, MAP_FAILED)

ssize_t __real_read(int fd, void *to, size_t size);
ssize_t __wrap_read(int fd, void *to, size_t size);

ssize_t __wrap_read(int fd, void *to, size_t size)
{
	if (fault(EIO))
		return -1;
	switch (read_mode) {
	case READ_BYTES:
		return __real_read(fd, to, 1);
	case READ_INTERRUPTED:
		read_mode = READ_ALL;
		errno = EINTR;
		return -1;
	case READ_CUT:
		return 0;
	default:
		return __real_read(fd, to, size);
	}
}

static int setup(void **state)
{
	const int rc = fixture_setup(state);
	struct fixture *fx = *state;

	fixture_labels(&fx->net, 3);
	fixture_write(fx);
	return rc;
}

/* Opening fails with @rc and a message that ends in @message. */
static void refused(struct fixture *fx, int rc, const char *message)
{
	const unsigned fds = fixture_fd_count();
	struct mx_model *model = NULL;
	const char *text = fx->err.text;

	assert_int_equal(mx_model_open(&model, fx->path, &fx->err), rc);
	assert_null(model);
	assert_int_equal(fixture_fd_count(), fds);
	assert_true(strlen(text) >= strlen(message));
	assert_string_equal(text + strlen(text) - strlen(message), message);
	assert_non_null(strstr(text, fx->path));
}

static void an_open_model_is_what_was_written(void **state)
{
	struct fixture *fx = *state;
	const unsigned fds = fixture_fd_count();
	struct mx_model *model;
	struct mx_network *net;
	unsigned char *block;
	uint32_t i;
	uint32_t k;

	assert_int_equal(mx_model_open(&model, fx->path, &fx->err), 0);
	assert_int_equal(fixture_fd_count(), fds + 1);
	net = mx_model_network(model);
	assert_string_equal(net->name, "small");
	assert_int_equal(net->label_count, 3);
	assert_string_equal(net->labels[0], "label 0");
	assert_string_equal(net->labels[2], "label 2");
	assert_int_equal(net->slice_count, 12);
	assert_true(net->weights_fd >= 0);
	block = malloc(1 << 20);
	for (i = 0; i < net->slice_count; i++) {
		const struct mx_slice *s = &net->slices[i];
		const struct mx_weight_spec *spec =
			&net->layers[s->layer].weights;
		const unsigned char *mapped = mx_model_slice(model, i);

		assert_ptr_equal(mapped, net->weights_base + s->offset_bytes);
		for (k = 0; k < s->block_count; k++) {
			const uint64_t index = s->first_block + k;

			fixture_read_block(&fx->blocks, s->layer, index, block,
					   NULL);
			assert_memory_equal(
				mapped + k * mx_weight_block_bytes(spec, 0),
				block, mx_weight_block_bytes(spec, index));
		}
	}
	free(block);
	mx_model_close(model);
	assert_int_equal(fixture_fd_count(), fds);
	mx_model_close(NULL);
}

static void every_call_may_fail(void **state)
{
	struct fixture *fx = *state;
	const unsigned fds = fixture_fd_count();
	struct mx_model *model = NULL;
	long n;
	int rc;

	for (n = 0; !model; n++) {
		int fired;

		fx->err.text[0] = 0;
		faults_arm(n);
		rc = mx_model_open(&model, fx->path, &fx->err);
		fired = faults_disarm();
		assert_int_equal(rc, -fired);
		if (rc)
			assert_int_not_equal(fx->err.text[0], 0);
		assert_int_equal(fixture_fd_count(), fds + (rc == 0));
	}
	assert_true(n > 60);
	mx_model_close(model);
}

static void every_truncation_of_the_structure_is_refused(void **state)
{
	struct fixture *fx = *state;
	const char *path = fixture_in(fx->path, "model.pb");
	struct mx_model *model = NULL;
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	while (st.st_size-- > 0) {
		assert_int_equal(truncate(path, st.st_size), 0);
		assert_int_equal(mx_model_open(&model, fx->path, &fx->err),
				 -EBADMSG);
		assert_memory_equal(fx->err.text, path, strlen(path));
	}
	refused(fx, -EBADMSG,
		"/model.pb: 0 bytes that are no model, or not "
		"all of it");
}

static void a_structure_above_the_cap_is_not_read(void **state)
{
	struct fixture *fx = *state;

	assert_int_equal(truncate(fixture_in(fx->path, "model.pb"),
				  MX_MODEL_PB_BYTES_MAX + 1l),
			 0);
	refused(fx, -EBADMSG,
		"/model.pb: 67108865 bytes are more than 67108864");
}

static void what_is_no_model_directory_is_told(void **state)
{
	struct fixture *fx = *state;
	char path[sizeof(fx->path)];

	memcpy(path, fx->path, sizeof(path));
	snprintf(fx->path, sizeof(fx->path), "%s/none", fx->root);
	refused(fx, -ENOENT, ": No such file or directory");
	fixture_store(fx->path, "x", 1);
	refused(fx, -ENOTDIR, ": Not a directory");
	memcpy(fx->path, path, sizeof(path));
	unlink(fixture_in(fx->path, "weights.bin"));
	refused(fx, -EBADMSG, ": no model directory: it has no weights.bin");
	unlink(fixture_in(fx->path, "model.pb"));
	refused(fx, -EBADMSG, ": no model directory: it has no model.pb");
}

static void only_regular_files_are_read(void **state)
{
	static const char *const names[] = {
		"labels.txt",
		"weights.bin",
		"model.pb",
	};
	struct fixture *fx = *state;
	char message[64];
	size_t i;

	for (i = 0; i < 3; i++) {
		const char *path = fixture_in(fx->path, names[i]);
		const char *away = fixture_in(fx->root, names[i]);

		/* The ring of fixture_in() holds both through the loop. */
		assert_int_equal(rename(path, away), 0);
		assert_int_equal(symlink(away, path), 0);
		snprintf(message, sizeof(message), "/%s: is a symbolic link",
			 names[i]);
		refused(fx, -EBADMSG, message);
		assert_int_equal(unlink(path), 0);
		snprintf(message, sizeof(message), "/%s: is no regular file",
			 names[i]);
		assert_int_equal(mkfifo(path, 0600), 0);
		refused(fx, -EBADMSG, message);
		assert_int_equal(unlink(path), 0);
		assert_int_equal(mkdir(path, 0700), 0);
		refused(fx, -EBADMSG, message);
		assert_int_equal(rmdir(path), 0);
		assert_int_equal(rename(away, path), 0);
	}
}

static void weights_of_another_size_are_refused(void **state)
{
	struct fixture *fx = *state;
	const char *path = fixture_in(fx->path, "weights.bin");

	assert_int_equal(truncate(path, 1314815), 0);
	refused(fx, -EBADMSG, "/weights.bin: has 1314815 bytes, not 1314816");
	assert_int_equal(truncate(path, 1314817), 0);
	refused(fx, -EBADMSG, "/weights.bin: has 1314817 bytes, not 1314816");
	assert_int_equal(truncate(path, 0), 0);
	refused(fx, -EBADMSG, "/weights.bin: has 0 bytes, not 1314816");
}

static void no_weights_need_no_mapping(void **state)
{
	struct fixture *fx = *state;
	struct mx_model *model;
	uint32_t i;

	for (i = 0; i < L_COUNT; i++)
		memset(&fx->net.layers[i].weights, 0,
		       sizeof(fx->net.layers[i].weights));
	fx->opts.force = 1;
	fixture_write(fx);
	assert_int_equal(mx_model_open(&model, fx->path, &fx->err), 0);
	assert_null(mx_model_network(model)->weights_base);
	assert_int_equal(mx_model_network(model)->slice_count, 0);
	assert_int_equal(mx_model_network(model)->weights_file_bytes, 0);
	mx_model_close(model);
}

static void labels_are_lines(void **state)
{
	static const char text[] = "one\r\n\nthree\r\rx\nfour";
	struct fixture *fx = *state;
	const char *path = fixture_in(fx->path, "labels.txt");
	struct mx_model *model;
	struct mx_network *net;

	fixture_store(path, text, strlen(text));
	assert_int_equal(mx_model_open(&model, fx->path, &fx->err), 0);
	net = mx_model_network(model);
	assert_int_equal(net->label_count, 4);
	assert_string_equal(net->labels[0], "one");
	assert_string_equal(net->labels[1], "");
	assert_string_equal(net->labels[2], "three\r\rx");
	assert_string_equal(net->labels[3], "four");
	mx_model_close(model);

	fixture_store(path, "", 0);
	assert_int_equal(mx_model_open(&model, fx->path, &fx->err), 0);
	assert_int_equal(mx_model_network(model)->label_count, 0);
	mx_model_close(model);

	unlink(path);
	assert_int_equal(mx_model_open(&model, fx->path, &fx->err), 0);
	assert_int_equal(mx_model_network(model)->label_count, 0);
	mx_model_close(model);
}

static void broken_labels_are_refused(void **state)
{
	struct fixture *fx = *state;
	const char *path = fixture_in(fx->path, "labels.txt");
	char line[MX_MODEL_NAME_BYTES_MAX + 3];
	struct mx_model *model;

	fixture_store(path, "a\0b\n", 4);
	refused(fx, -EBADMSG, "/labels.txt: it holds a zero byte");
	memset(line, 'x', sizeof(line));
	line[0] = '\n';
	fixture_store(path, line, sizeof(line) - 1);
	refused(fx, -EBADMSG, "/labels.txt: line 2 is longer than 4096 bytes");
	fixture_store(path, line, sizeof(line) - 2);
	assert_int_equal(mx_model_open(&model, fx->path, &fx->err), 0);
	assert_int_equal(strlen(mx_model_network(model)->labels[1]), 4096);
	mx_model_close(model);
	assert_int_equal(truncate(path, MX_MODEL_LABELS_BYTES_MAX + 1l), 0);
	refused(fx, -EBADMSG,
		"/labels.txt: 16777217 bytes are more than 16777216");
}

static void short_and_interrupted_reads_go_on(void **state)
{
	struct fixture *fx = *state;
	struct mx_model *model;

	read_mode = READ_BYTES;
	assert_int_equal(mx_model_open(&model, fx->path, &fx->err), 0);
	mx_model_close(model);
	read_mode = READ_INTERRUPTED;
	assert_int_equal(mx_model_open(&model, fx->path, &fx->err), 0);
	mx_model_close(model);
	read_mode = READ_CUT;
	assert_int_equal(mx_model_open(&model, fx->path, &fx->err), -EIO);
	read_mode = READ_ALL;
	assert_non_null(strstr(fx->err.text, "model.pb: it ends at 0 of "));
}

static void the_version_is_told(void **state)
{
	(void)state;
	assert_string_equal(mx_load_version(), "0.1.0");
}

int main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_open_model_is_what_was_written),
		TEST(every_call_may_fail),
		TEST(every_truncation_of_the_structure_is_refused),
		TEST(a_structure_above_the_cap_is_not_read),
		TEST(what_is_no_model_directory_is_told),
		TEST(only_regular_files_are_read),
		TEST(weights_of_another_size_are_refused),
		TEST(no_weights_need_no_mapping),
		TEST(labels_are_lines),
		TEST(broken_labels_are_refused),
		TEST(short_and_interrupted_reads_go_on),
		cmocka_unit_test(the_version_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
