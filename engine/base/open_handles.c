/* open_handles: see open_handles.h. One atomic counter per kind. */
#include "base/open_handles.h"

#include <stdatomic.h>

#include "base/assert.h"

const char *const an_open_kind_names[AN_OPEN_KINDS] = {"files",       "mappings",   "locks",
                                                       "connections", "statements", "userdata"};

static _Atomic int64_t count[AN_OPEN_KINDS];

void an_handle_opened(an_open_kind kind)
{
    atomic_fetch_add(&count[kind], 1);
}

void an_handle_closed(an_open_kind kind)
{
    int64_t before = atomic_fetch_sub(&count[kind], 1);
    AN_ASSERT(before > 0); /* closed twice, or never counted as opened */
}

int64_t an_open_handles(an_open_kind kind)
{
    return atomic_load(&count[kind]);
}
