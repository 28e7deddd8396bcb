/*
 * What is charged to a memory cgroup: facts that budgets rest on. They are
 * shown where a cgroup can be made (as root, cgroup v1 or v2), else skipped and
 * the reason printed.
 */
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/facts_fixture.h"

#define MEBI ((uint64_t)1 << 20)
/* Kernels charge in batches, a batch for each processor. */
#define CHARGE_SLACK_BYTES MEBI

/* A memory cgroup below our own. */
struct group {
	char dir[MX_CGROUP_FILE_BYTES];
	const char *usage;
	const char *limit;
	const char *swap_limit;
};

/* Make one, or skip. */
static void make_group(struct group *group, const char *name)
{
	struct mx_cgroup_place place;
	char tag[64], file[MX_CGROUP_FILE_BYTES + 64];
	char *self = NULL, *mounts = NULL;
	int v1;

	assert_int_equal(mx_cgroup_file_text("/proc/self/cgroup", &self), 0);
	assert_int_equal(mx_cgroup_file_text("/proc/self/mountinfo", &mounts),
			 0);
	v1 = mx_cgroup_text_place(self, mounts, "memory", &place) == 0;
	if (!v1 && mx_cgroup_text_place(self, mounts, NULL, &place))
		place.point[0] = 0;
	free(self);
	free(mounts);
	if (!place.point[0])
		SKIP("we are in no cgroup");
	group->usage = v1 ? "memory.usage_in_bytes" : "memory.current";
	group->limit = v1 ? "memory.limit_in_bytes" : "memory.max";
	group->swap_limit =
		v1 ? "memory.memsw.limit_in_bytes" : "memory.swap.max";
	snprintf(tag, sizeof(tag), "mx-facts-%d-%s", (int)getpid(), name);
	assert_int_equal(
		mx_cgroup_file_path(group->dir, place.point, place.name, tag),
		0);
	if (mkdir(group->dir, 0700))
		SKIP("no cgroup %s: %s", group->dir, strerror(errno));
	snprintf(file, sizeof(file), "%s/%s", group->dir, group->usage);
	if (access(file, R_OK)) {
		rmdir(group->dir);
		SKIP("no memory controller at %s", group->dir);
	}
}

static int64_t group_usage(const struct group *group)
{
	char path[MX_CGROUP_FILE_BYTES + 64];
	char text[32] = "";
	FILE *in;

	snprintf(path, sizeof(path), "%s/%s", group->dir, group->usage);
	in = fopen(path, "r");
	if (!in || !fgets(text, sizeof(text), in))
		_exit(1);
	fclose(in);
	return strtoll(text, NULL, 10);
}

static int group_write(const struct group *group, const char *name,
		       const char *text)
{
	char path[MX_CGROUP_FILE_BYTES + 64];

	snprintf(path, sizeof(path), "%s/%s", group->dir, name);
	return mx_cgroup_file_write(path, text);
}

/* What @work on @file adds to the charge of @group, to which a process of its
 * own belongs meanwhile. *@status is how that process ended. */
static int64_t charge_of(const struct group *group, int (*work)(int fd), int fd,
			 int *status)
{
	int64_t grown = 0;
	int news[2];
	pid_t pid;

	assert_int_equal(pipe(news), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (group_write(group, "cgroup.procs", "0"))
			_exit(1);
		grown = -group_usage(group);
		if (work(fd))
			_exit(1);
		grown += group_usage(group);
		_exit(write(news[1], &grown, sizeof(grown)) != sizeof(grown));
	}
	close(news[1]);
	if (read(news[0], &grown, sizeof(grown)) != sizeof(grown))
		grown = -1;
	close(news[0]);
	assert_int_equal(waitpid(pid, status, 0), pid);
	return grown;
}

/* All of the file, by buffers of a block. */
static int read_all(int fd)
{
	_Alignas(MX_READ_ALIGN_BYTES) static unsigned char block[BLOCK];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(fd, block, sizeof(block), at)) > 0)
		at += n;
	return n < 0;
}

static int touch_mapping(int fd)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t size = 32 * MEBI;
	void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return -1;
	(void)touch(map, size, page);
	return 0;
}

static int touch_memory(int fd)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t size = 32 * MEBI;
	volatile unsigned char *memory =
		mmap(NULL, size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t at;

	(void)fd;
	if (memory == MAP_FAILED)
		return -1;
	for (at = 0; at < size; at += page)
		memory[at] = 1;
	return 0;
}

static void what_somebody_else_cached_is_not_charged_again(void **state)
{
	struct scratch *file = *state;
	const int64_t size = 8 * (int64_t)MEBI;
	const int64_t slack = CHARGE_SLACK_BYTES;
	struct group first, second;
	int64_t grown[4];
	int fd, status[4];

	need_droppable_cache(file);
	fd = open(file->path, O_WRONLY | O_CLOEXEC);
	fill(fd, 8 * MEBI);
	close(fd);
	file->size_bytes = 8 * MEBI;
	fd = open_direct(file);
	make_group(&first, "first");
	make_group(&second, "second");
	make_cold(file);
	grown[0] = charge_of(&first, read_all, file->fd, &status[0]);
	grown[1] = charge_of(&second, read_all, file->fd, &status[1]);
	make_cold(file);
	grown[2] = charge_of(&second, read_all, file->fd, &status[2]);
	make_cold(file);
	grown[3] = charge_of(&second, read_all, fd, &status[3]);
	close(fd);
	rmdir(first.dir);
	rmdir(second.dir);
	assert_int_equal(status[0] | status[1] | status[2] | status[3], 0);
	assert_in_range(grown[0], size - slack, size + slack);
	assert_in_range(grown[1] + slack, 0, 2 * slack);
	/* Dropped, it is charged to the next reader. */
	assert_in_range(grown[2], size - slack, size + slack);
	/* Reads past the page cache cost their buffer. */
	assert_in_range(grown[3] + slack, 0, 2 * slack);
}

static void over_the_limit_cache_goes_and_memory_kills(void **state)
{
	struct scratch *file = *state;
	struct group group;
	int mapped, touched, swap;

	need_droppable_cache(file);
	/* A hole costs no reading. */
	assert_int_equal(truncate(file->path, 0), 0);
	assert_int_equal(truncate(file->path, 32 * (off_t)MEBI), 0);
	make_group(&group, "limit");
	assert_int_equal(group_write(&group, group.limit, "8388608"), 0);
	swap = group_write(&group, group.swap_limit,
			   strstr(group.swap_limit, "memsw") ? "8388608" : "0");
	charge_of(&group, touch_mapping, file->fd, &mapped);
	charge_of(&group, touch_memory, file->fd, &touched);
	rmdir(group.dir);
	assert_int_equal(mapped, 0);
	if (swap && proc_value("/proc/meminfo", "SwapTotal:") > 0)
		SKIP("there is swap that cannot be limited");
	assert_true(WIFSIGNALED(touched));
	assert_int_equal(WTERMSIG(touched), SIGKILL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FACT(what_somebody_else_cached_is_not_charged_again),
		FACT(over_the_limit_cache_goes_and_memory_kills),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
