/*
 * Where and when a thread runs. Each is a wish: a system that refuses changes
 * nothing but time.
 */
#ifndef MX_LIB_THREAD_H
#define MX_LIB_THREAD_H

#include <stdint.h>

/*
 * The calling thread has little to do at a time, and others wait for it: run
 * it as soon as it wakes. Where the process may (root, CAP_SYS_NICE,
 * RLIMIT_RTPRIO) it becomes SCHED_FIFO of the least priority, and what it
 * starts does not; anywhere, from Linux 6.12 on, it gets a short time slice,
 * with which it comes before threads of longer ones, but for one that it has
 * just woken. (Niceness does not help: who has run just now may have to let
 * others go first, whatever its weight.) A thread of another policy than
 * SCHED_OTHER is left alone.
 */
void mx_thread_be_prompt(void);

/*
 * The calling thread is number @index of @count that compute together: if
 * these are as many as the CPUs that the thread may run on, it stays on one of
 * its own. (A kernel that wakes two threads at once may put both on the CPU
 * that is idle just then, and leave them there for milliseconds.) With any
 * other number the kernel decides.
 */
void mx_thread_settle(uint32_t index, uint32_t count);

#endif
