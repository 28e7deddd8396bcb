/*
 * Ways to stream a file through little memory, compared: slice by slice in
 * order, use (every byte is read), drop, with several slices on their way. The
 * file is cold before each measurement; the ways take turns over several
 * rounds, medians count; all must sum the same bytes.
 *
 * Ways:
 *  touch     map, and let the use fault
 *  pread     read into a buffer through the page cache, drop the cache's copy
 *  populate  MADV_POPULATE_READ, then MADV_DONTNEED + POSIX_FADV_DONTNEED
 *  willneed  POSIX_FADV_WILLNEED of the exact range in steps the kernel does
 *            not cut, then as populate
 *  direct    O_DIRECT into a buffer
 *  fixed     the same with registered buffers
 *  huge      direct, with buffers in huge pages
 *  hugefix   fixed, with buffers in huge pages
 *
 * Usage: bench_io [OPTION]... FILE [WAYS:BACK-ENDS:DEPTHS:SLICES]...
 * e.g. bench_io FILE populate,direct:uring,threads:1,4:256K,1M
 *  --rounds=N    turns of each (5)
 *  --bytes=SIZE  of the file, from its beginning (all)
 *  --keep        drop nothing: the whole file ends up in memory
 *  --warm        with the file in the page cache instead of cold
 *  --charge=DIR  the memory cgroup this process has to itself: report its peak
 *  --json[=FILE] a JSON object instead of the table, or beside it in FILE
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "cli/number.h"
#include "lib/err.h"
#include "lib/size.h"
#include "pager/reader.h"
#include "tests/io_cells.h"
#include "tests/io_charge.h"

/* What a huge page is on most machines; where it is not, none is used. */
#define HUGE_PAGE_BYTES ((size_t)2 << 20)

enum flags {
	FLAG_KEEP = 1 << 0,
	FLAG_WARM = 1 << 1,
	FLAG_JSON = 1 << 2,
};

static const char everything[] = "touch,pread,populate,willneed,direct,fixed,"
				 "huge,hugefix:uring,threads,sync:1,4,8:"
				 "256K,512K,1M,4M";

struct bench {
	const char *path;
	int fd;
	int direct_fd;
	struct charge charge;
	unsigned flags;
	const char *json_path; /* NULL: standard output */
	size_t advice_bytes; /* of one POSIX_FADV_WILLNEED */
	uint64_t sum; /* of the file's words */
	struct cells cells;
};

/* One pass over the file. */
struct pass {
	const struct bench *bench;
	const struct cell *cell;
	struct mx_reader *reader; /* NULL: the use faults */
	unsigned char *buffers;
	size_t buffers_bytes;
	unsigned char *map;
	size_t slice_count;
	size_t slots; /* slices that may be there or on their way */
	char *there; /* of each slice */
	size_t next_read; /* first that is not submitted */
	size_t next_use; /* first that is not used */
	uint32_t in_flight;
	uint64_t sum;
	double faults;
};

static double seconds_of(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec * 1e-6;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double cpu_now(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

static double thread_faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return (double)usage.ru_majflt;
}

/* What this process made the disk read, its ended threads included. */
static double disk_bytes(void)
{
	FILE *in = fopen("/proc/self/io", "r");
	double bytes = NAN;
	char line[64];

	while (in && fgets(line, sizeof(line), in))
		(void)sscanf(line, "read_bytes: %lf", &bytes);
	if (in)
		fclose(in);
	return bytes;
}

static size_t slice_size(const struct pass *pass, size_t slice)
{
	const size_t size = pass->cell->slice_bytes;

	return mx_size_min(size, pass->bench->cells.size_bytes - slice * size);
}

static unsigned char *slice_data(const struct pass *pass, size_t slice)
{
	const size_t size = pass->cell->slice_bytes;

	if (pass->map)
		return pass->map + slice * size;
	return pass->buffers + slice % pass->slots * size;
}

/* One call reads no more than the disk's read_ahead_kb and drops the rest. */
static void advise(const struct pass *pass, size_t slice)
{
	const size_t size = slice_size(pass, slice);
	const size_t begin = slice * pass->cell->slice_bytes;
	const size_t most = pass->bench->advice_bytes;
	size_t at;

	for (at = 0; at < size; at += most)
		(void)posix_fadvise(pass->bench->fd, (off_t)(begin + at),
				    (off_t)mx_size_min(most, size - at),
				    POSIX_FADV_WILLNEED);
}

static void submit(struct pass *pass)
{
	const struct bench *bench = pass->bench;
	const unsigned traits = pass->cell->way->traits;
	const size_t slice = pass->next_read++;
	struct mx_read read = {
		.fd = -1,
		.data = slice_data(pass, slice),
		.offset_bytes = (uint64_t)slice * pass->cell->slice_bytes,
		.size_bytes = slice_size(pass, slice),
		.tag = pass->there + slice,
	};
	int rc;

	if (traits & WAY_DIRECT) {
		read.fd = bench->direct_fd;
		read.size_bytes =
			mx_size_round_up(read.size_bytes, MX_READ_ALIGN_BYTES);
	} else if (!(traits & WAY_MAPS)) {
		read.fd = bench->fd;
	}
	if (traits & WAY_ADVISES)
		advise(pass, slice);
	rc = mx_reader_submit(pass->reader, &read);
	if (rc)
		die("%s: cannot start a read: %s", bench->path, strerror(-rc));
	pass->in_flight++;
}

static void await(struct pass *pass)
{
	struct mx_read_done done[MX_READS_MAX];
	const int n = mx_reader_wait(pass->reader, done, MX_READS_MAX);
	size_t slice;
	int i;

	if (n < 0)
		die("%s: cannot wait: %s", pass->bench->path, strerror(-n));
	for (i = 0; i < n; i++) {
		slice = (size_t)((char *)done[i].tag - pass->there);
		if (done[i].result < (int64_t)slice_size(pass, slice))
			die("%s: slice %zu: %s", pass->bench->path, slice,
			    done[i].result < 0 ? strerror((int)-done[i].result)
					       : "a short read");
		pass->there[slice] = 1;
		pass->in_flight--;
	}
}

static void use(struct pass *pass)
{
	const size_t slice = pass->next_use;
	const uint64_t *word = (const void *)slice_data(pass, slice);
	const size_t count = slice_size(pass, slice) / sizeof(*word);
	const double before = thread_faults();
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < count; i++)
		sum += word[i];
	pass->sum += sum;
	pass->faults += thread_faults() - before;
}

static void drop(const struct pass *pass)
{
	const unsigned traits = pass->cell->way->traits;
	const size_t slice = pass->next_use;
	const size_t size = slice_size(pass, slice);

	/* Who keeps buffers still gives the cache's copy back. */
	if (traits & WAY_DIRECT)
		return;
	if (traits & WAY_MAPS) {
		if (pass->bench->flags & FLAG_KEEP)
			return;
		(void)madvise(slice_data(pass, slice), size, MADV_DONTNEED);
	}
	if (!(pass->bench->flags & FLAG_WARM))
		(void)posix_fadvise(pass->bench->fd,
				    (off_t)(slice * pass->cell->slice_bytes),
				    (off_t)size, POSIX_FADV_DONTNEED);
}

static void stream(struct pass *pass)
{
	const size_t n = pass->slice_count;

	while (pass->next_use < n) {
		while (pass->reader && pass->next_read < n &&
		       pass->in_flight < pass->cell->depth &&
		       pass->next_read < pass->next_use + pass->slots)
			submit(pass);
		if (pass->reader && !pass->there[pass->next_use]) {
			await(pass);
			continue;
		}
		use(pass);
		drop(pass);
		pass->next_use++;
	}
}

/* Touched, as the pager's slab is. Whole huge pages, if any are wanted. */
static void open_buffers(struct pass *pass)
{
	const int huge = pass->cell->way->traits & WAY_HUGE;
	const size_t unit = huge ? HUGE_PAGE_BYTES : MX_READ_ALIGN_BYTES;
	unsigned char *memory, *begin;
	size_t size;

	size = mx_size_round_up(pass->slots * pass->cell->slice_bytes, unit);
	memory = mmap(NULL, size + unit, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		die("no memory for %zu bytes", size);
	begin = memory + (unit - (uintptr_t)memory % unit) % unit;
	if (begin != memory)
		munmap(memory, (size_t)(begin - memory));
	munmap(begin + size, (size_t)(memory + unit - begin));
	(void)madvise(begin, size, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	memset(begin, 0, size);
	pass->buffers = begin;
	pass->buffers_bytes = size;
}

static void open_pass(struct pass *pass)
{
	const struct bench *bench = pass->bench;
	const struct cell *cell = pass->cell;
	struct mx_reader_opts opts = {.io = cell->io, .depth = cell->depth};
	struct mx_err err;
	void *map;

	pass->slice_count =
		mx_size_div_up(bench->cells.size_bytes, cell->slice_bytes);
	/* One more than are on their way, for the one in use. */
	pass->slots = mx_size_min(cell->depth + 1, pass->slice_count);
	if (bench->flags & FLAG_KEEP)
		pass->slots = pass->slice_count;
	pass->there = calloc(pass->slice_count, 1);
	if (!pass->there)
		die("no memory for %zu slices", pass->slice_count);
	if (cell->way->traits & WAY_MAPS) {
		map = mmap(NULL, bench->cells.size_bytes, PROT_READ, MAP_SHARED,
			   bench->fd, 0);
		if (map == MAP_FAILED)
			die("%s: cannot map: %s", bench->path, strerror(errno));
		pass->map = map;
	} else {
		open_buffers(pass);
	}
	if (cell->way->traits & WAY_FIXED) {
		opts.memory = pass->buffers;
		opts.memory_bytes = pass->buffers_bytes;
	}
	if (cell->way->traits & WAY_READS &&
	    mx_reader_open(&pass->reader, &opts, &err))
		die("%s", err.text);
}

static void close_pass(struct pass *pass)
{
	mx_reader_close(pass->reader);
	if (pass->map)
		munmap(pass->map, pass->bench->cells.size_bytes);
	else
		munmap(pass->buffers, pass->buffers_bytes);
	free(pass->there);
}

/* How much of the file is in the page cache: all or nothing is wanted. */
static size_t cached_pages(const struct bench *bench, size_t *pages)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *there;
	size_t count = 0;
	size_t i;
	void *map;

	*pages = mx_size_div_up(bench->cells.size_bytes, page);
	there = calloc(*pages, 1);
	map = mmap(NULL, bench->cells.size_bytes, PROT_READ, MAP_SHARED,
		   bench->fd, 0);
	if (!there || map == MAP_FAILED ||
	    mincore(map, bench->cells.size_bytes, there))
		die("%s: cannot ask for cached pages: %s", bench->path,
		    strerror(errno));
	for (i = 0; i < *pages; i++)
		count += there[i] & 1;
	munmap(map, bench->cells.size_bytes);
	free(there);
	return count;
}

/* Read all of it through the page cache. Returns the sum of its words. */
static uint64_t read_all(const struct bench *bench)
{
	static uint64_t words[8192];
	uint64_t sum = 0;
	size_t at = 0;
	size_t i;
	ssize_t n;

	while (at < bench->cells.size_bytes) {
		n = pread(bench->fd, words,
			  mx_size_min(sizeof(words),
				      bench->cells.size_bytes - at),
			  (off_t)at);
		if (n <= 0)
			die("%s: cannot read: %s", bench->path,
			    n ? strerror(errno) : "it ends early");
		for (i = 0; i < (size_t)n / sizeof(words[0]); i++)
			sum += words[i];
		at += (size_t)n;
	}
	return sum;
}

static void set_cache(const struct bench *bench)
{
	size_t pages, cached;

	if (bench->flags & FLAG_WARM)
		(void)read_all(bench);
	else
		(void)posix_fadvise(bench->fd, 0, 0, POSIX_FADV_DONTNEED);
	cached = cached_pages(bench, &pages);
	if (cached != (bench->flags & FLAG_WARM ? pages : 0))
		die("%s: %zu of %zu pages are cached: is it mapped elsewhere?",
		    bench->path, cached, pages);
}

static void measure(const struct bench *bench, struct cell *cell, size_t round)
{
	struct pass pass = {.bench = bench, .cell = cell};
	double start, cpu, disk;
	int has_peak;

	set_cache(bench);
	if (!(bench->flags & FLAG_WARM))
		await_rest(&bench->charge);
	has_peak = restart_peak(&bench->charge);
	disk = disk_bytes();
	cpu = cpu_now();
	start = now();
	open_pass(&pass);
	stream(&pass);
	cell->sample[SECONDS][round] = now() - start;
	cell->sample[PEAK_BYTES][round] =
		has_peak ? charge_value(bench->charge.peak_fd) : NAN;
	close_pass(&pass);
	cell->sample[CPU_SECONDS][round] = cpu_now() - cpu;
	cell->sample[READ_BYTES][round] = disk_bytes() - disk;
	cell->sample[MAJOR_FAULTS][round] = pass.faults;
	if (pass.sum != bench->sum)
		die("%s: %s brought other bytes", bench->path, cell->way->name);
}

/* read_ahead_kb of the disk under @fd; what every kernel has at least if that
 * is not to be found. */
static size_t disk_advice_bytes(const struct stat *st)
{
	/* A partition's queue is its disk's. */
	static const char *const where[] = {"", "../"};
	size_t kib = 128;
	char path[96];
	FILE *in = NULL;
	size_t i;

	for (i = 0; i < 2 && !in; i++) {
		snprintf(path, sizeof(path),
			 "/sys/dev/block/%u:%u/%squeue/read_ahead_kb",
			 major(st->st_dev), minor(st->st_dev), where[i]);
		in = fopen(path, "r");
	}
	if (in && fscanf(in, "%zu", &kib) != 1)
		kib = 128;
	if (in)
		fclose(in);
	return mx_size_max(kib, 4) << 10;
}

static void open_file(struct bench *bench, const char *path)
{
	struct stat st;
	size_t i;

	bench->path = path;
	bench->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (bench->fd < 0 || fstat(bench->fd, &st))
		die("%s: %s", path, strerror(errno));
	/* Dirty pages cannot be dropped. */
	(void)fsync(bench->fd);
	if (bench->cells.size_bytes == 0)
		bench->cells.size_bytes = (size_t)st.st_size;
	bench->cells.size_bytes -= bench->cells.size_bytes % sizeof(uint64_t);
	if (bench->cells.size_bytes == 0 ||
	    bench->cells.size_bytes > (size_t)st.st_size)
		die("%s: has %jd bytes", path, (intmax_t)st.st_size);
	bench->advice_bytes = disk_advice_bytes(&st);
	bench->direct_fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECT);
	for (i = 0; i < bench->cells.count; i++)
		if (bench->cells.cell[i].way->traits & WAY_DIRECT &&
		    bench->direct_fd < 0)
			die("%s: no O_DIRECT: %s", path, strerror(errno));
	bench->sum = read_all(bench);
	(void)posix_fadvise(bench->fd, 0, 0, POSIX_FADV_DONTNEED);
	bench->charge.rest_bytes = charge_value(bench->charge.usage_fd);
}

static void parse_option(struct bench *bench, int option, const char *text)
{
	uint64_t number = 0;

	switch (option) {
	case 'r':
		if (mx_parse_count(text, ROUNDS_MAX, &number) || !number)
			die("--rounds takes 1 to %d", ROUNDS_MAX);
		bench->cells.rounds = number;
		break;
	case 'b':
		if (mx_parse_size(text, &number) || !number)
			die("--bytes takes a size");
		bench->cells.size_bytes = number;
		break;
	case 'c':
		open_charge(&bench->charge, text);
		break;
	case 'k':
		bench->flags |= FLAG_KEEP;
		break;
	case 'w':
		bench->flags |= FLAG_WARM;
		break;
	case 'j':
		bench->flags |= FLAG_JSON;
		bench->json_path = text;
		break;
	default:
		exit(2);
	}
}

static void report(const struct bench *bench)
{
	FILE *out = stdout;

	if (!(bench->flags & FLAG_JSON) || bench->json_path)
		print_table(&bench->cells);
	if (!(bench->flags & FLAG_JSON))
		return;
	if (bench->json_path)
		out = fopen(bench->json_path, "w");
	if (!out)
		die("%s: %s", bench->json_path, strerror(errno));
	print_json(&bench->cells, out);
	if (fflush(out))
		die("cannot write the numbers: %s", strerror(errno));
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"rounds", required_argument, NULL, 'r'},
		{"bytes", required_argument, NULL, 'b'},
		{"charge", required_argument, NULL, 'c'},
		{"keep", no_argument, NULL, 'k'},
		{"warm", no_argument, NULL, 'w'},
		{"json", optional_argument, NULL, 'j'},
		{NULL, 0, NULL, 0},
	};
	static struct bench bench = {.charge = {.peak_fd = -1, .usage_fd = -1},
				     .cells.rounds = 5};
	size_t round, i;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0)
		parse_option(&bench, option, optarg);
	if (optind == argc)
		die("which file?");
	for (i = (size_t)optind + 1; i < (size_t)argc; i++)
		add_cells(&bench.cells, argv[i]);
	if (bench.cells.count == 0)
		add_cells(&bench.cells, everything);
	open_file(&bench, argv[optind]);
	/* There and back, so that nothing always follows the same. */
	for (round = 0; round < bench.cells.rounds; round++)
		for (i = 0; i < bench.cells.count; i++)
			measure(&bench,
				&bench.cells
					 .cell[round % 2 ? bench.cells.count -
								   1 - i
							 : i],
				round);
	settle(&bench.cells);
	report(&bench);
	return 0;
}
