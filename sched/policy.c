#include "sched/policy.h"

#include <string.h>

/* In the order in which they are listed to people: the default first. */
static const struct mx_policy *const policies[] = {
	&mx_policy_foresight,  &mx_policy_fifo,		  &mx_policy_bulk,
	&mx_policy_multi_bulk, &mx_policy_linear,	  &mx_policy_partial,
	&mx_policy_deepeye,    &mx_policy_deepeye_frugal, &mx_policy_mema,
	&mx_policy_masa,
};

#define POLICY_COUNT (sizeof(policies) / sizeof(policies[0]))

const struct mx_policy *mx_policy_find(const char *name)
{
	size_t i;

	for (i = 0; i < POLICY_COUNT; i++)
		if (strcmp(policies[i]->name, name) == 0)
			return policies[i];
	return NULL;
}

const struct mx_policy *mx_policy_at(size_t index)
{
	return index < POLICY_COUNT ? policies[index] : NULL;
}
