/* embedded: text files that are part of the program.
 *
 * lua/embed.c turns every lua/aniso file and the store's SQL into build/gen/embedded.c when
 * the program is built. Names are paths from the top of the source tree, with forward
 * slashes: "lua/aniso/init.lua", "store/schema.sql". Lookups cost a binary search. */
#ifndef AN_BASE_EMBEDDED_H
#define AN_BASE_EMBEDDED_H

#include <stddef.h>

typedef struct {
    const char *name;
    const char *text; /* `length` bytes and a terminating zero */
    size_t length;
} an_embedded_file;

/* The generated table, sorted by name. */
extern const an_embedded_file an_embedded_files[];
extern const size_t an_embedded_count;

/* The text of `name`, or NULL when there is no such file. `length` may be NULL. */
const char *an_embedded(const char *name, size_t *length);

#endif
