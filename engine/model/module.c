/* module: see module.h. A growing array of entries, and three flat tensors after sealing. */
#include "model/module.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory/mem.h"
#include "base/par.h"
#include "grad/tape.h"
#include "tensor/scope.h"

enum { EXCHANGE = 65536 }; /* elements of a chunk that exchanges two arrays */

struct an_module {
    int refs;
    uint64_t seed;
    an_entry *entry;
    int64_t count, capacity;
    an_tensor *values, *gradient, *buffers; /* NULL until sealed */
    bool training, frozen, sliced;
    an_code failed;
};

an_module *an_module_new(uint64_t seed)
{
    an_module *m = an_calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->refs = 1;
    m->seed = seed;
    m->training = true;
    return m;
}

void an_module_retain(an_module *m)
{
    AN_ASSERT(m->refs > 0);
    m->refs++;
}

void an_module_release(an_module *m)
{
    AN_ASSERT(!m || m->refs > 0);
    if (!m || --m->refs > 0)
        return;
    for (int64_t i = 0; i < m->count; i++) {
        an_release(m->entry[i].x);
        an_free(m->entry[i].name);
    }
    an_free(m->entry);
    an_release(m->values);
    an_release(m->gradient);
    an_release(m->buffers);
    an_free(m);
}

/* ── declaring ───────────────────────────────────────────────────────────────── */

static an_code declare(an_module *m, const char *name, int ndim, const int64_t *shape)
{
    if (m->values)
        return an_fail(AN_EINVAL, "%s: the module is sealed; declare before sealing", name);
    if (an_module_find(m, name))
        return an_fail(AN_EINVAL, "%s: the module has this name already; use another prefix", name);
    if (m->count == m->capacity) {
        int64_t capacity = m->capacity ? 2 * m->capacity : 64;
        an_entry *entry = an_realloc(m->entry, (size_t)capacity * sizeof *entry);
        if (!entry)
            return AN_ENOMEM;
        m->entry = entry;
        m->capacity = capacity;
    }
    size_t mark = an_scope_begin();
    an_tensor *x = an_tensor_new(AN_F32, ndim, shape);
    char *copy = x ? an_strdup(name) : NULL;
    if (copy) {
        an_retain(x);
        m->entry[m->count++] = (an_entry){.name = copy, .x = x};
    }
    an_scope_end(mark, NULL);
    return copy ? AN_OK : an_err_code();
}

static an_entry *add(an_module *m, const char *name, int ndim, const int64_t *shape)
{
    if (!m->failed)
        m->failed = declare(m, name, ndim, shape);
    return m->failed ? NULL : &m->entry[m->count - 1];
}

an_tensor *an_module_param(an_module *m, const char *name, an_init init, int ndim,
                           const int64_t *shape, bool decay)
{
    an_entry *e = add(m, name, ndim, shape);
    if (!e)
        return NULL;
    e->parameter = true;
    e->decay = decay;
    an_init_fill(e->x, init, m->seed, name);
    return e->x;
}

an_tensor *an_module_buffer(an_module *m, const char *name, int ndim, const int64_t *shape,
                            double value)
{
    an_entry *e = add(m, name, ndim, shape);
    if (!e)
        return NULL;
    an_fill(e->x, value);
    return e->x;
}

an_code an_module_failed(const an_module *m)
{
    return m->failed;
}

an_text an_name(const char *format, ...)
{
    an_text name;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name.text, sizeof name.text, format, arguments);
    va_end(arguments);
    return name;
}

/* ── sealing ─────────────────────────────────────────────────────────────────── */

/* The total length of all entries of one kind. */
static int64_t length(const an_module *m, bool parameter, bool decay)
{
    int64_t n = 0;
    for (int64_t i = 0; i < m->count; i++)
        if (m->entry[i].parameter == parameter && m->entry[i].decay == decay)
            n += an_numel(m->entry[i].x);
    return n;
}

static an_tensor *flat(int64_t n)
{
    an_tensor *x = an_tensor_zeros(AN_F32, 1, &n);
    if (x)
        an_retain(x);
    return x;
}

/* Copies x into `home` at `offset` and makes x a view of it. The temporary view takes the former
 * storage of x, which is freed at the end of the scope. */
static an_code move(an_tensor *x, an_tensor *home, int64_t offset)
{
    an_tensor *view = an_tensor_view(home->storage, AN_F32, offset, x->ndim, x->shape);
    if (!view || an_copy(view, x))
        return an_err_code();
    an_storage *former = x->storage;
    x->storage = view->storage;
    x->offset = offset;
    view->storage = former;
    view->offset = 0;
    return AN_OK;
}

/* Moves the entries of one kind to `home`, from `offset` on. */
static an_code gather(an_module *m, bool parameter, bool decay, an_tensor *home, int64_t offset)
{
    for (int64_t i = 0; i < m->count; i++) {
        an_entry *e = &m->entry[i];
        if (e->parameter != parameter || e->decay != decay)
            continue;
        an_code code = move(e->x, home, offset);
        if (code)
            return code;
        if (parameter) {
            e->x->grad =
                an_tensor_view(m->gradient->storage, AN_F32, offset, e->x->ndim, e->x->shape);
            if (!e->x->grad)
                return an_err_code();
            an_retain(e->x->grad);
            e->x->requires_grad = !m->frozen && !e->frozen;
        }
        offset += an_numel(e->x);
    }
    return AN_OK;
}

static an_code seal(an_module *m)
{
    int64_t decayed = length(m, true, true), plain = length(m, true, false);
    m->values = flat(decayed + plain);
    m->gradient = flat(decayed + plain);
    m->buffers = flat(length(m, false, false));
    if (!m->values || !m->gradient || !m->buffers)
        return an_err_code();
    an_code code = gather(m, true, true, m->values, 0);
    if (!code)
        code = gather(m, true, false, m->values, decayed);
    return code ? code : gather(m, false, false, m->buffers, 0);
}

an_code an_module_seal(an_module *m)
{
    if (!m->failed && m->values)
        return an_fail(AN_EINVAL, "seal: the module is sealed already");
    if (m->failed)
        return an_fail(m->failed, "seal: a network could not be declared in this module");
    size_t mark = an_scope_begin();
    m->failed = seal(m);
    an_scope_end(mark, NULL);
    return m->failed;
}

bool an_module_sealed(const an_module *m)
{
    return m->values && !m->failed;
}

/* ── the flat state ──────────────────────────────────────────────────────────── */

static an_tensor *sealed(an_module *m, an_tensor *x)
{
    if (!an_module_sealed(m))
        return an_fail(AN_EINVAL, "the module is not sealed yet: call seal() after the last "
                                  "network is made"),
               NULL;
    return x;
}

an_tensor *an_module_values(an_module *m)
{
    return sealed(m, m->values);
}

an_tensor *an_module_gradient(an_module *m)
{
    for (int64_t i = 0; i < m->count; i++)
        if (!m->entry[i].frozen) /* else it is 0 */
            an_grad(m->entry[i].x);
    return sealed(m, m->gradient);
}

an_tensor *an_module_buffers(an_module *m)
{
    return sealed(m, m->buffers);
}

static bool begins_with(const char *name, const char *prefix)
{
    return !strncmp(name, prefix, strlen(prefix));
}

an_code an_module_zero_grad(an_module *m)
{
    if (!sealed(m, m->gradient))
        return an_err_code();
    for (int64_t i = 0; i < m->count; i++)
        if (m->entry[i].x->grad && !m->entry[i].frozen)
            m->entry[i].x->grad->blank = true;
    return AN_OK;
}

static void exchange_part(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    float *const *sides = context, *a = sides[0], *b = sides[1];
    (void)chunk;
    for (int64_t i = lo; i < hi; i++) {
        float kept = a[i];
        a[i] = b[i];
        b[i] = kept;
    }
}

static an_code exchange(an_tensor *own, an_tensor *other, const char *what)
{
    if (other->dtype != AN_F32 || !an_is_contiguous(other) || an_numel(other) != an_numel(own))
        return an_fail(AN_EINVAL, "swap: %s is %s, but the module's has shape %s", what,
                       an_shape_text(other), an_shape_text(own));
    an_par_for(an_numel(own), EXCHANGE, exchange_part, (float *[]){an_f32(own), an_f32(other)});
    return AN_OK;
}

an_code an_module_swap(an_module *m, an_tensor *values, an_tensor *buffers)
{
    if (!sealed(m, m->values))
        return an_err_code();
    if (buffers && an_numel(buffers) != an_numel(m->buffers)) /* before anything is moved */
        return exchange(m->buffers, buffers, "the tensor of buffers");
    an_code code = exchange(m->values, values, "the tensor of values");
    return code || !buffers ? code : exchange(m->buffers, buffers, "the tensor of buffers");
}

/* ── flags and look-ups ─────────────────────────────────────────────────────── */

void an_module_train(an_module *m, bool training)
{
    m->training = training;
}

bool an_module_training(const an_module *m)
{
    return m->training && !m->frozen;
}

void an_module_slice(an_module *m, bool sliced)
{
    m->sliced = sliced;
}

bool an_module_sliced(const an_module *m)
{
    return m->sliced;
}

void an_module_freeze(an_module *m, bool frozen)
{
    m->frozen = frozen;
    if (an_module_sealed(m))
        for (int64_t i = 0; i < m->count; i++)
            if (m->entry[i].parameter)
                m->entry[i].x->requires_grad = !frozen && !m->entry[i].frozen;
}

/* Sets the gradient of a parameter to 0 at once. */
static void clear_gradient(an_tensor *x)
{
    if (!x->grad)
        return;
    an_fill(x->grad, 0);
    x->grad->blank = false;
}

int64_t an_module_freeze_part(an_module *m, const char *prefix, bool frozen)
{
    int64_t n = 0;
    for (int64_t i = 0; i < m->count; i++) {
        an_entry *e = &m->entry[i];
        if (!begins_with(e->name, prefix))
            continue;
        n++;
        if (e->frozen == frozen)
            continue;
        e->frozen = frozen;
        if (frozen)
            clear_gradient(e->x);
        e->x->requires_grad = an_module_sealed(m) && e->parameter && !m->frozen && !frozen;
    }
    return n;
}

bool an_module_frozen(const an_module *m)
{
    return m->frozen;
}

int64_t an_module_entries(const an_module *m)
{
    return m->count;
}

const an_entry *an_module_entry(const an_module *m, int64_t i)
{
    AN_ASSERT(i >= 0 && i < m->count);
    return &m->entry[i];
}

const an_entry *an_module_find(const an_module *m, const char *name)
{
    for (int64_t i = 0; i < m->count; i++)
        if (!strcmp(m->entry[i].name, name))
            return &m->entry[i];
    return NULL;
}

int64_t an_module_numel(const an_module *m)
{
    return length(m, true, true) + length(m, true, false);
}
