/*
 * What the pager takes for granted about the kernel, each on a small file of
 * its own. A fact that cannot be shown here (another file system, an older
 * kernel) is skipped and the reason printed.
 */
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "lib/err.h"
#include "tests/facts_fixture.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

/* 0 or -errno. */
static int populate(void *data, size_t size_bytes)
{
	int rc;

	do
		rc = madvise(data, size_bytes, MADV_POPULATE_READ) ? -errno : 0;
	while (rc == -EINTR || rc == -EAGAIN);
	if (rc == -EINVAL)
		SKIP("no MADV_POPULATE_READ before Linux 5.14");
	return rc;
}

static void *aligned(size_t size_bytes)
{
	void *memory = aligned_alloc(BLOCK, size_bytes);

	assert_non_null(memory);
	return memory;
}

static struct rusage thread_usage(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_THREAD, &usage), 0);
	return usage;
}

static int64_t disk_bytes(void)
{
	const int64_t bytes = proc_value("/proc/self/io", "read_bytes:");

	if (bytes < 0)
		SKIP("/proc/self/io does not count reads");
	return bytes;
}

/* The file and nothing else, but for some of this program's own text, which
 * may come from the disk just now. */
#define TEXT_BYTES_MAX ((int64_t)256 << 10)
static void assert_read(int64_t before, int64_t want)
{
	const int64_t read = disk_bytes() - before;

	assert_true(read >= want);
	assert_true(read <= want + TEXT_BYTES_MAX);
}

static void populated_pages_are_there_and_cost_no_fault(void **state)
{
	struct scratch *file = *state;
	struct rusage before, between, after;

	make_cold(file);
	before = thread_usage();
	assert_int_equal(populate(file->map, FILE_BYTES), 0);
	between = thread_usage();
	assert_int_equal(cached(file), FILE_BYTES);
	after = thread_usage();
	touch(file->map, FILE_BYTES, file->page);
	assert_int_equal(thread_usage().ru_minflt, after.ru_minflt);
	assert_int_equal(thread_usage().ru_majflt, after.ru_majflt);
	/* Who populates is the one to whom reading is counted as a fault. */
	assert_true(between.ru_majflt > before.ru_majflt);
}

static void populating_past_the_end_says_efault_and_kills_nobody(void **state)
{
	struct scratch *file = *state;
	char byte;

	assert_int_equal(truncate(file->path, (off_t)file->page), 0);
	assert_int_equal(populate(file->map, FILE_BYTES), -EFAULT);
	assert_int_equal(populate(file->map, file->page), 0);
	assert_int_equal(populate(file->map + file->page, file->page), -EFAULT);
	/* This is how the end of the file is told from a bad block. */
	assert_int_equal(pread(file->fd, &byte, 1, (off_t)file->page), 0);
}

static void touching_past_the_end_kills(void **state)
{
	struct scratch *file = *state;
	int status;
	pid_t pid;

	assert_int_equal(truncate(file->path, (off_t)file->page), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		/* Sanitizers have handlers. */
		(void)signal(SIGBUS, SIG_DFL);
		touch(file->map + file->page, file->page, file->page);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGBUS);
}

/* One read through io_uring. Returns its result. */
static int64_t through_uring(const struct mx_read *read)
{
	const struct mx_reader_opts opts = {.io = "uring", .depth = 1};
	struct mx_read_done done = {NULL, 0};
	struct mx_reader *reader;
	struct mx_err err;
	int rc = mx_reader_open(&reader, &opts, &err);

	if (rc == -ENOSYS)
		SKIP("%s", err.text);
	assert_int_equal(rc, 0);
	assert_int_equal(mx_reader_submit(reader, read), 0);
	do
		rc = mx_reader_wait(reader, &done, 1);
	while (rc == 0);
	assert_int_equal(rc, 1);
	mx_reader_close(reader);
	return done.result;
}

static void what_uring_populates_is_read_by_this_process(void **state)
{
	struct scratch *file = *state;
	const struct mx_read read = {
		.fd = -1, .data = file->map, .size_bytes = FILE_BYTES};
	int64_t before;

	make_cold(file);
	before = disk_bytes();
	assert_int_equal(through_uring(&read), FILE_BYTES);
	assert_int_equal(cached(file), FILE_BYTES);
	assert_read(before, FILE_BYTES);
}

static void populating_past_the_end_through_uring_says_efault(void **state)
{
	struct scratch *file = *state;
	const struct mx_read read = {
		.fd = -1, .data = file->map, .size_bytes = FILE_BYTES};

	assert_int_equal(truncate(file->path, (off_t)file->page), 0);
	assert_int_equal(populate(file->map, file->page), 0);
	assert_int_equal(through_uring(&read), -EFAULT);
}

static void pages_are_dropped_by_both_advices_in_their_order(void **state)
{
	struct scratch *file = *state;

	need_droppable_cache(file);
	assert_int_equal(populate(file->map, FILE_BYTES), 0);

	/* The page cache keeps what is mapped, and does not say so. */
	assert_int_equal(
		posix_fadvise(file->fd, 0, FILE_BYTES, POSIX_FADV_DONTNEED), 0);
	assert_int_equal(cached(file), FILE_BYTES);

	/* This gives up the mapping, not the page cache. */
	assert_int_equal(madvise(file->map, FILE_BYTES, MADV_DONTNEED), 0);
	assert_int_equal(cached(file), FILE_BYTES);

	assert_int_equal(
		posix_fadvise(file->fd, 0, FILE_BYTES, POSIX_FADV_DONTNEED), 0);
	assert_int_equal(cached(file), 0);

	/* The mapping is as good as before. */
	assert_int_equal(file->map[file->page], byte_at(file->page));
}

static void pages_that_another_process_maps_stay(void **state)
{
	struct scratch *file = *state;
	int ready[2], go[2], status;
	char byte = 0;
	pid_t pid;

	need_droppable_cache(file);
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(go), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(go[1]);
		touch(file->map, FILE_BYTES, file->page);
		_exit(write(ready[1], &byte, 1) != 1 ||
		      read(go[0], &byte, 1) != 0);
	}
	close(go[0]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(madvise(file->map, FILE_BYTES, MADV_DONTNEED), 0);
	assert_int_equal(
		posix_fadvise(file->fd, 0, FILE_BYTES, POSIX_FADV_DONTNEED), 0);
	assert_int_equal(cached(file), FILE_BYTES);
	close(go[1]);
	close(ready[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	make_cold(file);
}

/* KiB that a queue's attribute of the disk under the file says, or 0. */
static size_t queue_kib(const struct scratch *file, const char *name)
{
	/* A partition's queue is its disk's. */
	static const char *const where[] = {"", "../"};
	size_t kib = 0;
	struct stat st;
	char path[128];
	FILE *in;
	size_t i;

	assert_int_equal(fstat(file->fd, &st), 0);
	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%squeue/%s",
			 major(st.st_dev), minor(st.st_dev), where[i], name);
		in = fopen(path, "r");
		if (!in)
			continue;
		if (fscanf(in, "%zu", &kib) != 1)
			kib = 0;
		fclose(in);
	}
	return kib;
}

static void one_readahead_is_cut_and_many_small_ones_are_not(void **state)
{
	struct scratch *file = *state;
	const size_t ahead = queue_kib(file, "read_ahead_kb") << 10;
	const size_t sectors = queue_kib(file, "max_sectors_kb") << 10;
	const size_t most = ahead > sectors ? ahead : sectors;
	size_t at;

	if (ahead == 0)
		SKIP("%s lies on no disk that reads ahead", file->path);
	/* A hole is read without the disk, and so at once. */
	file->size_bytes = 2 * most + FILE_BYTES;
	assert_int_equal(truncate(file->path, 0), 0);
	assert_int_equal(truncate(file->path, (off_t)file->size_bytes), 0);
	make_cold(file);
	assert_int_equal(posix_fadvise(file->fd, 0, (off_t)file->size_bytes,
				       POSIX_FADV_WILLNEED),
			 0);
	assert_in_range(cached(file), 1, most);

	make_cold(file);
	for (at = 0; at < file->size_bytes; at += ahead)
		assert_int_equal(posix_fadvise(file->fd, (off_t)at,
					       (off_t)ahead,
					       POSIX_FADV_WILLNEED),
				 0);
	assert_int_equal(cached(file), file->size_bytes);
}

static void direct_reads_stay_out_of_the_page_cache(void **state)
{
	struct scratch *file = *state;
	unsigned char *memory;
	int64_t before;
	size_t i;
	int fd;

	make_cold(file);
	fd = open_direct(file);
	before = disk_bytes();
	memory = aligned(FILE_BYTES);
	assert_int_equal(pread(fd, memory, FILE_BYTES, 0), FILE_BYTES);
	assert_read(before, FILE_BYTES);
	assert_int_equal(cached(file), 0);
	for (i = 0; i < FILE_BYTES; i++)
		assert_int_equal(memory[i], byte_at(i));
	close(fd);
	free(memory);
}

static void direct_reads_see_what_is_only_in_the_page_cache(void **state)
{
	struct scratch *file = *state;
	const int out = open(file->path, O_WRONLY | O_CLOEXEC);
	const int fd = open_direct(file);
	unsigned char *memory = aligned(BLOCK);
	unsigned char byte = 0;

	assert_true(out >= 0);
	/* Not synced: the disk has the old byte. */
	assert_int_equal(pwrite(out, &byte, 1, 7), 1);
	assert_int_equal(pread(fd, memory, BLOCK, 0), BLOCK);
	assert_int_equal(memory[6], byte_at(6));
	assert_int_equal(memory[7], 0);
	assert_int_equal(memory[8], byte_at(8));
	close(fd);
	close(out);
	free(memory);
}

static void direct_reads_are_short_at_the_end(void **state)
{
	struct scratch *file = *state;
	const size_t last = FILE_BYTES - BLOCK;
	const int fd = open_direct(file);
	unsigned char *memory = aligned(2 * BLOCK);

	assert_int_equal(truncate(file->path, (off_t)last + 100), 0);
	memory[99] = 0;
	assert_int_equal(pread(fd, memory, 2 * BLOCK, (off_t)last), 100);
	assert_int_equal(memory[99], byte_at(last + 99));
	assert_int_equal(pread(fd, memory, BLOCK, FILE_BYTES), 0);
	close(fd);
	free(memory);
}

static void the_alignment_of_reads_is_enough_for_direct_ones(void **state)
{
	struct scratch *file = *state;

#ifdef STATX_DIOALIGN
	struct statx st;

	assert_int_equal(statx(AT_FDCWD, file->path, 0, STATX_DIOALIGN, &st),
			 0);
	if (!(st.stx_mask & STATX_DIOALIGN) || st.stx_dio_offset_align == 0)
		SKIP("%s: nobody tells the alignment", file->path);
	assert_int_equal(MX_READ_ALIGN_BYTES % st.stx_dio_offset_align, 0);
	assert_int_equal(MX_READ_ALIGN_BYTES % st.stx_dio_mem_align, 0);
#else
	SKIP("%s: no STATX_DIOALIGN to ask", file->path);
#endif
}

/* KiB behind @key of the mapping at @memory. */
static long mapping_kib(const void *memory, const char *key)
{
	FILE *in = fopen("/proc/self/smaps", "r");
	const size_t key_size = strlen(key);
	char start[32], line[512];
	int found = 0;
	long kib = -1;

	assert_non_null(in);
	snprintf(start, sizeof(start), "%lx-",
		 (unsigned long)(uintptr_t)memory);
	while (kib < 0 && fgets(line, sizeof(line), in)) {
		if (strncmp(line, start, strlen(start)) == 0)
			found = 1;
		else if (found && strncmp(line, key, key_size) == 0)
			kib = strtol(line + key_size, NULL, 10);
	}
	fclose(in);
	return kib;
}

static void without_huge_pages_a_page_is_a_page(void **state)
{
	static const size_t size = (size_t)16 << 20, step = (size_t)2 << 20;
	const struct scratch *file = *state;
	unsigned char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t at;

	assert_ptr_not_equal(memory, MAP_FAILED);
	if (madvise(memory, size, MADV_NOHUGEPAGE))
		SKIP("this kernel has no huge pages to keep out");
	for (at = 0; at < size; at += step)
		memory[at] = 1;
	assert_int_equal(mapping_kib(memory, "Rss:"),
			 size / step * file->page >> 10);
	assert_int_equal(mapping_kib(memory, "AnonHugePages:"), 0);
	munmap(memory, size);
}

static void memory_touched_whole_costs_its_size_in_huge_pages_too(void **state)
{
	static const size_t size = ((size_t)5 << 20) + ((size_t)64 << 10);
	unsigned char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long huge;

	(void)state;
	assert_ptr_not_equal(memory, MAP_FAILED);
	if (madvise(memory, size, MADV_HUGEPAGE))
		SKIP("this kernel has no huge pages");
	memset(memory, 1, size);
	huge = mapping_kib(memory, "AnonHugePages:");
	assert_int_equal(mapping_kib(memory, "Rss:"), size >> 10);
	/* What is there stays huge; nothing is copied together later on. */
	assert_int_equal(madvise(memory, size, MADV_NOHUGEPAGE), 0);
	assert_int_equal(mapping_kib(memory, "AnonHugePages:"), huge);
	assert_int_equal(mapping_kib(memory, "Rss:"), size >> 10);
	munmap(memory, size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FACT(populated_pages_are_there_and_cost_no_fault),
		FACT(populating_past_the_end_says_efault_and_kills_nobody),
		FACT(touching_past_the_end_kills),
		FACT(what_uring_populates_is_read_by_this_process),
		FACT(populating_past_the_end_through_uring_says_efault),
		FACT(pages_are_dropped_by_both_advices_in_their_order),
		FACT(pages_that_another_process_maps_stay),
		FACT(one_readahead_is_cut_and_many_small_ones_are_not),
		FACT(direct_reads_stay_out_of_the_page_cache),
		FACT(direct_reads_see_what_is_only_in_the_page_cache),
		FACT(direct_reads_are_short_at_the_end),
		FACT(the_alignment_of_reads_is_enough_for_direct_ones),
		FACT(without_huge_pages_a_page_is_a_page),
		FACT(memory_touched_whole_costs_its_size_in_huge_pages_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
