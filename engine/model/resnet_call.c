/* resnet_call: the state of a network as one array, see resnet_call.h. */
#include "model/resnet_call.h"

#include <string.h>

static const an_entry *entry_of(const an_resnet *r, int64_t i)
{
    return an_module_entry(an_resnet_module(r), an_resnet_first_entry(r) + i);
}

int64_t an_resnet_state_floats(const an_resnet *r)
{
    int64_t n = an_resnet_entries(r);
    for (int64_t i = 0; i < an_resnet_entries(r); i++)
        n += an_numel(entry_of(r, i)->x);
    return n;
}

void an_resnet_state_write(const an_resnet *r, float *to)
{
    for (int64_t i = 0; i < an_resnet_entries(r); i++) {
        const an_tensor *x = entry_of(r, i)->x;
        memcpy(to, an_f32(x), sizeof *to * (size_t)an_numel(x));
        to += an_numel(x);
    }
    for (int64_t i = 0; i < an_resnet_entries(r); i++)
        *to++ = entry_of(r, i)->frozen;
}

void an_resnet_state_read(const an_resnet *r, const float *from)
{
    for (int64_t i = 0; i < an_resnet_entries(r); i++) {
        an_tensor *x = entry_of(r, i)->x;
        memcpy(an_f32(x), from, sizeof *from * (size_t)an_numel(x));
        from += an_numel(x);
    }
    for (int64_t i = 0; i < an_resnet_entries(r); i++)
        an_module_freeze_part(an_resnet_module(r), entry_of(r, i)->name, *from++ != 0);
}
