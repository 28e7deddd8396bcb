#include "pager/cgroup_text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/check.h"

/* Debian 12 with systemd, a terminal's shell. */
static const char self_v2[] =
	"0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.scope\n";
static const char mounts_v2[] =
	"22 28 0:20 / /sys rw,nosuid shared:7 - sysfs sysfs rw\n"
	"29 22 0:26 / /sys/fs/cgroup rw,nosuid,nodev shared:9 - cgroup2 "
	"cgroup2 rw,nsdelegate,memory_recursiveprot\n";

/* Debian 10: v1 controllers, and v2 for systemd alone. */
static const char self_hybrid[] =
	"11:cpu,cpuacct:/a\n"
	"10:memory:/user.slice/b:c\n"
	"1:name=systemd:/user.slice/user-0.slice/session-1.scope\n"
	"0::/user.slice/user-0.slice/session-1.scope\n";
static const char mounts_hybrid[] =
	"30 22 0:26 / /sys/fs/cgroup ro shared:9 - tmpfs tmpfs ro,mode=755\n"
	"31 30 0:27 / /sys/fs/cgroup/unified rw shared:10 - cgroup2 c rw\n"
	"32 30 0:28 / /sys/fs/cgroup/systemd rw - cgroup cgroup "
	"rw,xattr,name=systemd\n"
	"33 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:1 master:2 - cgroup "
	"cgroup rw,cpu,cpuacct\n"
	"40 30 0:36 / /my\\040cgroups\\134x rw shared:20 - cgroup cgroup "
	"rw,memory\n";

/* Docker on v1: the container's part of the hierarchy is mounted. */
static const char self_docker[] = "4:memory:/docker/0123/inner\n";
static const char mounts_docker[] =
	"60 59 0:30 /docker/0123 /sys/fs/cgroup/memory ro - cgroup cgroup "
	"rw,memory\n";

static void expect_place(const char *self, const char *mounts,
			 const char *controller, const char *point,
			 const char *name)
{
	struct mx_cgroup_place place;

	assert_int_equal(mx_cgroup_text_place(self, mounts, controller, &place),
			 0);
	assert_string_equal(place.point, point);
	assert_string_equal(place.name, name);
}

static int place_rc(const char *self, const char *mounts,
		    const char *controller)
{
	struct mx_cgroup_place place;

	return mx_cgroup_text_place(self, mounts, controller, &place);
}

static void the_place_is_found_in_either_version(void **state)
{
	(void)state;
	expect_place(self_v2, mounts_v2, NULL, "/sys/fs/cgroup",
		     "/user.slice/user-1000.slice/user@1000.service/app.slice/"
		     "x.scope");
	assert_int_equal(place_rc(self_v2, mounts_v2, "memory"), -ENOENT);
	expect_place(self_hybrid, mounts_hybrid, "memory", "/my cgroups\\x",
		     "/user.slice/b:c");
	expect_place(self_hybrid, mounts_hybrid, "cpuacct",
		     "/sys/fs/cgroup/cpu,cpuacct", "/a");
	expect_place(self_hybrid, mounts_hybrid, NULL, "/sys/fs/cgroup/unified",
		     "/user.slice/user-0.slice/session-1.scope");
	assert_int_equal(place_rc(self_hybrid, mounts_hybrid, "mem"), -ENOENT);
	assert_int_equal(place_rc(self_hybrid, mounts_hybrid, "memory2"),
			 -ENOENT);
}

static void a_container_sees_its_part_alone(void **state)
{
	(void)state;
	expect_place(self_docker, mounts_docker, "memory",
		     "/sys/fs/cgroup/memory", "/inner");
	expect_place("4:memory:/docker/0123\n", mounts_docker, "memory",
		     "/sys/fs/cgroup/memory", "/");
	/* Not a path component: another container. */
	assert_int_equal(
		place_rc("4:memory:/docker/01234\n", mounts_docker, "memory"),
		-EXDEV);
	assert_int_equal(place_rc("0::/../sibling\n", mounts_v2, NULL), -EXDEV);
}

static void no_cgroups_is_no_place(void **state)
{
	char self[MX_CGROUP_PATH_BYTES + 16];

	(void)state;
	assert_int_equal(place_rc("", "", NULL), -ENOENT);
	assert_int_equal(place_rc("0::/\n", "", NULL), -ENOENT);
	assert_int_equal(place_rc("", mounts_v2, NULL), -ENOENT);
	assert_int_equal(place_rc("0:", "29 22", NULL), -ENOENT);
	assert_int_equal(
		place_rc("0::/", "29 22 0:26 / /c rw - cgroup2 c rw", NULL), 0);
	/* The type stands behind the dash, not elsewhere. */
	assert_int_equal(place_rc("0::/\n",
				  "1 2 0:3 / /cgroup2 cgroup2 cgroup2 - ext4 "
				  "cgroup2 cgroup2\n",
				  NULL),
			 -ENOENT);
	(void)snprintf(self, sizeof(self), "0::/%*s", MX_CGROUP_PATH_BYTES - 1,
		       "x");
	assert_int_equal(place_rc(self, mounts_v2, NULL), -ENAMETOOLONG);
	self[3 + MX_CGROUP_PATH_BYTES - 1] = '\0';
	assert_int_equal(place_rc(self, mounts_v2, NULL), 0);
}

static void words_are_whole(void **state)
{
	(void)state;
	assert_int_equal(mx_cgroup_text_has("cpu io memory pids\n", "memory"),
			 1);
	assert_int_equal(mx_cgroup_text_has("memory\n", "memory"), 1);
	assert_int_equal(mx_cgroup_text_has("memory", "memory"), 1);
	assert_int_equal(mx_cgroup_text_has("hugetlb\n", "memory"), 0);
	assert_int_equal(mx_cgroup_text_has("memory2 mem\n", "memory"), 0);
	assert_int_equal(mx_cgroup_text_has("", "memory"), 0);
}

static void values_have_a_limit_or_none(void **state)
{
	static const struct {
		const char *text;
		int rc;
		uint64_t value;
	} cases[] = {
		{"0\n", 0, 0},
		{"67108864\n", 0, 67108864},
		{"9223372036854771712\n", 0, 9223372036854771712u},
		{"18446744073709551615", 0, UINT64_MAX},
		{"18446744073709551616", -EBADMSG, 0},
		{"max\n", 0, MX_CGROUP_UNLIMITED},
		{"max", 0, MX_CGROUP_UNLIMITED},
		{"maximum\n", -EBADMSG, 0},
		{"-1\n", -EBADMSG, 0},
		{"12 13\n", -EBADMSG, 0},
		{"\n", -EBADMSG, 0},
		{"", -EBADMSG, 0},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t value = 0;

		assert_int_equal(mx_cgroup_text_value(cases[i].text, &value),
				 cases[i].rc);
		assert_true(value == cases[i].value);
	}
}

static void keys_are_whole_and_at_the_beginning(void **state)
{
	static const char stat[] = "anon 1\n"
				   "inactive_file 40960\n"
				   "total_inactive_file 81920\n"
				   "broken x\n"
				   "MemAvailable:    3123456 kB\n"
				   "last 7";
	uint64_t value = 0;

	(void)state;
	assert_int_equal(mx_cgroup_text_key(stat, "inactive_file", &value), 0);
	assert_int_equal(value, 40960);
	assert_int_equal(
		mx_cgroup_text_key(stat, "total_inactive_file", &value), 0);
	assert_int_equal(value, 81920);
	assert_int_equal(mx_cgroup_text_key(stat, "MemAvailable:", &value), 0);
	assert_int_equal(value, 3123456);
	assert_int_equal(mx_cgroup_text_key(stat, "last", &value), 0);
	assert_int_equal(value, 7);
	assert_int_equal(mx_cgroup_text_key(stat, "file", &value), -ENOENT);
	assert_int_equal(mx_cgroup_text_key(stat, "inactive", &value), -ENOENT);
	assert_int_equal(mx_cgroup_text_key(stat, "broken", &value), -EBADMSG);
	assert_int_equal(mx_cgroup_text_key("", "anon", &value), -ENOENT);
}

static void the_start_time_is_field_22(void **state)
{
	uint64_t value = 0;

	(void)state;
	/* A name can look like the rest of the line. */
	assert_int_equal(mx_cgroup_text_start_time(
				 "17 (a) S 4 (b) R 4 5 6 7 8 9 10 11 12 13 14 "
				 "15 16 17 18 19 20 21 8675309 23 24\n",
				 &value),
			 0);
	assert_int_equal(value, 8675309);
	assert_int_equal(mx_cgroup_text_start_time("17 (a) R 4 5\n", &value),
			 -EBADMSG);
	assert_int_equal(mx_cgroup_text_start_time("17 (a)", &value), -EBADMSG);
	assert_int_equal(mx_cgroup_text_start_time("", &value), -EBADMSG);
}

static void page_cache_that_can_go_is_room(void **state)
{
	(void)state;
	assert_int_equal(mx_cgroup_text_room(100, 70, 20), 50);
	assert_int_equal(mx_cgroup_text_room(100, 70, 80), 100);
	assert_int_equal(mx_cgroup_text_room(100, 100, 0), 0);
	assert_int_equal(mx_cgroup_text_room(100, 130, 20), 0);
	assert_true(mx_cgroup_text_room(MX_CGROUP_UNLIMITED, 70, 20) ==
		    MX_CGROUP_UNLIMITED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_place_is_found_in_either_version),
		cmocka_unit_test(a_container_sees_its_part_alone),
		cmocka_unit_test(no_cgroups_is_no_place),
		cmocka_unit_test(words_are_whole),
		cmocka_unit_test(values_have_a_limit_or_none),
		cmocka_unit_test(keys_are_whole_and_at_the_beginning),
		cmocka_unit_test(the_start_time_is_field_22),
		cmocka_unit_test(page_cache_that_can_go_is_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
