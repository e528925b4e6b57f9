/* embedded: text files embedded in the program, and the bytecode of its modules.
 *
 * lua/embed.c turns every lua/aniso file and the store's SQL into build/gen/embedded.c when
 * the program is built. Names are paths from the top of the source tree, with forward
 * slashes: "lua/aniso/init.lua", "store/schema.sql". Lookups cost a binary search. */
#ifndef AN_BASE_EMBEDDED_H
#define AN_BASE_EMBEDDED_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    const char *name;
    const char *text; /* `length` bytes and a terminating zero */
    size_t length;
    const char *code; /* bytecode of a Lua module, `code_length` bytes; else NULL */
    size_t code_length;
    uint64_t digest; /* of the text; it detects accidental differences only */
} an_embedded_file;

/* The generated table, sorted by name. */
extern const an_embedded_file an_embedded_files[];
extern const size_t an_embedded_count;

/* The Lua release that compiled the bytecode, as in lua_ident. Another release may misread it. */
extern const char an_embedded_lua[];

/* NULL when there is no such file. */
const an_embedded_file *an_embedded_find(const char *name);

/* The text of `name`, or NULL when there is no such file. `length` may be NULL. */
const char *an_embedded(const char *name, size_t *length);

#endif
