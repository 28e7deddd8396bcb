/*
 * A user of a pager, who wants units of some networks and keeps account of
 * them as the engine does.
 */
#ifndef MX_TESTS_PAGER_FIXTURE_H
#define MX_TESTS_PAGER_FIXTURE_H

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "pager/pager.h"
#include "pager/slab.h"
#include "pager/units.h"
#include "tests/weights_fixture.h"

struct user {
	pthread_mutex_t lock;
	pthread_cond_t news;
	struct mx_slab slab;
	struct mx_pager *pager;
	/* guarded by lock */
	struct mx_residency *residency;
	struct mx_unit_ref *wanted; /* to read, in this order */
	uint32_t wanted_count;
	uint32_t next; /* of wanted[] */
	uint32_t awaited_count; /* the first ones of wanted[] */
	uint32_t asked_count;
	uint32_t flying;
	uint32_t flying_most;
	uint64_t loaded_bytes;
};

static inline int next_read(void *data, struct mx_pager_read *out)
{
	struct user *user = data;
	int found = 0;

	pthread_mutex_lock(&user->lock);
	user->asked_count++;
	if (user->next < user->wanted_count &&
	    mx_residency_state(user->residency, user->wanted[user->next]) ==
		    MX_UNIT_ABSENT &&
	    mx_residency_load(user->residency, user->wanted[user->next], 0) ==
		    0) {
		out->is_awaited = user->next < user->awaited_count;
		out->ref = user->wanted[user->next++];
		out->offset_bytes =
			mx_residency_offset(user->residency, out->ref);
		found = 1;
		if (++user->flying > user->flying_most)
			user->flying_most = user->flying;
	}
	pthread_mutex_unlock(&user->lock);
	return found;
}

static inline void hear_loaded(void *data, struct mx_unit_ref unit, int status,
			       uint64_t size_bytes)
{
	struct user *user = data;

	pthread_mutex_lock(&user->lock);
	mx_residency_loaded(user->residency, unit, status);
	user->loaded_bytes += size_bytes;
	user->flying--;
	pthread_cond_broadcast(&user->news);
	pthread_mutex_unlock(&user->lock);
}

/* Nothing goes by itself: only what is dropped. */
static inline uint64_t next_use(void *data, struct mx_unit_ref unit)
{
	(void)data;
	(void)unit;
	return 0;
}

/* @bytes of memory (0: mapped). Returns 0 where there is no such back end. */
static inline int user_open(struct user *user, const char *io, size_t bytes,
			    const struct mx_log *log)
{
	const struct mx_residency_opts residency = {
		.capacity_bytes = bytes ? bytes : MX_RESIDENCY_UNLIMITED,
		.next_use = next_use,
	};
	struct mx_pager_opts opts = {
		.io = io,
		.log = log,
		.next = next_read,
		.loaded = hear_loaded,
		.user = user,
	};
	struct mx_err err = {""};
	int rc;

	memset(user, 0, sizeof(*user));
	assert_int_equal(pthread_mutex_init(&user->lock, NULL), 0);
	assert_int_equal(pthread_cond_init(&user->news, NULL), 0);
	assert_int_equal(mx_slab_init(&user->slab, bytes, NULL), 0);
	assert_int_equal(mx_residency_new(&user->residency, &residency, NULL),
			 0);
	opts.memory = user->slab.memory;
	opts.memory_bytes = user->slab.size_bytes;
	rc = mx_pager_open(&user->pager, &opts, &err);
	if (rc == -ENOSYS) {
		print_message("not tested here: %s: %s\n", io, err.text);
		mx_residency_free(user->residency);
		mx_slab_fini(&user->slab);
		return 0;
	}
	assert_int_equal(rc, 0);
	return 1;
}

static inline void user_close(struct user *user)
{
	mx_pager_close(user->pager);
	assert_int_equal(user->flying, 0);
	mx_residency_assert_ok(user->residency);
	mx_residency_free(user->residency);
	mx_slab_fini(&user->slab);
	free(user->wanted);
	pthread_cond_destroy(&user->news);
	pthread_mutex_destroy(&user->lock);
}

static inline void user_add(struct user *user, const struct mx_network *net,
			    uint32_t index, const unsigned char *pinned)
{
	const struct mx_units *units;
	uint64_t *sizes;
	uint32_t i;

	assert_int_equal(mx_pager_add(user->pager, net, NULL), 0);
	units = mx_pager_units(user->pager, index);
	sizes = calloc((size_t)units->count + 1, sizeof(*sizes));
	assert_non_null(sizes);
	for (i = 0; i < units->count; i++)
		sizes[i] = units->unit[i].size_bytes;
	assert_int_equal(mx_residency_add(user->residency, sizes, units->count,
					  pinned, NULL),
			 0);
	free(sizes);
}

/* Want all units of network @net that are not there once more; tell nobody. */
static inline void want(struct user *user, uint32_t net)
{
	const uint32_t count = mx_pager_units(user->pager, net)->count;
	uint32_t i;

	pthread_mutex_lock(&user->lock);
	user->wanted =
		realloc(user->wanted, ((size_t)user->wanted_count + count) *
					      sizeof(*user->wanted));
	assert_non_null(user->wanted);
	for (i = 0; i < count; i++) {
		const struct mx_unit_ref unit = {net, i};

		if (mx_residency_state(user->residency, unit) == MX_UNIT_ABSENT)
			user->wanted[user->wanted_count++] = unit;
	}
	pthread_mutex_unlock(&user->lock);
}

/* Until it is there or has failed: 0 or its status. */
static inline int wait_for(struct user *user, struct mx_unit_ref unit)
{
	enum mx_unit_state state;
	int status;

	pthread_mutex_lock(&user->lock);
	while ((state = mx_residency_state(user->residency, unit)) !=
		       MX_UNIT_RESIDENT &&
	       state != MX_UNIT_FAILED)
		pthread_cond_wait(&user->news, &user->lock);
	status = state == MX_UNIT_FAILED
			 ? mx_residency_status(user->residency, unit)
			 : 0;
	pthread_mutex_unlock(&user->lock);
	return status;
}

static inline void drop(struct user *user, struct mx_unit_ref unit)
{
	pthread_mutex_lock(&user->lock);
	mx_residency_drop(user->residency, unit);
	mx_pager_wake(user->pager);
	pthread_mutex_unlock(&user->lock);
}

static inline const unsigned char *address(struct user *user, uint32_t net,
					   uint32_t slice)
{
	const struct mx_unit_ref unit = {
		net, mx_pager_units(user->pager, net)->of_slice[slice]};
	uint64_t offset;

	pthread_mutex_lock(&user->lock);
	offset = mx_residency_offset(user->residency, unit);
	pthread_mutex_unlock(&user->lock);
	return mx_pager_address(user->pager, net, slice, offset);
}

/* Read network @net from end to end, look at every byte, let go of it. */
static inline void pass(struct user *user, const struct weights_fixture *fx,
			uint32_t net)
{
	const struct mx_units *units = mx_pager_units(user->pager, net);
	uint32_t i, k;

	want(user, net);
	mx_pager_wake(user->pager);
	for (i = 0; i < units->count; i++) {
		const struct mx_unit_ref unit = {net, i};
		const struct mx_unit *where = &units->unit[i];

		assert_int_equal(wait_for(user, unit), 0);
		for (k = 0; k < where->slice_count; k++)
			assert_slice(
				fx, where->first_slice + k,
				address(user, net, where->first_slice + k));
		drop(user, unit);
	}
}

#endif
