/*
 * A feed: what goes into one network, as floats: files decoded, pictures
 * through the network's preprocessing, several samples counted.
 */
#ifndef MX_CLI_FEED_H
#define MX_CLI_FEED_H

#include <stddef.h>
#include <stdint.h>

#include "cli/array.h"

struct mx_err;
struct mx_network;

struct mx_feed {
	const struct mx_network *net;
	size_t sample_count; /* at least 1 */
	int counted; /* some input has said how many */
	struct mx_array *inputs; /* net->input_count; no data: the pattern */
};

/* Nothing but the pattern. mx_feed_fini() ends it; @net must outlive it.
 * Returns 0 or -ENOMEM. */
int mx_feed_init(struct mx_feed *feed, const struct mx_network *net,
		 struct mx_err *err);
void mx_feed_fini(struct mx_feed *feed);

/*
 * Give input @index its values. @array is taken (also on failure). Its shape
 * is the input's, but for leading ones, or has several times the input's first
 * dimension: several samples. @name is for messages.
 *
 * Returns 0 or -EINVAL (wrong shape, another number of samples than before).
 */
int mx_feed_set(struct mx_feed *feed, uint32_t index, struct mx_array *array,
		const char *name, struct mx_err *err);

/*
 * Give input @index a file: .npy, or a picture, told by content. Of a picture
 * "FILE[WxH+X+Y]" takes that part alone, such as a face.
 * Returns 0, -EINVAL, -EBADMSG, -ENOMEM or what reading it says.
 */
int mx_feed_load(struct mx_feed *feed, uint32_t index, const char *path,
		 struct mx_err *err);

/*
 * "F0,F1": a file for each input in order; an empty one stands for the
 * pattern. (A file whose own name has a comma can be the only one.)
 * Returns as mx_feed_load().
 */
int mx_feed_parse(struct mx_feed *feed, const char *spec, struct mx_err *err);

/* The values of sample @sample for each input (NULL: pattern) into @out,
 * which has room for net->input_count. */
void mx_feed_sample(const struct mx_feed *feed, size_t sample,
		    const float **out);

#endif
