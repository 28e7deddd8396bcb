/*
 * Activations that an operator can apply to its own output while it is in
 * cache. The same functions are operators of their own when nothing can take
 * them in.
 */
#ifndef MX_LIB_ACTIVATION_H
#define MX_LIB_ACTIVATION_H

#include <stddef.h>

struct mx_attrs;
struct mx_err;

/* Stored in models: never renumber. */
enum mx_activation_kind {
	MX_ACTIVATION_NONE = 0,
	MX_ACTIVATION_RELU = 1, /* x > 0 ? x : a * x */
	MX_ACTIVATION_CLIP = 2, /* min(max(x, a), b) */
	MX_ACTIVATION_SIGMOID = 3,
	MX_ACTIVATION_TANH = 4,
	MX_ACTIVATION_ELU = 5, /* x > 0 ? x : a * (exp(x) - 1) */
	MX_ACTIVATION_HARD_SIGMOID = 6, /* clip(a * x + b, 0, 1) */
	MX_ACTIVATION_HARD_SWISH = 7, /* x * clip(x / 6 + 0.5, 0, 1) */
	MX_ACTIVATION_SILU = 8, /* x * sigmoid(x) */
	MX_ACTIVATION_PRELU = 9, /* x > 0 ? x : slope[channel] * x; the slopes
				    are the layer's last weight vector */
	MX_ACTIVATION_COUNT
};

struct mx_activation {
	enum mx_activation_kind kind;
	float a;
	float b;
};

/* Attribute names: "activation" (the kind), "activation_ab" (two floats). */
#define MX_ATTR_ACTIVATION "activation"
#define MX_ATTR_ACTIVATION_AB "activation_ab"

/* Decode the attributes; absent is NONE. Returns 0 or -EBADMSG. */
int mx_activation_bind(struct mx_activation *act, const struct mx_attrs *attrs,
		       struct mx_err *err);

/* Encode. Returns 0 or -ENOMEM. */
int mx_activation_store(const struct mx_activation *act,
			struct mx_attrs *attrs);

/* The clamp that @act comes to, to *@low and *@high. Returns 1 if that is all
 * of it; if not, they are infinite. */
int mx_activation_clamp(const struct mx_activation *act, float *low,
			float *high);

#endif
