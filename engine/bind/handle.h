/* handle: the classes that the engine provides to Lua. An object of a class is a userdata with one
 * pointer to an engine object.
 *
 *     static void close_it(lua_State *L, void *lock) { (void)L; an_lock_release(lock); }
 *     static const an_class lock_class = {.name = "aniso.Lock", .close = close_it};
 *
 *     an_define_class(L, &lock_class);               once, when the part opens
 *     void **handle = an_new_handle(L, "aniso.Lock");  first the handle, then the object: a Lua
 *     *handle = an_lock_take(path, NULL);              error in between leaks nothing
 *
 * Every class gets object:close(), __close and __gc, which call `close` once; __tostring, which
 * returns "Lock" or what `text` pushes, and "Lock (closed)" after closing; and __index. A script
 * can call each of them through getmetatable(); they raise for a value that is not an object of the
 * class. */
#ifndef AN_BIND_HANDLE_H
#define AN_BIND_HANDLE_H

#include <stdbool.h>

#include <lauxlib.h>
#include <lua.h>

typedef struct an_class {
    const char *name; /* "aniso.NAME": the metatable's key in the registry and its __name */
    /* Releases the object, which is never NULL; the userdata is argument 1. Must not raise. */
    void (*close)(lua_State *L, void *object);
    int (*text)(lua_State *L, void *object); /* [opt] pushes one text; the userdata is argument 1 */
    const luaL_Reg *methods;                 /* [opt] without close                              */
    /* [opt] pushes the field `key` and returns the number of values pushed, 0 if there is no such
     * field; the userdata is argument 1. A method of the same name takes precedence. */
    int (*field)(lua_State *L, void *object, const char *key);
    /* [opt] pushes object[i], and raises if there is no such position. Without it, object[i] is
     * nil. */
    int (*element)(lua_State *L, void *object, lua_Integer i);
    bool internal;        /* no methods: Lua code never receives an object of the class           */
    const luaL_Reg *meta; /* [opt] other metamethods; each checks its arguments' types            */
} an_class;

/* Makes the class's metatable. `c` must be static: close and tostring refer to it. */
void an_define_class(lua_State *L, const an_class *c);

/* Pushes a userdata of a defined class, with one user value and an empty pointer that the caller
 * fills. Counted in AN_OPEN_USERDATA until it is closed or collected. */
void **an_new_handle(lua_State *L, const char *name);

/* The object at `arg`. Raises for another type and for a closed one ("this Tensor is closed"). */
void *an_check_handle(lua_State *L, int arg, const char *name);

/* Closes the userdata at `arg`, as its own close() does; a closed one is unchanged. */
void an_close_handle(lua_State *L, int arg);

#endif
