/* module: the named parameters and buffers of one or more networks. Call order:
 *
 *     an_module *m = an_module_new(seed);
 *     … networks declare parameters and buffers in it (an_resnet_new, an_prior_new, …)
 *     an_module_seal(m);
 *     … flat tensors, zero_grad, swap, training with gradients
 *
 * Sealing moves all parameters into one flat float32 tensor with one flat gradient, and all buffers
 * into another flat tensor: an optimiser, an EMA, clipping or a checkpoint is one loop over one
 * array. Tensors returned earlier stay valid: they become views of the flat ones. The flat order is
 * the parameters with weight decay, then the others, each in order of declaration. A network can
 * also run before sealing, without gradients. */
#ifndef AN_MODEL_MODULE_H
#define AN_MODEL_MODULE_H

#include "model/init.h"
#include "tensor/tensor.h"

typedef struct an_module an_module;

typedef struct {
    char *name;     /* "prior.local.layer1.0.conv1.weight"                         */
    an_tensor *x;   /* its tensor                                                  */
    bool parameter; /* otherwise a buffer: state without a gradient                */
    bool decay;     /* weight decay applies: not to biases and normalisations */
    bool frozen;    /* by an_module_freeze_part()                                  */
} an_entry;

typedef struct {
    int64_t first, length; /* in the flat values or buffers, 0-based */
    bool decay;
} an_range;

an_module *an_module_new(uint64_t seed); /* training mode, not frozen; one reference */
void an_module_retain(an_module *m);
void an_module_release(an_module *m); /* NULL is allowed */

/* Declare a parameter or a buffer, before sealing. The module owns the result. The first failure
 * (no memory, a duplicate name, a sealed module) is kept: this call and all later ones return NULL,
 * so that a constructor can declare everything and check an_module_failed() once. */
an_tensor *an_module_param(an_module *m, const char *name, an_init init, int ndim,
                           const int64_t *shape, bool decay);
an_tensor *an_module_buffer(an_module *m, const char *name, int ndim, const int64_t *shape,
                            double value);
an_code an_module_failed(const an_module *m); /* the code of that failure, AN_OK if none */

/* Makes the state flat. From then on parameters require gradients (unless frozen), and the grad of
 * each is a view of the flat gradient, which starts at zero. AN_EINVAL if the module is already
 * sealed or a declaration failed; after a failure the module is unusable. */
an_code an_module_seal(an_module *m);
bool an_module_sealed(const an_module *m);

/* The flat tensors, 1-D, owned by the module; NULL with AN_EINVAL before sealing. zero_grad()
 * clears a gradient lazily: call an_module_gradient() after each backward pass, because it clears
 * what no rule has written. */
an_tensor *an_module_values(an_module *m);
an_tensor *an_module_gradient(an_module *m);
an_tensor *an_module_buffers(an_module *m);

/* The ranges of the flat values that hold the parameters whose names begin with `prefix` ("": all):
 * first those with weight decay, then those without; adjacent ones are one range. Returns their
 * number, of which the first `most` are written to `out`: at most 2 for "", otherwise at most
 * an_module_entries(). The second function: the same of the flat buffers. */
int64_t an_module_decay_ranges(const an_module *m, const char *prefix, an_range *out, int64_t most);
int64_t an_module_buffer_ranges(const an_module *m, const char *prefix, an_range *out,
                                int64_t most);

an_code an_module_zero_grad(an_module *m);

/* Exchanges the flat values with the contents of `values`, and the flat buffers with `buffers`
 * unless that is NULL; contiguous float32 of the same lengths. Used to evaluate with averaged
 * weights; a second call restores the first state. AN_EINVAL before sealing or for another length;
 * nothing is then moved. */
an_code an_module_swap(an_module *m, an_tensor *values, an_tensor *buffers);

/* The training flag selects the moments of batch normalisation. A frozen module requires no
 * gradients and behaves as in evaluation, whatever the flag is. */
void an_module_train(an_module *m, bool training);
bool an_module_training(const an_module *m); /* the flag is set, and the module is not frozen */
void an_module_freeze(an_module *m, bool frozen);
bool an_module_frozen(const an_module *m);

/* Whether its convolutional networks, in training, sum over a batch by slices (base/ranks/cut.h).
 * The bits differ from those without slices and are the same at 1, 2, 4 and 8 ranks. Off at
 * first. */
void an_module_slice(an_module *m, bool sliced);
bool an_module_sliced(const an_module *m);

/* Freezes (or unfreezes) the entries whose names begin with `prefix`, whether or not the whole
 * module is frozen. The gradient of a frozen part is set to 0 and stays 0. Returns the number of
 * entries. */
int64_t an_module_freeze_part(an_module *m, const char *prefix, bool frozen);

int64_t an_module_entries(const an_module *m);
const an_entry *an_module_entry(const an_module *m, int64_t i);       /* in order of declaration */
const an_entry *an_module_find(const an_module *m, const char *name); /* NULL if absent */
int64_t an_module_numel(const an_module *m); /* elements of all parameters */

/* A formatted name: an_module_param(m, an_name("%s.weight", prefix).text, …). A longer name is
 * truncated. */
typedef struct {
    char text[192];
} an_text;
an_text an_name(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
