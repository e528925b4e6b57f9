/* module_ranges: where the entries with a prefix are in the flat tensors of a module (module.h). */
#include <string.h>

#include "model/module.h"

typedef struct {
    an_range *out;
    int64_t count, most;
    int64_t end; /* end of the latest range; −1 before the first */
} range_list;

static void add_range(range_list *l, int64_t first, int64_t n, bool decay)
{
    if (n == 0)
        return;
    if (first != l->end) {
        if (l->count < l->most)
            l->out[l->count] = (an_range){.first = first, .decay = decay};
        l->count++;
    }
    if (l->count <= l->most)
        l->out[l->count - 1].length += n;
    l->end = first + n;
}

/* Adds the ranges of the entries of one kind, which start at `offset` in the flat tensor → where
 * they end. */
static int64_t add_ranges(const an_module *m, const char *prefix, bool parameter, bool decay,
                          int64_t offset, range_list *l)
{
    l->end = -1;
    for (int64_t i = 0; i < an_module_entries(m); i++) {
        const an_entry *e = an_module_entry(m, i);
        if (e->parameter != parameter || e->decay != decay)
            continue;
        if (!strncmp(e->name, prefix, strlen(prefix)))
            add_range(l, offset, an_numel(e->x), decay);
        offset += an_numel(e->x);
    }
    return offset;
}

int64_t an_module_decay_ranges(const an_module *m, const char *prefix, an_range *out, int64_t most)
{
    range_list l = {.out = out, .most = most};
    int64_t plain = add_ranges(m, prefix, true, true, 0, &l);
    add_ranges(m, prefix, true, false, plain, &l);
    return l.count;
}

int64_t an_module_buffer_ranges(const an_module *m, const char *prefix, an_range *out, int64_t most)
{
    range_list l = {.out = out, .most = most};
    add_ranges(m, prefix, false, false, 0, &l);
    return l.count;
}
