#include "lib/thread.h"

#include <sched.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The least that the kernel takes. */
#define SLICE_NS 100000
#define RESET_ON_FORK 1

/* The kernel's struct sched_attr as it first was; not every C library has it,
 * and the kernel's header defines what <sched.h> does too. */
struct attr {
	uint32_t size;
	uint32_t policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime_ns;
	uint64_t deadline_ns;
	uint64_t period_ns;
};

void mx_thread_be_prompt(void)
{
	struct attr attr = {.size = 0};

	/* Who chose another policy for it meant that. */
	if (syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) ||
	    attr.policy != SCHED_OTHER)
		return;
	attr.runtime_ns = SLICE_NS;
	(void)syscall(SYS_sched_setattr, 0, &attr, 0);
	attr = (struct attr){
		.size = sizeof(attr),
		.policy = SCHED_FIFO,
		.flags = RESET_ON_FORK,
		.priority = 1,
	};
	(void)syscall(SYS_sched_setattr, 0, &attr, 0);
}

void mx_thread_settle(uint32_t index, uint32_t count)
{
	cpu_set_t may, own;
	uint32_t before = 0;
	size_t cpu;

	if (sched_getaffinity(0, sizeof(may), &may) ||
	    (uint32_t)CPU_COUNT(&may) != count)
		return;
	CPU_ZERO(&own);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &may) && before++ == index)
			CPU_SET(cpu, &own);
	(void)sched_setaffinity(0, sizeof(own), &own);
}
