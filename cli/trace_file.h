/*
 * A trace as a file for viewers: Chrome's trace event JSON, which Perfetto and
 * chrome://tracing open. Networks are its processes, workers and the reads of
 * the network are their threads, jobs are spans of their own; counters say
 * what is in use of the ledger, and what the process is charged for.
 */
#ifndef MX_CLI_TRACE_FILE_H
#define MX_CLI_TRACE_FILE_H

#include <stdint.h>
#include <stdio.h>

struct mx_err;
struct mx_network;
struct mx_trace;

struct mx_trace_page {
	const struct mx_trace *trace;
	const char *const *names; /* of the networks, as the trace's */
	const struct mx_network *const *nets;
	uint32_t net_count;
	const char *policy;
	int simulated;
	uint64_t budget_bytes; /* 0: none */
	/* Of the ledger, beside weights and activations. */
	uint64_t base_bytes;
	int walled; /* charges are a cgroup's, else anonymous memory */
	uint64_t begin_ns; /* is 0 in the file; what was before it, too */
};

/* Could a file be written to @path? Returns 0 or -errno. */
int mx_trace_file_check(const char *path, struct mx_err *err);

/*
 * Write it: beside its place, renamed when it is whole, so that nobody ever
 * finds a part of it; a pipe or a device is written to. Returns 0 or -errno.
 */
int mx_trace_file_write(const struct mx_trace_page *page, const char *path,
			struct mx_err *err);

/* The same to a stream; what it could not write the stream remembers. */
void mx_trace_file_print(const struct mx_trace_page *page, FILE *out);

#endif
