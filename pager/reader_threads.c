/*
 * The "threads" and "sync" back ends: a queue of reads, done by threads of
 * our own or by the owner when it waits.
 *
 * Invariants under the lock: pending[] holds reads nobody has taken, done[]
 * completions nobody has collected; both are rings of MX_READS_MAX, which the
 * depth keeps from overflowing.
 */
#include "pager/reader_impl.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"

struct pool {
	struct mx_reader base;
	pthread_mutex_t lock;
	pthread_cond_t work; /* pending or stopping */
	pthread_cond_t news; /* done or woken */
	/* guarded by lock */
	struct mx_read pending[MX_READS_MAX];
	uint32_t pending_first;
	uint32_t pending_count;
	struct mx_read_done done[MX_READS_MAX];
	uint32_t done_first;
	uint32_t done_count;
	int woken;
	int stopping;

	uint32_t thread_count; /* 0: sync */
	pthread_t threads[MX_READS_MAX];
};

static int pop_pending(struct pool *pool, struct mx_read *read)
{
	if (pool->pending_count == 0)
		return 0;
	*read = pool->pending[pool->pending_first];
	pool->pending_first = (pool->pending_first + 1) % MX_READS_MAX;
	pool->pending_count--;
	return 1;
}

static void push_done(struct pool *pool, const struct mx_read *read,
		      int64_t result)
{
	struct mx_read_done *done =
		&pool->done[(pool->done_first + pool->done_count) %
			    MX_READS_MAX];

	done->tag = read->tag;
	done->result = result;
	pool->done_count++;
	pthread_cond_signal(&pool->news);
}

static void *serve(void *user)
{
	struct pool *pool = user;
	struct mx_read read;
	int64_t result;

	pthread_mutex_lock(&pool->lock);
	for (;;) {
		if (pop_pending(pool, &read)) {
			pthread_mutex_unlock(&pool->lock);
			result = mx_read_now(&read);
			pthread_mutex_lock(&pool->lock);
			push_done(pool, &read, result);
			continue;
		}
		if (pool->stopping)
			break;
		pthread_cond_wait(&pool->work, &pool->lock);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

static void pool_close(struct mx_reader *reader)
{
	struct pool *pool = (struct pool *)reader;
	uint32_t i;

	pthread_mutex_lock(&pool->lock);
	pool->stopping = 1;
	pthread_cond_broadcast(&pool->work);
	pthread_mutex_unlock(&pool->lock);
	for (i = 0; i < pool->thread_count; i++)
		pthread_join(pool->threads[i], NULL);
	pthread_mutex_destroy(&pool->lock);
	pthread_cond_destroy(&pool->work);
	pthread_cond_destroy(&pool->news);
	free(pool);
}

static int pool_open(struct mx_reader **out, const struct mx_reader_opts *opts,
		     const struct mx_reader_ops *ops, uint32_t threads,
		     struct mx_err *err)
{
	struct pool *pool;
	int rc;

	pool = calloc(1, sizeof(*pool));
	if (!pool)
		return mx_fail(err, ENOMEM, "no memory for a reader");
	pool->base.ops = ops;
	pool->base.depth = opts->depth;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->work, NULL);
	pthread_cond_init(&pool->news, NULL);
	while (pool->thread_count < threads) {
		rc = pthread_create(&pool->threads[pool->thread_count], NULL,
				    serve, pool);
		if (rc) {
			pool_close(&pool->base);
			return mx_fail(err, rc, "cannot start a reader: %s",
				       strerror(rc));
		}
		pool->thread_count++;
	}
	*out = &pool->base;
	return 0;
}

static int threads_open(struct mx_reader **out,
			const struct mx_reader_opts *opts, struct mx_err *err)
{
	return pool_open(out, opts, &mx_reader_threads, opts->depth, err);
}

static int sync_open(struct mx_reader **out, const struct mx_reader_opts *opts,
		     struct mx_err *err)
{
	return pool_open(out, opts, &mx_reader_sync, 0, err);
}

static int pool_submit(struct mx_reader *reader, const struct mx_read *read)
{
	struct pool *pool = (struct pool *)reader;

	pthread_mutex_lock(&pool->lock);
	pool->pending[(pool->pending_first + pool->pending_count) %
		      MX_READS_MAX] = *read;
	pool->pending_count++;
	pthread_cond_signal(&pool->work);
	pthread_mutex_unlock(&pool->lock);
	return 0;
}

/* The lock is held; whatever is done goes to @done. */
static int collect(struct pool *pool, struct mx_read_done *done, size_t room)
{
	int count = 0;

	while (pool->done_count && (size_t)count < room) {
		done[count++] = pool->done[pool->done_first];
		pool->done_first = (pool->done_first + 1) % MX_READS_MAX;
		pool->done_count--;
	}
	pool->woken = 0;
	return count;
}

static int threads_wait(struct mx_reader *reader, struct mx_read_done *done,
			size_t room)
{
	struct pool *pool = (struct pool *)reader;
	int count;

	pthread_mutex_lock(&pool->lock);
	while (pool->done_count == 0 && !pool->woken)
		pthread_cond_wait(&pool->news, &pool->lock);
	count = collect(pool, done, room);
	pthread_mutex_unlock(&pool->lock);
	return count;
}

static int sync_wait(struct mx_reader *reader, struct mx_read_done *done,
		     size_t room)
{
	struct pool *pool = (struct pool *)reader;
	struct mx_read read;
	int64_t result;
	int count;

	pthread_mutex_lock(&pool->lock);
	if (pop_pending(pool, &read)) {
		pthread_mutex_unlock(&pool->lock);
		result = mx_read_now(&read);
		pthread_mutex_lock(&pool->lock);
		push_done(pool, &read, result);
	}
	while (pool->done_count == 0 && !pool->woken)
		pthread_cond_wait(&pool->news, &pool->lock);
	count = collect(pool, done, room);
	pthread_mutex_unlock(&pool->lock);
	return count;
}

static void pool_wake(struct mx_reader *reader)
{
	struct pool *pool = (struct pool *)reader;

	pthread_mutex_lock(&pool->lock);
	pool->woken = 1;
	pthread_cond_signal(&pool->news);
	pthread_mutex_unlock(&pool->lock);
}

const struct mx_reader_ops mx_reader_threads = {
	.name = "threads",
	.open = threads_open,
	.close = pool_close,
	.submit = pool_submit,
	.wait = threads_wait,
	.wake = pool_wake,
};

const struct mx_reader_ops mx_reader_sync = {
	.name = "sync",
	.open = sync_open,
	.close = pool_close,
	.submit = pool_submit,
	.wait = sync_wait,
	.wake = pool_wake,
};
