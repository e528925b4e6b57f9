/* module: an ordered store of named parameters and buffers, later flat.
 *
 *     an_module *m = an_module_new(seed);
 *     … networks declare parameters and buffers in it (an_resnet_new, an_prior_new, …)
 *     an_module_seal(m);
 * Sealing moves all parameters into one flat float32 tensor with one flat gradient, and
 * all buffers into another flat tensor, so that an optimiser, EMA, clipping or a
 * checkpoint is one loop over one array. The tensors handed out before stay valid: they
 * become views of the flat ones. In the flat order the decayed parameters come first,
 * then the others, each in order of declaration. */
#ifndef AN_MODEL_MODULE_H
#define AN_MODEL_MODULE_H

#include "model/init.h"
#include "tensor/tensor.h"

typedef struct an_module an_module;

typedef struct {
    char *name;     /* "prior.local.layer1.0.conv1.weight"                         */
    an_tensor *x;   /* the tensor itself                                           */
    bool parameter; /* else a buffer: part of the state, but never differentiated  */
    bool decay;     /* weight decay applies: neither a bias nor of a normalisation */
} an_entry;

typedef struct {
    int64_t first, length; /* in the flat values, 0-based */
    bool decay;
} an_range;

an_module *an_module_new(uint64_t seed); /* training, not frozen; one reference */
void an_module_retain(an_module *m);
void an_module_release(an_module *m); /* NULL is allowed */

/* Declare, before sealing. The module owns the result. The first failure (no memory, a
 * name used twice, a sealed module) sticks: this call and all later ones return NULL, so
 * a constructor declares everything and asks an_module_failed() once. */
an_tensor *an_module_param(an_module *m, const char *name, an_init init, int ndim,
                           const int64_t *shape, bool decay);
an_tensor *an_module_buffer(an_module *m, const char *name, int ndim, const int64_t *shape,
                            double value);
an_code an_module_failed(const an_module *m); /* the code of that failure, AN_OK if none */

/* Makes everything flat. Parameters require gradients from now on (unless frozen), and
 * each one's grad is a view of the flat gradient, which starts at zero. */
an_code an_module_seal(an_module *m);
bool an_module_sealed(const an_module *m);

/* The flat tensors, 1-D; NULL with AN_EINVAL before sealing. Owned by the module. After
 * zero_grad() or a backward pass the gradient counts again once it has been asked for: a
 * parameter that no rule wrote to since is cleared only then. */
an_tensor *an_module_values(an_module *m);
an_tensor *an_module_gradient(an_module *m);
an_tensor *an_module_buffers(an_module *m);

/* The stretches of the flat values with and without weight decay: returns how many, 0…2. */
int an_module_decay_ranges(const an_module *m, an_range out[2]);

an_code an_module_zero_grad(an_module *m);

/* Exchanges the flat values, and buffers where not NULL, with the contents of tensors of
 * the same length (to evaluate with averaged weights and come back). */
an_code an_module_swap(an_module *m, an_tensor *values, an_tensor *buffers);

/* Training decides what batch normalisation does. A frozen module wants no gradients and
 * behaves as in evaluation whatever the flag says. */
void an_module_train(an_module *m, bool training);
bool an_module_training(const an_module *m); /* the flag, and not frozen */
void an_module_freeze(an_module *m, bool frozen);
bool an_module_frozen(const an_module *m);

int64_t an_module_entries(const an_module *m);
const an_entry *an_module_entry(const an_module *m, int64_t i);       /* in order of declaration */
const an_entry *an_module_find(const an_module *m, const char *name); /* NULL if absent */
int64_t an_module_count(const an_module *m); /* numbers in all parameters */

/* A name made of parts: an_module_param(m, an_name("%s.weight", prefix).text, …). */
typedef struct {
    char text[192];
} an_text;
an_text an_name(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
