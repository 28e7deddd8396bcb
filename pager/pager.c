/*
 * The thread's states, and who moves it:
 *
 *          .--------- wake ---------.
 *          v                        |
 *   CALLED --thread--> ASKING --thread, nothing to read--> ASLEEP
 *     ^                   |
 *     '------- wake ------'
 *
 * ASLEEP: only a wake or a completed read goes on. ASKING: what it has not
 * asked for it asks for, or it waits for a read and asks then. So a wake costs
 * a system call where it finds ASLEEP, and nothing else.
 *
 * Invariants:
 *
 *  (1) The thread alone submits, waits, and counts reads in flight.
 *  (2) reads[i] is in flight, or on the free list; there are `depth` of them.
 *  (3) files[] does not change from the first wake on.
 */
#include "pager/pager.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/log.h"
#include "lib/network.h"
#include "lib/thread.h"
#include "pager/reader.h"
#include "pager/sigbus.h"
#include "pager/units.h"

enum { ASLEEP, ASKING, CALLED };

struct file {
	const struct mx_network *net;
	struct mx_units units;
	int fd; /* for streaming */
	int watch; /* mapped: the range's number in sigbus.h */
};

/* A read in flight, or free. */
struct flight {
	struct flight *next;
	struct mx_unit_ref ref;
};

struct mx_pager {
	struct mx_pager_opts opts;
	struct mx_reader *reader;
	struct file **files;
	uint32_t file_count;
	pthread_t thread;
	int thread_is_there;
	/* Exchanged (acquire and release) by the thread and by wakes, so that
	 * the thread sees what was done before it was called. */
	atomic_int state;
	atomic_int stopping; /* set before a wake, which orders it */

	/* the thread's alone */
	struct flight reads[MX_READS_MAX];
	struct flight *free_reads;
	uint32_t in_flight;
	int reads_alone; /* the one in flight */
	uint64_t busy_since_ns;

	pthread_mutex_t lock;
	/* guarded by lock */
	struct mx_pager_totals totals;
};

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int is_streaming(const struct mx_pager *pager)
{
	return pager->opts.memory != NULL;
}

void mx_pager_wake(struct mx_pager *pager)
{
	const int was = atomic_exchange_explicit(&pager->state, CALLED,
						 memory_order_acq_rel);

	if (was == ASLEEP)
		mx_reader_wake(pager->reader);
}

/* Start a read. Returns 0 or -errno. */
static int start(struct mx_pager *pager, const struct mx_pager_read *what)
{
	const struct file *file = pager->files[what->ref.net];
	const struct mx_unit *unit = &file->units.unit[what->ref.unit];
	struct flight *flight = pager->free_reads;
	struct mx_read read = {
		.fd = -1,
		.offset_bytes = unit->offset_bytes,
		.size_bytes = unit->need_bytes,
		.tag = flight,
	};
	int rc;

	if (is_streaming(pager)) {
		assert(what->offset_bytes <= pager->opts.memory_bytes &&
		       unit->size_bytes <=
			       pager->opts.memory_bytes - what->offset_bytes);
		read.fd = file->fd;
		read.data = (unsigned char *)pager->opts.memory +
			    what->offset_bytes;
		read.size_bytes = unit->size_bytes;
	} else {
		/* Populating only reads; the reader wants a plain pointer. */
		read.data =
			(unsigned char *)(uintptr_t)file->net->weights_base +
			unit->offset_bytes;
	}
	rc = mx_reader_submit(pager->reader, &read);
	if (rc)
		return rc;
	pager->free_reads = flight->next;
	flight->ref = what->ref;
	if (pager->in_flight++ == 0) {
		pager->busy_since_ns = clock_ns();
		pager->reads_alone = what->is_awaited;
	}
	return 0;
}

static int can_start(const struct mx_pager *pager)
{
	return pager->in_flight < pager->opts.depth && !pager->reads_alone;
}

/* Ask for reads and start them, until all are in flight or none is wanted.
 * Returns 1 if more could be started. */
static int pump(struct mx_pager *pager)
{
	struct mx_pager_read read;
	int rc;

	while (can_start(pager) &&
	       !atomic_load_explicit(&pager->stopping, memory_order_relaxed)) {
		if (!pager->opts.next(pager->opts.user, &read))
			return 1;
		rc = start(pager, &read);
		if (rc)
			pager->opts.loaded(pager->opts.user, read.ref, rc, 0);
	}
	return can_start(pager);
}

static void finish(struct mx_pager *pager, const struct mx_read_done *done)
{
	struct flight *flight = done->tag;
	const struct mx_unit_ref ref = flight->ref;
	const struct mx_unit *unit =
		&pager->files[ref.net]->units.unit[ref.unit];
	uint64_t bytes = 0;
	int status = -EIO; /* cut short */

	if (done->result >= (int64_t)unit->need_bytes) {
		status = 0;
		bytes = (uint64_t)done->result;
	} else if (done->result < 0 && done->result != -EFAULT) {
		status = (int)done->result;
	}
	flight->next = pager->free_reads;
	pager->free_reads = flight;
	pager->in_flight--;
	pager->reads_alone = 0;
	if (!status) {
		pthread_mutex_lock(&pager->lock);
		pager->totals.read_bytes += bytes;
		pager->totals.read_count++;
		pthread_mutex_unlock(&pager->lock);
	}
	pager->opts.loaded(pager->opts.user, ref, status, bytes);
}

/* The time until now was spent reading. */
static void count_time(struct mx_pager *pager)
{
	const uint64_t now = clock_ns();

	pthread_mutex_lock(&pager->lock);
	pager->totals.read_ns += now - pager->busy_since_ns;
	pthread_mutex_unlock(&pager->lock);
	pager->busy_since_ns = now;
}

/* What is asked for from here on sees all that was done before the last wake;
 * a wake from here on makes it ask again. */
static void begin_asking(struct mx_pager *pager)
{
	(void)atomic_exchange_explicit(&pager->state, ASKING,
				       memory_order_acq_rel);
}

/* There is nothing to ask for. Returns 0 if that is no longer so. */
static int fall_asleep(struct mx_pager *pager)
{
	int asking = ASKING;

	return atomic_compare_exchange_strong_explicit(
		&pager->state, &asking, ASLEEP, memory_order_acq_rel,
		memory_order_acquire);
}

static void *serve(void *user)
{
	struct mx_pager *pager = user;
	struct mx_read_done done[MX_READS_MAX];
	int count;
	int i;

	mx_thread_be_prompt();
	/* It begins asleep. */
	for (;;) {
		count = mx_reader_wait(pager->reader, done, MX_READS_MAX);
		if (count > 0)
			count_time(pager);
		begin_asking(pager);
		for (i = 0; i < count; i++)
			finish(pager, &done[i]);
		while (pump(pager) && !fall_asleep(pager))
			begin_asking(pager);
		if (atomic_load_explicit(&pager->stopping,
					 memory_order_relaxed) &&
		    pager->in_flight == 0)
			break;
	}
	return NULL;
}

int mx_pager_open(struct mx_pager **out, const struct mx_pager_opts *opts,
		  struct mx_err *err)
{
	struct mx_reader_opts reader = {
		.io = opts->io,
		.depth = opts->depth ? opts->depth : MX_PAGER_DEPTH_DEFAULT,
		.log = opts->log,
	};
	struct mx_pager *pager;
	uint32_t i;
	int rc;

	pager = calloc(1, sizeof(*pager));
	if (!pager)
		return mx_fail(err, ENOMEM, "no memory for a pager");
	pthread_mutex_init(&pager->lock, NULL);
	pager->opts = *opts;
	pager->opts.depth = reader.depth;
	atomic_init(&pager->state, ASLEEP);
	atomic_init(&pager->stopping, 0);
	for (i = 0; i < reader.depth; i++) {
		pager->reads[i].next = pager->free_reads;
		pager->free_reads = &pager->reads[i];
	}
	rc = mx_reader_open(&pager->reader, &reader, err);
	if (rc)
		goto fail;
	pager->totals.io = mx_reader_name(pager->reader);
	rc = pthread_create(&pager->thread, NULL, serve, pager);
	if (rc) {
		rc = mx_fail(err, rc, "cannot start the pager: %s",
			     strerror(rc));
		goto fail;
	}
	pager->thread_is_there = 1;
	*out = pager;
	return 0;

fail:
	mx_pager_close(pager);
	return rc;
}

static void file_free(struct file *file)
{
	if (!file)
		return;
	mx_sigbus_forget(file->watch);
	if (file->fd >= 0)
		close(file->fd);
	mx_units_fini(&file->units);
	free(file);
}

void mx_pager_close(struct mx_pager *pager)
{
	uint32_t i;

	if (!pager)
		return;
	if (pager->thread_is_there) {
		atomic_store_explicit(&pager->stopping, 1,
				      memory_order_relaxed);
		mx_pager_wake(pager);
		pthread_join(pager->thread, NULL);
	}
	mx_reader_close(pager->reader);
	for (i = 0; i < pager->file_count; i++)
		file_free(pager->files[i]);
	free(pager->files);
	pthread_mutex_destroy(&pager->lock);
	free(pager);
}

/*
 * A descriptor of our own for streaming: past the page cache, or, where the
 * file system cannot (tmpfs, some network ones), through it.
 */
static int open_direct(struct mx_pager *pager, struct file *file,
		       struct mx_err *err)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file->net->weights_fd);
	file->fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECT);
	if (file->fd < 0 && errno == EINVAL) {
		mx_log(pager->opts.log, MX_LOG_WARNING,
		       "pager: %s: this file system cannot read past the page "
		       "cache, which may grow beyond the budget",
		       file->net->name);
		file->fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (file->fd < 0)
		return mx_fail_errno(err, "%s: cannot open the weights",
				     file->net->name);
	return 0;
}

int mx_pager_add(struct mx_pager *pager, const struct mx_network *net,
		 struct mx_err *err)
{
	struct file **files;
	struct file *file;
	int rc;

	file = calloc(1, sizeof(*file));
	if (!file)
		return mx_fail(err, ENOMEM, "%s: no memory", net->name);
	file->fd = -1;
	file->watch = -1;
	file->net = net;
	rc = mx_units_init(&file->units, net, err);
	if (rc)
		goto fail;
	files = reallocarray(pager->files, (size_t)pager->file_count + 1,
			     sizeof(struct file *));
	if (!files) {
		rc = mx_fail(err, ENOMEM, "%s: no memory", net->name);
		goto fail;
	}
	pager->files = files;
	if (is_streaming(pager) && file->units.count > 0)
		rc = open_direct(pager, file, err);
	if (rc)
		goto fail;
	if (!is_streaming(pager) && net->weights_base)
		file->watch = mx_sigbus_watch(net->weights_base,
					      (size_t)net->weights_file_bytes);
	files[pager->file_count++] = file;
	return 0;

fail:
	file_free(file);
	return rc;
}

const struct mx_units *mx_pager_units(const struct mx_pager *pager,
				      uint32_t net)
{
	assert(net < pager->file_count);
	return &pager->files[net]->units;
}

const unsigned char *mx_pager_address(const struct mx_pager *pager,
				      uint32_t net, uint32_t slice,
				      uint64_t offset_bytes)
{
	const struct file *file = pager->files[net];
	const uint64_t at = file->net->slices[slice].offset_bytes;
	const struct mx_unit *unit =
		&file->units.unit[file->units.of_slice[slice]];

	if (!is_streaming(pager))
		return file->net->weights_base + at;
	return (const unsigned char *)pager->opts.memory + offset_bytes +
	       (at - unit->offset_bytes);
}

int mx_pager_say_failed(const struct mx_pager *pager, uint32_t net,
			uint32_t slice, int status, struct mx_err *err)
{
	const struct mx_network *network = pager->files[net]->net;
	const struct mx_slice *where = &network->slices[slice];

	return mx_fail(err, -status,
		       "%s: %s: cannot read weights at byte %" PRIu64
		       " (%" PRIu64 " bytes): %s",
		       network->name, network->layers[where->layer].name,
		       where->offset_bytes, where->size_bytes,
		       status == -EIO ? "the file is cut or its storage bad"
				      : strerror(-status));
}

int mx_pager_check(const struct mx_pager *pager, uint32_t net,
		   struct mx_err *err)
{
	const struct file *file = pager->files[net];
	uint64_t offset;

	if (!mx_sigbus_hit(file->watch, &offset))
		return 0;
	return mx_fail(err, EIO,
		       "%s: cannot read weights at byte %" PRIu64
		       " (%ld bytes): the file was cut while it was used",
		       file->net->name, offset, sysconf(_SC_PAGESIZE));
}

void mx_pager_totals(struct mx_pager *pager, struct mx_pager_totals *totals)
{
	pthread_mutex_lock(&pager->lock);
	*totals = pager->totals;
	pthread_mutex_unlock(&pager->lock);
}
