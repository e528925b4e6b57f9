/* optimizer_step: one optimiser step over flat arrays of n ≥ 0 parameters. Parameters are
 * independent, and the only sum is added in fixed chunks, so the result does not depend on the
 * number of threads. Formulas and defaults are PyTorch's, so that learning curves are comparable.
 * The arrays of a call do not overlap. */
#ifndef AN_KERNEL_POINTWISE_OPTIMIZER_STEP_H
#define AN_KERNEL_POINTWISE_OPTIMIZER_STEP_H

#include <stdbool.h>
#include <stdint.h>

/* Work that shares the step's pass over memory: the gradient is multiplied by gradient_scale (for
 * clipping), and an exponential moving average of the new parameters, ema (n), is updated:
 * ema ← ema_decay·ema + (1−ema_decay)·p. ema NULL: no average. */
typedef struct {
    double gradient_scale;
    float *ema;
    double ema_decay; /* in [0, 1] */
} an_step_extras;

typedef struct {
    double lr, beta1, beta2, eps;
    double decay; /* decoupled weight decay: p ← (1 − lr·decay)·p */
    int64_t t;    /* number of this step, ≥ 1                     */
    an_step_extras with;
} an_adamw_args;

/* AdamW (Loshchilov & Hutter, 1711.05101, algorithm 2): m and v (n), zero before the first step,
 * are the moments of g: p −= lr·decay·p; m ← β1·m + (1−β1)·g; v ← β2·v + (1−β2)·g²;
 * p −= lr·(m/(1−β1^t)) / (√(v/(1−β2^t)) + eps). */
void an_k_adamw(float *p, const float *g, float *m, float *v, int64_t n, const an_adamw_args *args);

typedef struct {
    double lr, momentum;
    double decay; /* added to the gradient: L2 regularisation         */
    bool nesterov;
    bool first; /* the first step: buf is cleared, then accumulates */
    an_step_extras with;
} an_sgd_args;

/* SGD with momentum: g ← g + decay·p;  buf ← momentum·buf + g;
 * p −= lr·buf, or lr·(g + momentum·buf) with nesterov. buf (n) may be NULL if momentum is 0. */
void an_k_sgd(float *p, const float *g, float *buf, int64_t n, const an_sgd_args *args);

/* average ← decay·average + (1−decay)·p, the exponential moving average of the weights; decay in
 * [0, 1]. */
void an_k_ema(float *average, const float *p, double decay, int64_t n);

double an_k_sum_squares(const float *g, int64_t n);  /* Σ g², in double        */
void an_k_scale(float *g, double factor, int64_t n); /* g ← factor·g, in float */

#endif
