#include "cli/array.h"

#include <math.h>
#include <stdlib.h>

void mx_array_fini(struct mx_array *array)
{
	free(array->data);
	*array = (struct mx_array){.data = NULL};
}

void mx_array_compare(const float *got, const float *want, size_t count,
		      double rtol, double atol, struct mx_array_difference *out)
{
	double difference;
	size_t i;

	*out = (struct mx_array_difference){.worst = -1};
	for (i = 0; i < count; i++) {
		/* Equal infinities differ by NaN, so they go first. */
		if (got[i] == want[i] || (isnan(got[i]) && isnan(want[i])))
			difference = 0;
		else if (isnan(got[i]) || isnan(want[i]))
			difference = INFINITY;
		else
			difference = fabs((double)got[i] - (double)want[i]);
		if (difference > 0 &&
		    (isinf(want[i]) ||
		     !(difference <= atol + rtol * fabs((double)want[i]))))
			out->bad_count++;
		if (difference > out->worst) {
			out->worst = difference;
			out->worst_index = i;
			out->got = got[i];
			out->want = want[i];
		}
	}
	if (out->worst < 0)
		out->worst = 0;
}
