/*
 * An experiment file of the reference (YAML): which networks run on which
 * pictures when, under which policy and memory limit.
 *
 * Keys that count: tag, mode (the policy), mem_limit, n-workers, memory-key
 * (for --masa-profile=description), n-arrivals,
 * arrival-mode, network-path, resources-path, wait-for-network-output,
 * force-input-label, arrivals. Each arrival has pathToData (a picture), time
 * (the gap in ms before it; with arrival-mode batch after the last job has
 * ended) and networks, each with networkName, pathToNetwork, data-label
 * (values that stand for its output) and relation (depends on a network
 * before it; condition LABEL: {gt|lt|geq|leq|eq: V} on that one's labels: when
 * it holds the network is skipped). Other keys are named in the log.
 */
#ifndef MX_CLI_EXPERIMENT_H
#define MX_CLI_EXPERIMENT_H

#include <stddef.h>
#include <stdint.h>

#include "sched/script.h"

struct mx_err;
struct mx_log;

#define MX_PICTURE_NONE UINT32_MAX

struct mx_experiment {
	char *tag; /* the file's name where it says none */
	char *policy; /* NULL: none is named */
	uint64_t memory_bytes; /* 0: no limit is named */
	uint32_t workers; /* 0: not named */
	char *memory_key; /* which published peak masa goes by; NULL: not named
			   */
	char *networks_path; /* where they are; NULL: not named */
	char *pictures_path;
	char **networks; /* each once, in order of appearance */
	uint32_t network_count;
	char **pictures;
	uint32_t picture_count;
	struct mx_script script; /* its nets are indices into networks */
	uint32_t *picture; /* of each arrival, or MX_PICTURE_NONE */
};

/*
 * Read the file at @path, at most @count of its arrivals (0: all).
 * mx_experiment_fini() ends it. Returns 0; -EBADMSG with file and line;
 * -ENOMEM; or as mx_file_read().
 */
int mx_experiment_read(struct mx_experiment *out, const char *path,
		       uint32_t count, const struct mx_log *log,
		       struct mx_err *err);

void mx_experiment_fini(struct mx_experiment *experiment);

/* What a file is called that does not say it: "dir/NAME.exp.yaml" and
 * "dir/NAME.yaml" are NAME. Heap, the caller's; NULL: out of memory. */
char *mx_experiment_name(const char *path);

#endif
