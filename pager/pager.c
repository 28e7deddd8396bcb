/*
 * A unit's states (under the lock), and who moves it:
 *
 *   ABSENT --pump--> LOADING --finish--> RESIDENT --drop--> ABSENT
 *                       '------finish--> FAILED   (stays until its holders
 *                                                  have ended: drop)
 *
 * Invariants under the lock:
 *
 *  (1) hold_count of a unit is the number of runs whose window has it: the
 *      units from what the run has consumed up to next_unit.
 *  (2) A unit has a buffer if and only if it is LOADING or RESIDENT, or
 *      pinned. A unit that is not pinned and that nobody holds is ABSENT, or
 *      LOADING (its read cannot be called back).
 *  (3) Buffers of units that are not pinned together take at most the slab
 *      less the pinned ones.
 *
 * Deadlock: a run's window is contiguous, so the first unit it waits for is
 * loaded or is the next to load; a run that waits for room waits for others
 * to consume what they hold, and the oldest unit of every window is there.
 */
#include "pager/pager.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/log.h"
#include "lib/network.h"
#include "lib/size.h"
#include "pager/reader.h"
#include "pager/sigbus.h"
#include "pager/slab.h"
#include "pager/units.h"

enum unit_state { ABSENT, LOADING, RESIDENT, FAILED };

struct unit {
	enum unit_state state;
	int pinned;
	uint32_t hold_count;
	int status; /* when FAILED */
	unsigned char *data;
	struct file *file;
};

struct file {
	const struct mx_network *net;
	struct mx_units units;
	struct unit *unit; /* units.count */
	int fd; /* for streaming */
	int watch; /* mapped: the range's number in sigbus.h */
};

struct mx_pager_run {
	struct mx_pager *pager;
	struct file *file;
	struct mx_pager_run *next;
	uint32_t next_unit; /* the first that is not in the window */
	uint64_t ahead_bytes; /* of the window */
	uint32_t *left; /* slices of each unit not yet consumed */
};

struct mx_pager {
	const struct mx_log *log;
	void (*news)(void *user);
	void *user;
	struct mx_reader *reader;
	uint32_t depth;
	int streaming;
	pthread_t thread;
	int thread_is_there;

	pthread_mutex_t lock;
	/* guarded by lock */
	struct mx_slab slab;
	struct file **files;
	uint32_t file_count;
	struct mx_pager_run *runs;
	uint32_t in_flight;
	int waiting; /* the thread may be asleep */
	int starved; /* it wants room */
	int stopping;
	size_t pinned_bytes;
	struct mx_pager_totals totals;
};

/* The lock is held. */
static void wake(struct mx_pager *pager)
{
	if (pager->waiting) {
		pager->waiting = 0;
		mx_reader_wake(pager->reader);
	}
}

static void drop(struct mx_pager *pager, struct unit *unit)
{
	if (unit->hold_count > 0 || unit->state == LOADING)
		return;
	if (unit->state == FAILED || !unit->pinned) {
		if (unit->data && pager->streaming && !unit->pinned) {
			mx_slab_give(&pager->slab, unit->data);
			unit->data = NULL;
		}
		unit->state = ABSENT;
	}
}

/* Room for @unit, or NULL for now. */
static unsigned char *buffer_for(struct mx_pager *pager, struct unit *unit,
				 const struct mx_unit *where)
{
	if (unit->data)
		return unit->data;
	if (!pager->streaming)
		/* Populating only reads; the reader wants a plain pointer. */
		return (unsigned char *)(uintptr_t)
			       unit->file->net->weights_base +
		       where->offset_bytes;
	return mx_slab_take(&pager->slab, where->size_bytes);
}

/* Start reading a unit. Returns 1, or 0 when there is no room. */
static int load(struct mx_pager *pager, struct unit *unit,
		const struct mx_unit *where)
{
	struct mx_read read = {
		.fd = pager->streaming ? unit->file->fd : -1,
		.offset_bytes = where->offset_bytes,
		.size_bytes = pager->streaming ? where->size_bytes
					       : where->need_bytes,
		.tag = unit,
	};
	int rc;

	unit->data = buffer_for(pager, unit, where);
	if (!unit->data)
		return 0;
	if (pager->slab.used_bytes > pager->totals.peak_bytes)
		pager->totals.peak_bytes = pager->slab.used_bytes;
	read.data = unit->data;
	unit->state = LOADING;
	rc = mx_reader_submit(pager->reader, &read);
	if (rc) {
		unit->state = FAILED;
		unit->status = rc;
	} else {
		pager->in_flight++;
	}
	return 1;
}

/* The run that is least ahead of those that want more; NULL: none. */
static struct mx_pager_run *hungriest(struct mx_pager *pager)
{
	struct mx_pager_run *best = NULL;
	struct mx_pager_run *run;

	for (run = pager->runs; run; run = run->next)
		if (run->next_unit < run->file->units.count &&
		    (!best || run->ahead_bytes < best->ahead_bytes))
			best = run;
	return best;
}

/* The next unit enters the run's window. */
static void widen(struct mx_pager_run *run)
{
	run->file->unit[run->next_unit].hold_count++;
	run->ahead_bytes += run->file->units.unit[run->next_unit].size_bytes;
	run->next_unit++;
}

/* Start what can be started. Returns 1 if something failed to start. */
static int pump(struct mx_pager *pager)
{
	struct mx_pager_run *run;
	int news = 0;

	pager->starved = 0;
	while (pager->in_flight < pager->depth &&
	       (run = hungriest(pager)) != NULL) {
		const struct mx_unit *where =
			&run->file->units.unit[run->next_unit];
		struct unit *unit = &run->file->unit[run->next_unit];

		if (unit->state == ABSENT && !load(pager, unit, where)) {
			pager->starved = 1;
			break;
		}
		news |= unit->state != LOADING;
		widen(run);
	}
	return news;
}

static void finish(struct mx_pager *pager, const struct mx_read_done *done)
{
	struct unit *unit = done->tag;
	const struct file *file = unit->file;
	const struct mx_unit *where = &file->units.unit[unit - file->unit];

	pager->in_flight--;
	if (done->result >= (int64_t)where->need_bytes) {
		unit->state = RESIDENT;
		pager->totals.read_bytes += (uint64_t)done->result;
		pager->totals.read_count++;
	} else {
		unit->state = FAILED;
		unit->status = done->result == -EFAULT || done->result >= 0
				       ? -EIO
				       : (int)done->result;
	}
	drop(pager, unit);
}

static void *serve(void *user)
{
	struct mx_pager *pager = user;
	struct mx_read_done done[MX_READS_MAX];
	int count;
	int news;
	int i;

	pthread_mutex_lock(&pager->lock);
	for (;;) {
		news = pump(pager);
		if (pager->stopping && pager->in_flight == 0)
			break;
		pager->waiting = 1;
		pthread_mutex_unlock(&pager->lock);
		if (news)
			pager->news(pager->user);
		count = mx_reader_wait(pager->reader, done, MX_READS_MAX);
		pthread_mutex_lock(&pager->lock);
		pager->waiting = 0;
		for (i = 0; i < count; i++)
			finish(pager, &done[i]);
		if (count <= 0)
			continue;
		pump(pager);
		pthread_mutex_unlock(&pager->lock);
		pager->news(pager->user);
		pthread_mutex_lock(&pager->lock);
	}
	pthread_mutex_unlock(&pager->lock);
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
	int rc;

	pager = calloc(1, sizeof(*pager));
	if (!pager)
		return mx_fail(err, ENOMEM, "no memory for a pager");
	pthread_mutex_init(&pager->lock, NULL);
	pager->log = opts->log;
	pager->news = opts->news;
	pager->user = opts->user;
	pager->depth = reader.depth;
	pager->streaming = opts->memory_bytes > 0;
	rc = mx_slab_init(&pager->slab, (size_t)opts->memory_bytes, err);
	if (rc)
		goto fail;
	reader.memory = pager->slab.memory;
	reader.memory_bytes = pager->slab.size_bytes;
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
	free(file->unit);
	free(file);
}

void mx_pager_close(struct mx_pager *pager)
{
	uint32_t i;

	if (!pager)
		return;
	if (pager->thread_is_there) {
		pthread_mutex_lock(&pager->lock);
		assert(!pager->runs);
		pager->stopping = 1;
		wake(pager);
		pthread_mutex_unlock(&pager->lock);
		pthread_join(pager->thread, NULL);
	}
	mx_reader_close(pager->reader);
	for (i = 0; i < pager->file_count; i++)
		file_free(pager->files[i]);
	free(pager->files);
	mx_slab_fini(&pager->slab);
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
		mx_log(pager->log, MX_LOG_WARNING,
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

static int pin(struct mx_pager *pager, struct file *file,
	       const unsigned char *pinned, struct mx_err *err)
{
	uint32_t i, k;

	for (i = 0; i < file->units.count; i++) {
		const struct mx_unit *where = &file->units.unit[i];
		struct unit *unit = &file->unit[i];

		unit->file = file;
		unit->pinned = !pager->streaming;
		for (k = 0; pinned && k < where->slice_count; k++)
			if (pinned[where->first_slice + k])
				unit->pinned = 1;
		if (!unit->pinned || !pager->streaming)
			continue;
		unit->data = mx_slab_take(&pager->slab, where->size_bytes);
		if (!unit->data)
			return mx_fail(err, EDQUOT,
				       "%s: the pinned slices do not fit",
				       file->net->name);
		pager->pinned_bytes += where->size_bytes;
	}
	if (pager->streaming &&
	    pager->slab.size_bytes - pager->pinned_bytes <
		    file->units.largest_bytes &&
	    pager->pinned_bytes < file->units.total_bytes)
		return mx_fail(err, EDQUOT,
			       "%s: its largest slice, %zu bytes, does not fit",
			       file->net->name, file->units.largest_bytes);
	return 0;
}

int mx_pager_add(struct mx_pager *pager, const struct mx_network *net,
		 const unsigned char *pinned, uint32_t *out, struct mx_err *err)
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
	file->unit = calloc((size_t)file->units.count + 1, sizeof(*file->unit));
	files = reallocarray(pager->files, (size_t)pager->file_count + 1,
			     sizeof(struct file *));
	if (files)
		pager->files = files;
	if (!file->unit || !files) {
		rc = mx_fail(err, ENOMEM, "%s: no memory", net->name);
		goto fail;
	}
	if (pager->streaming && file->units.count > 0)
		rc = open_direct(pager, file, err);
	if (!rc)
		rc = pin(pager, file, pinned, err);
	if (rc)
		goto fail;
	if (!pager->streaming && net->weights_base)
		file->watch = mx_sigbus_watch(net->weights_base,
					      (size_t)net->weights_file_bytes);
	files[pager->file_count] = file;
	*out = pager->file_count++;
	return 0;

fail:
	file_free(file);
	return rc;
}

int mx_pager_begin(struct mx_pager *pager, uint32_t index,
		   struct mx_pager_run **out, struct mx_err *err)
{
	struct file *file = pager->files[index];
	struct mx_pager_run *run;
	uint32_t i;

	run = calloc(1, sizeof(*run));
	if (run)
		run->left = calloc((size_t)file->units.count + 1,
				   sizeof(*run->left));
	if (!run || !run->left) {
		free(run);
		return mx_fail(err, ENOMEM, "%s: no memory for a run",
			       file->net->name);
	}
	run->pager = pager;
	run->file = file;
	for (i = 0; i < file->units.count; i++)
		run->left[i] = file->units.unit[i].slice_count;
	pthread_mutex_lock(&pager->lock);
	run->next = pager->runs;
	pager->runs = run;
	/* What is there needs no reader: a run of a network that is all in
	 * memory does not even wake it. */
	while (run->next_unit < file->units.count &&
	       file->unit[run->next_unit].state == RESIDENT)
		widen(run);
	if (run->next_unit < file->units.count)
		wake(pager);
	pthread_mutex_unlock(&pager->lock);
	*out = run;
	return 0;
}

/* The unit leaves the run's window; lock held. */
static void let_go(struct mx_pager_run *run, uint32_t index)
{
	struct unit *unit = &run->file->unit[index];

	assert(unit->hold_count > 0);
	run->left[index] = 0;
	run->ahead_bytes -= run->file->units.unit[index].size_bytes;
	unit->hold_count--;
	drop(run->pager, unit);
}

void mx_pager_end(struct mx_pager_run *run)
{
	struct mx_pager *pager;
	struct mx_pager_run **at;
	uint32_t i;

	if (!run)
		return;
	pager = run->pager;
	pthread_mutex_lock(&pager->lock);
	for (at = &pager->runs; *at != run; at = &(*at)->next)
		;
	*at = run->next;
	for (i = 0; i < run->next_unit; i++)
		if (run->left[i])
			let_go(run, i);
	if (pager->starved)
		wake(pager);
	pthread_mutex_unlock(&pager->lock);
	free(run->left);
	free(run);
}

static int say_failed(const struct mx_pager_run *run, uint32_t slice,
		      int status, struct mx_err *err)
{
	const struct mx_network *net = run->file->net;
	const struct mx_slice *where = &net->slices[slice];

	return mx_fail(err, -status,
		       "%s: %s: cannot read weights at byte %" PRIu64
		       " (%" PRIu64 " bytes): %s",
		       net->name, net->layers[where->layer].name,
		       where->offset_bytes, where->size_bytes,
		       status == -EIO ? "the file is cut or its storage bad"
				      : strerror(-status));
}

int mx_pager_get(struct mx_pager_run *run, uint32_t slice,
		 const unsigned char **out, struct mx_err *err)
{
	struct mx_pager *pager = run->pager;
	const uint32_t index = run->file->units.of_slice[slice];
	const struct mx_unit *where = &run->file->units.unit[index];
	const struct unit *unit = &run->file->unit[index];
	int rc = -EAGAIN;

	pthread_mutex_lock(&pager->lock);
	if (index < run->next_unit && unit->state == RESIDENT) {
		*out = unit->data +
		       (run->file->net->slices[slice].offset_bytes -
			where->offset_bytes);
		rc = 0;
	} else if (index < run->next_unit && unit->state == FAILED) {
		rc = say_failed(run, slice, unit->status, err);
	}
	pthread_mutex_unlock(&pager->lock);
	return rc;
}

void mx_pager_consumed(struct mx_pager_run *run, uint32_t slice)
{
	struct mx_pager *pager = run->pager;
	const uint32_t index = run->file->units.of_slice[slice];

	pthread_mutex_lock(&pager->lock);
	assert(index < run->next_unit && run->left[index] > 0);
	if (--run->left[index] == 0) {
		let_go(run, index);
		if (pager->starved)
			wake(pager);
	}
	pthread_mutex_unlock(&pager->lock);
}

int mx_pager_check(struct mx_pager *pager, uint32_t index, struct mx_err *err)
{
	const struct file *file = pager->files[index];
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
