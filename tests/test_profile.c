/* wrap: write fsync renameat ftruncate malloc calloc strdup flock */
#include "loader/profile.h"

#include <errno.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "lib/err.h"
#include "lib/network.h"
#include "loader/profile.pb-c.h"
#include "tests/faults.h"
#include "tests/scratch_dir.h"

FAULT(void *, malloc, (size_t size), (size), ENOMEM, NULL)
FAULT(void *, calloc, (size_t count, size_t each), (count, each), ENOMEM, NULL)
FAULT(char *, strdup, (const char *text), (text), ENOMEM, NULL)
FAULT(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size),
      ENOSPC, -1)
FAULT(int, fsync, (int fd), (fd), EIO, -1)
FAULT(int, ftruncate, (int fd, off_t size), (fd, size), EIO, -1)
FAULT(int, renameat, (int a, const char *from, int b, const char *to),
      (a, from, b, to), EROFS, -1)

static void (*before_lock)(void);

int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);

int __wrap_flock(int fd, int operation)
{
	if (before_lock)
		before_lock();
	return __real_flock(fd, operation);
}

#define HOST "AMD EPYC, 2 CPUs, avx512, OpenBLAS SkylakeX"
enum { LAYERS = 3, THREADS = 2 };

static char host[] = HOST;
static uint64_t layer_ns[LAYERS * THREADS] = {
	1, 300, MX_PROFILE_NS_MAX, 2, 200, 9,
};
static const struct mx_network net = {
	.source_hash = 0xfedcba9876543210,
	.layer_count = LAYERS,
};

static struct mx_profile sample(void)
{
	return (struct mx_profile){
		.host = host,
		.source_hash = net.source_hash,
		.layer_count = LAYERS,
		.thread_count = THREADS,
		.layer_ns = layer_ns,
		.read_bytes_per_s = 89999999,
		.latency_ns = 345678,
		.measured_unix_s = 1760000000,
	};
}

static void write_sample(const struct scratch_dir *dir)
{
	const struct mx_profile profile = sample();
	struct mx_err err = {""};

	if (mx_profile_write(&profile, dir->path, &err))
		fail_msg("%s", err.text);
}

static enum mx_profile_match match_of(const struct scratch_dir *dir,
				      const struct mx_network *network,
				      const char *here)
{
	struct mx_profile profile;
	enum mx_profile_match match;
	struct mx_err err = {""};

	if (mx_profile_read(&profile, dir->path, network, here, &match, &err))
		fail_msg("%s", err.text);
	if (match != MX_PROFILE_ABSENT)
		assert_string_equal(profile.host, HOST);
	mx_profile_fini(&profile);
	return match;
}

static void what_is_written_is_read(void **state)
{
	struct scratch_dir *dir = *state;
	const struct mx_profile want = sample();
	struct mx_profile got;
	enum mx_profile_match match;

	write_sample(dir);
	assert_int_equal(
		mx_profile_read(&got, dir->path, &net, HOST, &match, NULL), 0);
	assert_int_equal(match, MX_PROFILE_APPLIES);
	assert_string_equal(got.host, want.host);
	assert_int_equal(got.source_hash, want.source_hash);
	assert_int_equal(got.layer_count, want.layer_count);
	assert_int_equal(got.thread_count, want.thread_count);
	assert_memory_equal(got.layer_ns, layer_ns, sizeof(layer_ns));
	assert_int_equal(got.read_bytes_per_s, want.read_bytes_per_s);
	assert_int_equal(got.latency_ns, want.latency_ns);
	assert_int_equal(got.measured_unix_s, want.measured_unix_s);
	mx_profile_fini(&got);
	assert_null(got.layer_ns);
	/* Nothing else is left behind. */
	assert_int_equal(unlink(scratch_dir_path(dir, "profile.pb")), 0);
	assert_int_equal(rmdir(dir->path), 0);
	assert_int_equal(mkdir(dir->path, 0700), 0);
}

static void it_applies_to_its_model_and_host_alone(void **state)
{
	struct scratch_dir *dir = *state;
	struct mx_network other = net;

	assert_int_equal(match_of(dir, &net, HOST), MX_PROFILE_ABSENT);
	write_sample(dir);
	assert_int_equal(match_of(dir, &net, HOST), MX_PROFILE_APPLIES);
	assert_int_equal(match_of(dir, &net, HOST "2"), MX_PROFILE_OTHER_HOST);
	other.layer_count = LAYERS + 1;
	assert_int_equal(match_of(dir, &other, HOST), MX_PROFILE_OTHER_MODEL);
	other = net;
	other.source_hash++;
	assert_int_equal(match_of(dir, &other, HOST), MX_PROFILE_OTHER_MODEL);
}

static void the_storage_alone_makes_a_profile(void **state)
{
	struct scratch_dir *dir = *state;
	struct mx_profile profile = sample();
	struct mx_profile got;
	enum mx_profile_match match;

	profile.thread_count = 0;
	profile.layer_ns = NULL;
	assert_int_equal(mx_profile_write(&profile, dir->path, NULL), 0);
	assert_int_equal(
		mx_profile_read(&got, dir->path, &net, HOST, &match, NULL), 0);
	assert_int_equal(match, MX_PROFILE_APPLIES);
	assert_int_equal(got.thread_count, 0);
	assert_int_equal(got.read_bytes_per_s, 89999999);
	mx_profile_fini(&got);
}

/* Reading refuses the file that is there, saying @text. */
static void expect_bad(struct scratch_dir *dir, const char *text)
{
	struct mx_profile profile;
	enum mx_profile_match match;
	struct mx_err err = {""};

	assert_int_equal(
		mx_profile_read(&profile, dir->path, &net, HOST, &match, &err),
		-EBADMSG);
	assert_null(profile.layer_ns);
	if (!strstr(err.text, text) || !strstr(err.text, "/profile.pb: "))
		fail_msg("'%s' instead of '%s'", err.text, text);
}

/* Pack a message as it stands, whatever it says. */
static void put(struct scratch_dir *dir, const Mx__Pb__Profile *pb)
{
	unsigned char bytes[1024];
	const size_t size = mx__pb__profile__pack(pb, bytes);

	assert_true(size <= sizeof(bytes));
	scratch_dir_put(dir, "profile.pb", bytes, size);
}

static void a_file_that_breaks_a_rule_is_refused(void **state)
{
	struct scratch_dir *dir = *state;
	char long_host[MX_PROFILE_HOST_BYTES_MAX + 2];
	char none[] = "";
	char line[] = "a\nb";
	uint64_t times[LAYERS * THREADS] = {1, 2, 3, 4, 5, 6};
	Mx__Pb__Profile good = MX__PB__PROFILE__INIT;
	Mx__Pb__Profile pb;

	memset(long_host, 'x', sizeof(long_host) - 1);
	long_host[sizeof(long_host) - 1] = '\0';
	good.format = MX_PROFILE_FORMAT;
	good.host = host;
	good.source_hash = net.source_hash;
	good.layer_count = LAYERS;
	good.thread_count = THREADS;
	good.n_layer_ns = LAYERS * THREADS;
	good.layer_ns = times;
	put(dir, &good);
	assert_int_equal(match_of(dir, &net, HOST), MX_PROFILE_APPLIES);

	pb = good;
	pb.format = 2;
	put(dir, &pb);
	expect_bad(dir, "format 2, where this program knows 1");
	pb = good;
	pb.n_layer_ns--;
	put(dir, &pb);
	expect_bad(dir, "its number of times is wrong");
	pb = good;
	pb.layer_count = 1u << 31;
	pb.thread_count = 2;
	pb.n_layer_ns = 0;
	put(dir, &pb);
	expect_bad(dir, "its number of times is wrong");
	pb = good;
	pb.layer_count = 0;
	pb.n_layer_ns = 0;
	pb.thread_count = MX_PROFILE_THREADS_MAX + 1;
	put(dir, &pb);
	expect_bad(dir, "it has too many threads");
	pb = good;
	pb.host = none;
	put(dir, &pb);
	expect_bad(dir, "it names no host");
	pb.host = line;
	put(dir, &pb);
	expect_bad(dir, "it names no host");
	pb.host = long_host;
	put(dir, &pb);
	expect_bad(dir, "it names no host");
	times[5] = 0;
	put(dir, &good);
	expect_bad(dir, "a layer's time is out of range");
	times[5] = MX_PROFILE_NS_MAX + 1;
	put(dir, &good);
	expect_bad(dir, "a layer's time is out of range");
	times[5] = 6;
	pb = good;
	pb.read_bytes_per_s = MX_PROFILE_RATE_MAX + 1;
	put(dir, &pb);
	expect_bad(dir, "its storage is out of range");
	pb = good;
	pb.latency_ns = MX_PROFILE_NS_MAX + 1;
	put(dir, &pb);
	expect_bad(dir, "its storage is out of range");
}

static void a_file_that_is_cut_or_no_profile_is_refused(void **state)
{
	struct scratch_dir *dir = *state;
	static unsigned char big[MX_PROFILE_BYTES_MAX + 1];
	unsigned char bytes[1024];
	struct mx_profile profile;
	enum mx_profile_match match;
	size_t size, i;
	FILE *file;

	write_sample(dir);
	file = fopen(scratch_dir_path(dir, "profile.pb"), "rb");
	assert_non_null(file);
	size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	for (i = 0; i < size; i++) {
		int rc;

		scratch_dir_put(dir, "profile.pb", bytes, i);
		rc = mx_profile_read(&profile, dir->path, &net, HOST, &match,
				     NULL);
		/* Where a field ends, what is there is a profile, with less in
		 * it; never a wrong one. */
		if (rc == 0)
			assert_memory_equal(profile.layer_ns, layer_ns,
					    profile.thread_count * LAYERS *
						    sizeof(layer_ns[0]));
		else
			assert_int_equal(rc, -EBADMSG);
		mx_profile_fini(&profile);
	}
	scratch_dir_put(dir, "profile.pb", big, sizeof(big));
	expect_bad(dir, "1048577 bytes are more than 1048576");
	scratch_dir_put(dir, "profile.pb", "\xff\xff\xff", 3);
	expect_bad(dir, "is no profile");
	assert_int_equal(unlink(dir->file), 0);
	assert_int_equal(symlink("/etc/passwd", dir->file), 0);
	expect_bad(dir, "is a symbolic link");
	assert_int_equal(mx_profile_read(&profile, "/nowhere/at/all", &net,
					 HOST, &match, NULL),
			 -ENOENT);
}

static void what_could_not_be_read_is_not_written(void **state)
{
	struct scratch_dir *dir = *state;
	struct mx_profile profile = sample();
	uint64_t *many = calloc(MX_PROFILE_BYTES_MAX, sizeof(*many));
	struct mx_err err = {""};
	size_t i;

	assert_non_null(many);
	layer_ns[1] = 0;
	assert_int_equal(mx_profile_write(&profile, dir->path, &err), -EINVAL);
	assert_non_null(strstr(err.text, "not written: a layer's time"));
	layer_ns[1] = 300;
	profile.host = NULL;
	assert_int_equal(mx_profile_write(&profile, dir->path, NULL), -EINVAL);
	profile.host = host;
	for (i = 0; i < MX_PROFILE_BYTES_MAX; i++)
		many[i] = 1;
	profile.layer_count = MX_PROFILE_BYTES_MAX;
	profile.thread_count = 1;
	profile.layer_ns = many;
	assert_int_equal(mx_profile_write(&profile, dir->path, NULL), -EFBIG);
	free(many);
	assert_int_equal(match_of(dir, &net, HOST), MX_PROFILE_ABSENT);
}

static void a_failing_write_leaves_the_old_one(void **state)
{
	struct scratch_dir *dir = *state;
	struct mx_profile profile = sample();
	struct mx_profile got;
	enum mx_profile_match match;
	uint64_t old;
	long n;
	int rc;

	write_sample(dir);
	for (n = 0;; n++) {
		struct mx_err err = {""};

		profile.measured_unix_s = (uint64_t)n + 1;
		faults_arm(n);
		rc = mx_profile_write(&profile, dir->path, &err);
		if (!faults_disarm())
			break;
		assert_true(rc < 0);
		assert_true(err.text[0] != '\0');
		assert_int_equal(mx_profile_read(&got, dir->path, &net, HOST,
						 &match, NULL),
				 0);
		/* Only the directory's sync comes after the new one is there.
		 */
		old = n == 5 ? 6 : 1760000000;
		assert_int_equal(got.measured_unix_s, old);
		mx_profile_fini(&got);
	}
	/* malloc, ftruncate, write, fsync, renameat, fsync. */
	assert_int_equal(n, 6);
	assert_int_equal(rc, 0);
}

static void a_failing_read_says_so_and_leaks_nothing(void **state)
{
	struct scratch_dir *dir = *state;
	struct mx_profile profile;
	enum mx_profile_match match;
	long n;
	int rc;

	write_sample(dir);
	for (n = 0;; n++) {
		faults_arm(n);
		rc = mx_profile_read(&profile, dir->path, &net, HOST, &match,
				     NULL);
		if (!faults_disarm())
			break;
		assert_int_equal(rc, -ENOMEM);
		assert_null(profile.layer_ns);
	}
	/* The bytes, the host, the times; protobuf-c's are not wrapped. */
	assert_int_equal(n, 3);
	mx_profile_fini(&profile);
}

static void two_writers_do_not_meet(void **state)
{
	struct scratch_dir *dir = *state;
	const struct mx_profile profile = sample();
	struct mx_err err = {""};
	int fd;

	/* A dead writer's is taken over. */
	scratch_dir_put(dir, ".profile.pb.tmp", "half a profile that is long",
			20);
	write_sample(dir);
	assert_int_equal(match_of(dir, &net, HOST), MX_PROFILE_APPLIES);
	/* A live one's is left alone. */
	scratch_dir_put(dir, ".profile.pb.tmp", "half", 4);
	fd = open(dir->file, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(mx_profile_write(&profile, dir->path, &err), -EBUSY);
	assert_non_null(strstr(err.text, "somebody else is writing it"));
	assert_int_equal(lseek(fd, 0, SEEK_END), 4);
	close(fd);
	assert_int_equal(mx_profile_write(&profile, dir->path, NULL), 0);
	/* A link is not followed. */
	assert_int_equal(symlink("/nowhere/at/all", dir->file), 0);
	assert_int_equal(mx_profile_write(&profile, dir->path, NULL), -ELOOP);
}

static const char *race_dir;
static int race_again; /* a third writer has begun too */

/* Another writer finishes between our open and our lock. */
static void finish_first(void)
{
	char temp[128], final[128];

	snprintf(temp, sizeof(temp), "%s/.profile.pb.tmp", race_dir);
	snprintf(final, sizeof(final), "%s/profile.pb", race_dir);
	assert_int_equal(rename(temp, final), 0);
	if (race_again)
		close(open(temp, O_CREAT | O_WRONLY, 0600));
}

static void what_has_its_final_name_is_not_written(void **state)
{
	struct scratch_dir *dir = *state;
	const struct mx_profile profile = sample();
	struct stat st;

	race_dir = dir->path;
	for (race_again = 0; race_again < 2; race_again++) {
		scratch_dir_put(dir, ".profile.pb.tmp", "whole", 5);
		before_lock = finish_first;
		assert_int_equal(mx_profile_write(&profile, dir->path, NULL),
				 -EBUSY);
		before_lock = NULL;
		assert_int_equal(stat(scratch_dir_path(dir, "profile.pb"), &st),
				 0);
		assert_int_equal(st.st_size, 5);
	}
}

#define TEST(f)                                                                \
	cmocka_unit_test_setup_teardown(f, scratch_dir_setup,                  \
					scratch_dir_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_written_is_read),
		TEST(it_applies_to_its_model_and_host_alone),
		TEST(the_storage_alone_makes_a_profile),
		TEST(a_file_that_breaks_a_rule_is_refused),
		TEST(a_file_that_is_cut_or_no_profile_is_refused),
		TEST(what_could_not_be_read_is_not_written),
		TEST(a_failing_write_leaves_the_old_one),
		TEST(a_failing_read_says_so_and_leaks_nothing),
		TEST(two_writers_do_not_meet),
		TEST(what_has_its_final_name_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
