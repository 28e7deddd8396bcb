#include "pager/wall.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "pager/wall_impl.h"
#include "tests/check.h"
#include "tests/scratch_dir.h"

static void put_number(struct scratch_dir *dir, const char *file,
		       const char *text)
{
	(void)scratch_dir_put(dir, file, text, strlen(text));
}

static void the_room_is_the_least_of_all_levels(void **state)
{
	struct scratch_dir *dir = *state;
	struct mx_cgroup_place place = {.name = "/a"};
	char inner[256];

	(void)snprintf(place.point, sizeof(place.point), "%s", dir->path);
	(void)snprintf(inner, sizeof(inner), "%s/a", dir->path);
	assert_int_equal(mkdir(inner, 0755), 0);
	assert_true(mx_wall_room(&mx_wall_v2.files, &place) ==
		    MX_CGROUP_UNLIMITED);

	put_number(dir, "memory.max", "1000\n");
	put_number(dir, "memory.current", "700\n");
	put_number(dir, "memory.stat",
		   "anon 1\ninactive_file 200\nactive_file 50\n");
	assert_int_equal(mx_wall_room(&mx_wall_v2.files, &place), 550);
	put_number(dir, "a/memory.max", "max\n");
	put_number(dir, "a/memory.current", "100\n");
	assert_int_equal(mx_wall_room(&mx_wall_v2.files, &place), 550);
	put_number(dir, "a/memory.high", "300\n");
	assert_int_equal(mx_wall_room(&mx_wall_v2.files, &place), 200);
	put_number(dir, "memory.max", "600\n");
	assert_int_equal(mx_wall_room(&mx_wall_v2.files, &place), 150);

	/* v1 has other names, and the subtree's page cache with "total_". */
	put_number(dir, "a/memory.limit_in_bytes", "900\n");
	put_number(dir, "a/memory.usage_in_bytes", "800\n");
	put_number(dir, "a/memory.stat",
		   "inactive_file 1\ntotal_inactive_file 30\n"
		   "total_active_file 4\n");
	assert_int_equal(mx_wall_room(&mx_wall_v1.files, &place), 134);
}

static void what_is_available_is_part_of_what_there_is(void **state)
{
	uint64_t available = 0, total = 0;
	char *text;

	(void)state;
	assert_int_equal(mx_cgroup_file_text("/proc/meminfo", &text), 0);
	assert_int_equal(mx_cgroup_text_key(text, "MemTotal:", &total), 0);
	free(text);
	assert_int_equal(mx_wall_available_bytes(&available, NULL), 0);
	assert_true(available > 0);
	assert_true(available <= total * 1024);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			the_room_is_the_least_of_all_levels, scratch_dir_setup,
			scratch_dir_teardown),
		cmocka_unit_test(what_is_available_is_part_of_what_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
