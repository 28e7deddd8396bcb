/* The back ends' table. A back end's struct begins with struct mx_reader. */
#ifndef MX_PAGER_READER_IMPL_H
#define MX_PAGER_READER_IMPL_H

#include "pager/reader.h"

struct mx_reader_ops {
	const char *name;
	int (*open)(struct mx_reader **out, const struct mx_reader_opts *opts,
		    struct mx_err *err);
	void (*close)(struct mx_reader *reader);
	int (*submit)(struct mx_reader *reader, const struct mx_read *read);
	int (*wait)(struct mx_reader *reader, struct mx_read_done *done,
		    size_t room);
	void (*wake)(struct mx_reader *reader);
};

struct mx_reader {
	const struct mx_reader_ops *ops;
	uint32_t depth;
	uint32_t in_flight; /* the owner's alone */
};

extern const struct mx_reader_ops mx_reader_uring;
extern const struct mx_reader_ops mx_reader_threads;
extern const struct mx_reader_ops mx_reader_sync;

/* Do one read on the calling thread: all of it, short reads continued.
 * Returns what struct mx_read_done wants. */
int64_t mx_read_now(const struct mx_read *read);

#endif
