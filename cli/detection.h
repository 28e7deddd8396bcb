/*
 * From a detector's outputs to detections: each format's boxes and scores, a
 * threshold, non-maximum suppression.
 */
#ifndef MX_CLI_DETECTION_H
#define MX_CLI_DETECTION_H

#include <stddef.h>
#include <stdint.h>

#include "cli/photo.h"

struct mx_err;
struct mx_network;
struct mx_result;

enum mx_detect_format {
	/* boxes [N, 4]: left, top, right, bottom; scores [N, classes] */
	MX_DETECT_CORNERS,
	/* boxes [N, 4]: middle's x and y, width, height; scores as above */
	MX_DETECT_CENTER,
	/* One output [N, 7], as Caffe's DetectionOutput: image (below 0: no
	 * row), class, score, left, top, right, bottom */
	MX_DETECT_ROWS,
	/* One output [N, 5 + classes], as YOLOX (Ge et al., 2021) without its
	 * decoding: over grids of strides 8, 16, 32, row by row, the middle's
	 * offset from the cell and the logarithm of the size, in cells, then
	 * objectness and class scores, which are multiplied */
	MX_DETECT_YOLOX,
};

#define MX_BACKGROUND_NONE UINT32_MAX

struct mx_detect_opts {
	enum mx_detect_format format;
	uint32_t scores; /* output; ROWS, YOLOX: that has all */
	uint32_t boxes; /* output */
	/* The class that is none, which CORNERS and CENTER may have. */
	uint32_t background;
	int in_pixels; /* boxes are in the input's pixels, not shares of it */
	float threshold; /* the least score */
	/* Of two boxes of one class whose intersection is more than this share
	 * of their union the better one stays; 1: both. */
	float overlap;
	uint32_t most; /* detections at most, the best ones; at least 1 */
	const uint32_t *only; /* classes that count */
	size_t only_count; /* 0: all */
};

struct mx_detection {
	uint32_t class_index;
	float score;
	struct mx_area area; /* in the input's pixels, inside */
};

struct mx_detector {
	struct mx_detect_opts opts;
	size_t row_count;
	size_t class_count; /* 0: the rows say it (ROWS) */
	double width; /* of the input */
	double height;
	struct mx_detection *candidates; /* row_count */
};

/*
 * @net's outputs are those that @opts says. mx_detector_fini() ends it; what
 * @opts points to outlives it. Returns 0; -EBADMSG if the outputs have other
 * shapes, or the first input no height and width; -ENOMEM.
 */
int mx_detector_init(struct mx_detector *detector,
		     const struct mx_detect_opts *opts,
		     const struct mx_network *net, struct mx_err *err);
void mx_detector_fini(struct mx_detector *detector);

/*
 * The detections among the values of the two outputs (the same pointer twice
 * where there is one), best first, of equal ones the first row, into @out,
 * which has room for opts.most. Boxes are cut to the input; what is no box
 * (empty, not finite) is none. Returns how many.
 */
uint32_t mx_detector_run(struct mx_detector *detector, const float *scores,
			 const float *boxes, struct mx_detection *out);

#endif
