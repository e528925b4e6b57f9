/* optimizer_step: one optimiser step over flat arrays of n parameters. Every parameter is its own,
 * so the result does not depend on the thread count; the one sum is added in fixed
 * chunks. Formulas and defaults are PyTorch's, so that learning curves compare. */
#ifndef AN_KERNEL_POINTWISE_OPTIMIZER_STEP_H
#define AN_KERNEL_POINTWISE_OPTIMIZER_STEP_H

#include <stdbool.h>
#include <stdint.h>

/* What goes with a step in the same pass over memory: the gradient counts `scale` times (how
 * clipping is applied), and an average e (n) [opt] follows the new parameters,
 * e ← keep·e + (1−keep)·p. */
typedef struct {
    double scale;
    float *e;
    double keep;
} an_step_extras;

typedef struct {
    double lr, beta1, beta2, eps;
    double decay; /* decoupled weight decay: p shrinks by lr·decay */
    int64_t t;    /* number of this step, from 1                   */
    an_step_extras with;
} an_adamw_args;

/* AdamW (1711.05101): m and v (n), zero before the first step, are the moments of g:
 * p −= lr·decay·p;  m ← β1·m + (1−β1)·g;  v ← β2·v + (1−β2)·g²;
 * p −= lr·(m/(1−β1^t)) / (√(v/(1−β2^t)) + eps). */
void an_k_adamw(float *p, const float *g, float *m, float *v, int64_t n, const an_adamw_args *args);

typedef struct {
    double lr, momentum;
    double decay; /* added to the gradient: L2 regularisation         */
    bool nesterov;
    bool first; /* the first step: buf is set to the gradient       */
    an_step_extras with;
} an_sgd_args;

/* SGD with momentum: g ← g + decay·p;  buf ← momentum·buf + g;
 * p −= lr·buf, or lr·(g + momentum·buf) with nesterov. buf (n) may be NULL if momentum is 0. */
void an_k_sgd(float *p, const float *g, float *buf, int64_t n, const an_sgd_args *args);

/* e ← decay·e + (1−decay)·p, the exponential moving average of the weights. */
void an_k_ema(float *e, const float *p, double decay, int64_t n);

double an_k_sum_squares(const float *g, int64_t n);  /* Σ g², in double */
void an_k_scale(float *g, double factor, int64_t n); /* g ← factor·g    */

#endif
