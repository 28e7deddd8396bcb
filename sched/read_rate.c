#include "sched/read_rate.h"

#include "sched/board.h"

/* One bad window must not make a policy believe anything at all. */
#define FACTOR_MAX 100.0

int mx_read_rate_add(struct mx_read_rate *rate, uint64_t bytes,
		     uint64_t expected_ns)
{
	rate->expected_ns += expected_ns;
	rate->bytes += bytes;
	return rate->bytes >= MX_READ_RATE_BYTES;
}

double mx_read_rate_judge(struct mx_read_rate *rate, uint64_t busy_ns)
{
	const double took = (double)(busy_ns - rate->busy_ns);
	double factor = took / ((double)rate->expected_ns + 1);

	*rate = (struct mx_read_rate){.busy_ns = busy_ns};
	if (factor < MX_READ_RATE_TOLERANCE &&
	    factor > 1 / MX_READ_RATE_TOLERANCE)
		return 1;
	if (factor > FACTOR_MAX)
		factor = FACTOR_MAX;
	if (factor < 1 / FACTOR_MAX)
		factor = 1 / FACTOR_MAX;
	return factor;
}

static uint64_t scaled(uint64_t ns, double factor)
{
	const double out = (double)ns * factor;

	return out < (double)(UINT64_MAX / 2) ? (uint64_t)out : UINT64_MAX / 2;
}

void mx_read_rate_apply(struct mx_board_net *net, double factor)
{
	uint32_t i;

	net->read_ns = scaled(net->read_ns, factor);
	for (i = 0; i < net->unit_count; i++)
		net->units[i].read_ns = scaled(net->units[i].read_ns, factor);
	for (i = 0; i < net->layer_count; i++)
		net->layers[i].read_ns = scaled(net->layers[i].read_ns, factor);
}
