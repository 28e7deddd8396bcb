/* wrap: write pwrite sync_file_range */
#include "tests/model_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static int short_writes; /* 1: few bytes a call, and EINTR every second time */
static long push_fails; /* sync_file_range calls until EIO; 0: none */
static int push_unknown; /* 1: sync_file_range is not supported */

ssize_t __real_write(int fd, const void *from, size_t size);
ssize_t __wrap_write(int fd, const void *from, size_t size);
ssize_t __real_pwrite(int fd, const void *from, size_t size, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *from, size_t size, off_t offset);
int __real_sync_file_range(int fd, off_t at, off_t size, unsigned flags);
int __wrap_sync_file_range(int fd, off_t at, off_t size, unsigned flags);

int __wrap_sync_file_range(int fd, off_t at, off_t size, unsigned flags)
{
	if (push_unknown) {
		errno = ENOSYS;
		return -1;
	}
	if (push_fails && --push_fails == 0) {
		errno = EIO;
		return -1;
	}
	return __real_sync_file_range(fd, at, size, flags);
}

/* Every second call is interrupted. */
static int interrupted(void)
{
	static int turn;

	turn ^= short_writes;
	if (turn)
		errno = EINTR;
	return turn;
}

ssize_t __wrap_write(int fd, const void *from, size_t size)
{
	if (interrupted())
		return -1;
	return __real_write(fd, from, short_writes && size > 7 ? 7 : size);
}

ssize_t __wrap_pwrite(int fd, const void *from, size_t size, off_t offset)
{
	if (interrupted())
		return -1;
	return __real_pwrite(fd, from,
			     short_writes && size > 5000 ? 5000 : size, offset);
}

static int setup(void **state)
{
	short_writes = 0;
	push_fails = 0;
	push_unknown = 0;
	return fixture_setup(state);
}

static void slices_and_layers_lie_as_documented(void **state)
{
	struct fixture *fx = *state;
	const struct mx_network *net = &fx->net;
	static const uint64_t offsets[] = {0, 5376, 65536, 65536};
	static const uint32_t layers[] = {L_C1, L_C2, L_FA, L_FB};
	struct stat st;
	uint32_t i;

	fixture_write(fx);
	for (i = 0; i < 4; i++)
		assert_int_equal(net->layers[layers[i]].weight_offset_bytes,
				 offsets[i]);
	assert_int_equal(net->slice_count, 12);
	assert_int_equal(net->layers[L_FA].first_slice, 2);
	assert_int_equal(net->layers[L_FA].slice_count, 5);
	for (i = 0; i < 4; i++) {
		assert_int_equal(net->slices[2 + i].size_bytes, 266240);
		assert_int_equal(net->slices[2 + i].first_block, i);
		assert_int_equal(net->slices[2 + i].block_count, 1);
	}
	/* The last block has 44 of 64 rows. */
	assert_int_equal(net->slices[6].size_bytes, 184320);
	assert_int_equal(net->weights_file_bytes, 65536 + 1249280);
	assert_int_equal(stat(fixture_in(fx->path, "weights.bin"), &st), 0);
	assert_int_equal(st.st_size, net->weights_file_bytes);
	fixture_complete(fx, 2);
}

/* 5 blocks in slices of at most 3 or 4 are 3 + 2, not 4 + 1. */
static void slices_are_even(void **state)
{
	struct fixture *fx = *state;
	const struct mx_network *net = &fx->net;

	fx->opts.slice_bytes = 0; /* 1 MiB: 3 blocks and a bit */
	fixture_write(fx);
	assert_int_equal(net->layers[L_FA].slice_count, 2);
	assert_int_equal(net->slices[2].block_count, 3);
	assert_int_equal(net->slices[3].block_count, 2);
	assert_int_equal(net->slices[3].size_bytes, 266240 + 184320);
	fx->opts.force = 1;
	fx->opts.slice_bytes = 4 * 266240;
	fixture_write(fx);
	assert_int_equal(net->slices[2].block_count, 3);
	fx->opts.slice_bytes = MX_SLICE_BYTES_MAX;
	fixture_write(fx);
	assert_int_equal(net->layers[L_FA].slice_count, 1);
	assert_int_equal(net->slices[2].size_bytes, 1249280);
	fixture_complete(fx, 2);
}

static void slice_sizes_outside_the_limits_are_refused(void **state)
{
	struct fixture *fx = *state;

	fx->opts.slice_bytes = MX_SLICE_BYTES_MIN - 1;
	assert_int_equal(mx_model_write(&fx->net, &fx->opts, &fx->err),
			 -EINVAL);
	assert_string_equal(fx->err.text, "slices of 262143 bytes: must be "
					  "262144 to 4194304");
	fx->opts.slice_bytes = MX_SLICE_BYTES_MAX + 1;
	assert_int_equal(mx_model_write(&fx->net, &fx->opts, &fx->err),
			 -EINVAL);
	assert_int_equal(fixture_entry_count(fx->root), 0);
}

/* Small layers are packed until 256 KiB; then a boundary begins a new group. */
static void small_layers_share_a_group(void **state)
{
	struct fixture *fx = *state;
	struct mx_network *net = &fx->net;
	static const uint32_t rows[] = {1000, 64512, 24, 1, 100000, 5};
	static const uint64_t offsets[] = {
		0, /* 4032 bytes */
		4032, /* 258048: together 262080 */
		262080 + 64 - 64, /* 128 more would be 262208 > 262144 */
		0, /* set below */
	};
	uint32_t i;

	for (i = 0; i < 6; i++)
		net->layers[i].weights =
			(struct mx_weight_spec){rows[i], 1, 0, rows[i], 1};
	/* 24 rows are 128 bytes, 1 row is 64. */
	assert_int_equal(mx_weight_total_bytes(&net->layers[2].weights), 128);
	fx->blocks.twin_of[0] = MX_NONE;
	fixture_write(fx);
	assert_int_equal(net->layers[0].weight_offset_bytes, offsets[0]);
	assert_int_equal(net->layers[1].weight_offset_bytes, offsets[1]);
	assert_int_equal(net->layers[2].weight_offset_bytes, 262144);
	assert_int_equal(net->layers[3].weight_offset_bytes, 262144 + 128);
	/* 400 KB do not fit into any group. */
	assert_int_equal(net->layers[4].weight_offset_bytes, 262144 + 65536);
	/* And nothing small is packed behind them. */
	assert_int_equal(net->layers[5].weight_offset_bytes % 65536, 0);
	fixture_complete(fx, 2);
}

static void equal_weights_are_stored_once(void **state)
{
	struct fixture *fx = *state;
	const struct mx_network *net = &fx->net;
	uint32_t i;

	fixture_write(fx);
	assert_int_equal(net->layers[L_FA].weight_offset_bytes,
			 net->layers[L_FB].weight_offset_bytes);
	assert_int_equal(net->layers[L_FB].first_slice, 7);
	for (i = 0; i < 5; i++) {
		assert_int_equal(net->slices[7 + i].layer, L_FB);
		assert_int_equal(net->slices[7 + i].offset_bytes,
				 net->slices[2 + i].offset_bytes);
		assert_int_equal(net->slices[7 + i].hash,
				 net->slices[2 + i].hash);
	}
	fx->opts.force = 1;
	fx->blocks.twin_of[0] = MX_NONE;
	fixture_write(fx);
	assert_int_equal(net->layers[L_FB].weight_offset_bytes,
			 20 * MX_LAYER_ALIGN_BYTES + 65536);
	fixture_complete(fx, 2);
}

/* Same hashes, other bytes: the stored ones are changed behind the back. */
static int read_then_spoil(void *user, uint32_t layer, uint64_t block,
			   void *out, struct mx_err *err)
{
	struct fixture *fx = user;
	char path[256];
	int fd;

	if (layer == L_FB && block == 4) {
		snprintf(path, sizeof(path), "%s/.net.mx.tmp-%ld-0/weights.bin",
			 fx->root, (long)getpid());
		fd = open(path, O_WRONLY);
		assert_true(fd >= 0);
		assert_int_equal(__real_pwrite(fd, "x", 1, 65536 + 700001), 1);
		close(fd);
	}
	return fixture_read_block(&fx->blocks, layer, block, out, err);
}

static void equal_hashes_are_not_trusted(void **state)
{
	struct fixture *fx = *state;

	fx->opts.read_block = read_then_spoil;
	fx->opts.read_user = fx;
	fixture_write(fx);
	assert_int_equal(fx->net.slices[2].hash, fx->net.slices[7].hash);
	assert_int_equal(fx->net.layers[L_FA].weight_offset_bytes, 65536);
	assert_int_equal(fx->net.layers[L_FB].weight_offset_bytes, 1376256);
}

/* What a duplicate wrote before it was recognised must not stay as padding. */
static void gaps_hold_zeros(void **state)
{
	struct fixture *fx = *state;
	struct mx_network *net = &fx->net;
	unsigned char *bytes;
	size_t size;
	size_t i;

	net->layers[L_SUM].weights = (struct mx_weight_spec){1, 1, 0, 1, 1};
	fixture_write(fx);
	assert_int_equal(net->layers[L_SUM].weight_offset_bytes, 1376256);
	bytes = fixture_load(fixture_in(fx->path, "weights.bin"), &size);
	assert_int_equal(size, 1376256 + 64);
	for (i = 5376 + 1792; i < 65536; i++)
		assert_int_equal(bytes[i], 0);
	for (i = 65536 + 1249280; i < 1376256; i++)
		assert_int_equal(bytes[i], 0);
	free(bytes);
}

static void a_label_of_two_lines_is_refused(void **state)
{
	struct fixture *fx = *state;

	fixture_labels(&fx->net, 2);
	fx->net.labels[1][2] = '\n';
	assert_int_equal(mx_model_write(&fx->net, &fx->opts, &fx->err),
			 -EINVAL);
	assert_non_null(strstr(fx->err.text, "label 1 has more than a line"));
	assert_int_equal(fixture_entry_count(fx->root), 0);
}

static void what_could_not_be_opened_is_not_written(void **state)
{
	struct fixture *fx = *state;

	fx->net.layers[L_C2].out[0] = T_C1;
	assert_int_equal(mx_model_write(&fx->net, &fx->opts, &fx->err),
			 -EBADMSG);
	assert_non_null(
		strstr(fx->err.text, "layer c2 computes tensor c1 once more"));
	fx->net.layers[L_C2].out[0] = T_C2;
	fx->net.layers[L_FA].weights.block_rows = 0;
	assert_int_equal(mx_model_write(&fx->net, &fx->opts, &fx->err),
			 -EBADMSG);
	assert_memory_equal(fx->err.text, "layer fa: ", 10);
	fx->net.layers[L_FA].weights =
		(struct mx_weight_spec){(uint64_t)1 << 33, 1, 0, 1, 1};
	assert_int_equal(mx_model_write(&fx->net, &fx->opts, &fx->err), -EFBIG);
	assert_int_equal(fixture_entry_count(fx->root), 0);
}

/* Slices that would not fit below their cap: 2^23 blocks of 256 KiB. */
static void too_many_slices_are_refused(void **state)
{
	struct fixture *fx = *state;
	const struct mx_weight_spec spec = {8 << 20, 65536, 0, 1, 1};

	fx->net.layers[L_FA].weights = spec;
	assert_int_equal(mx_model_write(&fx->net, &fx->opts, &fx->err), -EFBIG);
	assert_string_equal(fx->err.text, "small: more than 4000000 slices: "
					  "make them larger");
}

static void a_failing_block_stops_the_write(void **state)
{
	struct fixture *fx = *state;

	fx->blocks.fail_at = 7;
	assert_int_equal(mx_model_write(&fx->net, &fx->opts, &fx->err), -EPIPE);
	assert_string_equal(fx->err.text, "block 2");
	assert_int_equal(fixture_entry_count(fx->root), 0);
}

struct meter {
	uint64_t calls;
	uint64_t done;
	uint64_t total;
	uint64_t stop_at;
};

static int count_progress(void *user, uint64_t done, uint64_t total)
{
	struct meter *meter = user;

	assert_true(done > meter->done);
	meter->done = done;
	meter->total = total;
	return ++meter->calls == meter->stop_at;
}

static void progress_goes_to_the_total_and_can_stop(void **state)
{
	struct fixture *fx = *state;
	struct meter meter = {.stop_at = 3};

	fx->opts.progress = count_progress;
	fx->opts.progress_user = &meter;
	assert_int_equal(mx_model_write(&fx->net, &fx->opts, &fx->err),
			 -ECANCELED);
	assert_int_equal(fixture_entry_count(fx->root), 0);
	meter = (struct meter){0};
	fixture_write(fx);
	assert_int_equal(meter.calls, 12);
	assert_int_equal(meter.done, 5376 + 1792 + 2 * 1249280);
	assert_int_equal(meter.total, meter.done);
}

static void short_and_interrupted_writes_go_on(void **state)
{
	struct fixture *fx = *state;

	fixture_labels(&fx->net, 5);
	short_writes = 1;
	fixture_write(fx);
	short_writes = 0;
	fixture_complete(fx, 2);
}

/* 24 MiB, so that windows are pushed out and dropped. */
static void large_layer(struct fixture *fx)
{
	fx->net.layers[L_FB].weights =
		(struct mx_weight_spec){24, 262144, 0, 1, 1};
}

static void dropped_pages_verify(void **state)
{
	struct fixture *fx = *state;

	large_layer(fx);
	fx->opts.slice_bytes = 0;
	fixture_write(fx);
	fixture_complete(fx, 2);
}

static void every_push_may_fail(void **state)
{
	struct fixture *fx = *state;
	long n;

	large_layer(fx);
	fx->opts.slice_bytes = MX_SLICE_BYTES_MAX;
	for (n = 1; n < 10; n++) {
		push_fails = n;
		if (mx_model_write(&fx->net, &fx->opts, &fx->err) == 0)
			break;
		assert_non_null(strstr(fx->err.text, "/weights.bin at "));
		assert_int_equal(fixture_entry_count(fx->root), 0);
	}
	/* Three windows: three starts, two waits. */
	assert_int_equal(n, 6);
	push_fails = 0;
	fixture_complete(fx, 2);
}

static void no_pushes_are_no_failure(void **state)
{
	struct fixture *fx = *state;

	large_layer(fx);
	push_unknown = 1;
	fixture_write(fx);
	push_unknown = 0;
	fixture_complete(fx, 2);
}

static void many_layers_are_written_in_linear_time(void **state)
{
	enum { COUNT = 100000 };
	struct fixture *fx = *state;
	struct mx_network *net = &fx->net;
	uint32_t i;

	fx->blocks.twin_of[0] = MX_NONE;
	mx_network_fini(net);
	net->name = strdup("chain");
	net->tensor_count = COUNT + 1;
	net->tensors = calloc(COUNT + 1, sizeof(*net->tensors));
	for (i = 0; i <= COUNT; i++)
		fixture_tensor(net, i, "t", (struct mx_shape){1, {4}});
	net->layer_count = COUNT;
	net->layers = calloc(COUNT, sizeof(*net->layers));
	for (i = 0; i < COUNT; i++)
		fixture_layer(
			&net->layers[i],
			&(struct fixture_layer_spec){
				"l", "Affine", {i}, 1, i + 1, {4, 0, 2, 4, 1}});
	net->input_count = 1;
	net->inputs = calloc(1, sizeof(*net->inputs));
	net->inputs[0].preprocess = (struct mx_preprocess){
		.std = {1, 1, 1, 1},
		.scale = 1,
	};
	fixture_write(fx);
	/* 64 bytes each, all different, packed. */
	assert_int_equal(net->weights_file_bytes, COUNT * 64);
	assert_int_equal(net->slice_count, COUNT);
	fixture_complete(fx, 0);
}

int main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(slices_and_layers_lie_as_documented),
		TEST(slices_are_even),
		TEST(slice_sizes_outside_the_limits_are_refused),
		TEST(small_layers_share_a_group),
		TEST(equal_weights_are_stored_once),
		TEST(equal_hashes_are_not_trusted),
		TEST(gaps_hold_zeros),
		TEST(a_label_of_two_lines_is_refused),
		TEST(what_could_not_be_opened_is_not_written),
		TEST(too_many_slices_are_refused),
		TEST(a_failing_block_stops_the_write),
		TEST(progress_goes_to_the_total_and_can_stop),
		TEST(short_and_interrupted_writes_go_on),
		TEST(dropped_pages_verify),
		TEST(every_push_may_fail),
		TEST(no_pushes_are_no_failure),
		TEST(many_layers_are_written_in_linear_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
