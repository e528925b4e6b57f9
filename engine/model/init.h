/* init: the distribution a new parameter is drawn from.
 *
 * A parameter's first value is a pure function of the module's seed and the parameter's
 * name: adding a layer, or building in another order, changes no other layer. */
#ifndef AN_MODEL_INIT_H
#define AN_MODEL_INIT_H

#include "tensor/tensor.h"

typedef enum { AN_INIT_CONSTANT, AN_INIT_UNIFORM, AN_INIT_NORMAL } an_init_kind;

/* CONSTANT: every element is `scale`. UNIFORM: in [low, low + scale). NORMAL: mean `low`,
 * standard deviation `scale`. */
typedef struct {
    an_init_kind kind;
    double scale, low;
} an_init;

an_init an_init_constant(double value);
an_init an_init_uniform(double low, double high);
an_init an_init_normal(double deviation); /* mean 0 */

/* Uniform in ±1/√fan_in: Kaiming's uniform law with a = √5 for a weight, and the law of
 * its bias; what PyTorch gives Linear and Conv2d (1502.01852, eq. 10, with that a). */
an_init an_init_fan_in(int64_t fan_in);

/* Normal with deviation √(2/fan_out): Kaiming's normal law for a convolution before a
 * ReLU (1502.01852, eq. 14); fan_out = outputs · kernel height · kernel width. */
an_init an_init_fan_out(int64_t fan_out);

/* Fills the contiguous float32 tensor x at the addresses (seed, stream of `name`). */
void an_init_fill(an_tensor *x, an_init init, uint64_t seed, const char *name);

#endif
