/*
 * The table is the process's, as the signal is. A slot is claimed by its size
 * (0: free, CLAIMED: being filled in); the handler reads it without a lock, so
 * `size_bytes` is stored last (release) and read first (acquire).
 */
#include "pager/sigbus.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/err.h"

#define CLAIMED SIZE_MAX
#define NO_HIT UINT64_MAX

struct range {
	atomic_size_t size_bytes;
	atomic_uintptr_t base;
	atomic_uint_fast64_t hit;
};

static struct range ranges[MX_SIGBUS_RANGES_MAX];
static struct sigaction before;
static uintptr_t page_bytes;
static pthread_mutex_t install_lock = PTHREAD_MUTEX_INITIALIZER;
static int is_installed;

static struct range *range_of(uintptr_t address)
{
	size_t i;

	for (i = 0; i < MX_SIGBUS_RANGES_MAX; i++) {
		const size_t size = atomic_load_explicit(&ranges[i].size_bytes,
							 memory_order_acquire);
		const uintptr_t base = atomic_load_explicit(
			&ranges[i].base, memory_order_relaxed);

		if (size && size != CLAIMED && address >= base &&
		    address - base < size)
			return &ranges[i];
	}
	return NULL;
}

static void note(struct range *range, uint64_t offset)
{
	uint_fast64_t known =
		atomic_load_explicit(&range->hit, memory_order_relaxed);

	while (offset < known &&
	       !atomic_compare_exchange_weak_explicit(
		       &range->hit, &known, offset, memory_order_release,
		       memory_order_relaxed))
		;
}

static void handle(int signal_number, siginfo_t *info, void *context)
{
	const int saved = errno;
	const uintptr_t address = (uintptr_t)info->si_addr;
	const uintptr_t page = address & ~(page_bytes - 1);
	struct range *range = range_of(address);

	(void)signal_number;
	(void)context;
	if (range &&
	    mmap((void *)page, page_bytes, PROT_READ,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED)
		note(range, page - atomic_load_explicit(&range->base,
							memory_order_relaxed));
	else
		/* Not ours: the access is made again and meets its handler. */
		sigaction(SIGBUS, &before, NULL);
	errno = saved;
}

int mx_sigbus_install(struct mx_err *err)
{
	struct sigaction action = {.sa_sigaction = handle};
	int rc = 0;

	pthread_mutex_lock(&install_lock);
	if (!is_installed) {
		page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
		action.sa_flags = SA_SIGINFO | SA_RESTART;
		sigemptyset(&action.sa_mask);
		if (sigaction(SIGBUS, &action, &before) < 0)
			rc = mx_fail_errno(err, "SIGBUS cannot be taken");
		else
			is_installed = 1;
	}
	pthread_mutex_unlock(&install_lock);
	return rc;
}

int mx_sigbus_watch(const void *base, size_t size_bytes)
{
	size_t i;

	assert(size_bytes > 0 && size_bytes != CLAIMED);
	for (i = 0; i < MX_SIGBUS_RANGES_MAX; i++) {
		size_t free_size = 0;

		if (!atomic_compare_exchange_strong_explicit(
			    &ranges[i].size_bytes, &free_size, CLAIMED,
			    memory_order_acquire, memory_order_relaxed))
			continue;
		atomic_store_explicit(&ranges[i].base, (uintptr_t)base,
				      memory_order_relaxed);
		atomic_store_explicit(&ranges[i].hit, NO_HIT,
				      memory_order_relaxed);
		atomic_store_explicit(&ranges[i].size_bytes, size_bytes,
				      memory_order_release);
		return (int)i;
	}
	return -ENOSPC;
}

void mx_sigbus_forget(int range)
{
	if (range >= 0)
		atomic_store_explicit(&ranges[range].size_bytes, 0,
				      memory_order_release);
}

int mx_sigbus_hit(int range, uint64_t *offset_bytes)
{
	uint_fast64_t hit;

	if (range < 0)
		return 0;
	hit = atomic_load_explicit(&ranges[range].hit, memory_order_acquire);
	if (hit == NO_HIT)
		return 0;
	*offset_bytes = hit;
	return 1;
}
