/*
 * What the kernel counts for this process.
 */
#ifndef MX_SCHED_PROCESS_H
#define MX_SCHED_PROCESS_H

#include <stdint.h>

/*
 * The number after @key in text of the form "Key: 12 kB\n...", as in
 * /proc/self/io and /proc/self/status. Returns 0 and *@out (the plain number),
 * or -ENOENT.
 */
int mx_process_field(const char *text, const char *key, uint64_t *out);

/* Bytes this process has caused to be read from storage; 0 if the kernel does
 * not count them. */
uint64_t mx_process_read_bytes(void);

/* Anonymous memory this process holds now, in bytes; 0 if unknown. */
uint64_t mx_process_anonymous_bytes(void);

/*
 * What this process is charged for before activations, scratch and weights:
 * its anonymous memory and page tables now, and what @threads workers and the
 * pager will add (stacks, OpenBLAS's packing buffers, the kernel's side). To
 * be asked when networks are open and OpenBLAS is loaded.
 */
uint64_t mx_process_fixed_bytes(uint32_t threads);

#endif
