/* init: the distribution from which a new parameter is drawn.
 *
 * The initial value of a parameter is a pure function of the module's seed and the parameter's
 * name, so adding a layer or building in another order does not change the other layers. */
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
an_init an_init_uniform(double low, double high); /* low ≤ high */
an_init an_init_normal(double deviation);         /* mean 0, deviation ≥ 0 */

/* Uniform in ±1/√fan_in, fan_in ≥ 1: PyTorch's default for the weight and the bias of Linear and
 * Conv2d (He et al., 1502.01852, eq. 10, with a = √5 for the weight). */
an_init an_init_fan_in(int64_t fan_in);

/* Normal with deviation √(2/fan_out), fan_out ≥ 1: for a convolution before a ReLU (He et al.,
 * 1502.01852, eq. 14); fan_out = outputs · kernel height · kernel width. */
an_init an_init_fan_out(int64_t fan_out);

/* Fills the contiguous float32 tensor x at the addresses (seed, stream of `name`). */
void an_init_fill(an_tensor *x, an_init init, uint64_t seed, const char *name);

#endif
