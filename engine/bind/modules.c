/* modules: how `require` finds aniso.*.
 *
 * A searcher directly after package.preload tries aniso/NAME.lua and aniso/NAME/init.lua, first in
 * the folder that ANISO_LUA names, then among the files built into the program. "aniso.core" is
 * preloaded. Cost: one lookup per first require. In the program, Lua's own searchers, which find
 * argparse and the modules that recipes require, do not search the current folder. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/embedded.h"
#include "base/environment.h"
#include "bind/bind.h"
#include "bind/open.h"
#include "io/path.h"

/* Pushes the loader and the name of its file; returns false if there is no such file. */
static bool load_from_folder(lua_State *L, const char *folder, const char *file)
{
    const char *path = lua_pushfstring(L, "%s/%s", folder, file);
    if (!an_path_readable(path))
        return lua_pop(L, 1), false;
    if (luaL_loadfile(L, path) != LUA_OK)
        lua_error(L);
    lua_insert(L, -2);
    return true;
}

/* From the bytecode, or from the text if the bytecode is from another release of Lua. */
static bool load_from_program(lua_State *L, const char *file)
{
    const an_embedded_file *found = an_embedded_find(lua_pushfstring(L, "lua/%s", file));
    lua_pop(L, 1);
    if (!found)
        return false;
    const bool readable = found->code && strcmp(an_embedded_lua, lua_ident) == 0;
    const char *bytes = readable ? found->code : found->text;
    const size_t length = readable ? found->code_length : found->length;
    const char *chunk = lua_pushfstring(L, "@%s", file);
    if (luaL_loadbuffer(L, bytes, length, chunk) != LUA_OK)
        lua_error(L);
    lua_insert(L, -2);
    return true;
}

static int search(lua_State *L)
{
    static const char *const layouts[] = {"%s.lua", "%s/init.lua"};
    const char *name = luaL_checkstring(L, 1);
    if (strcmp(name, "aniso") != 0 && strncmp(name, "aniso.", 6) != 0)
        return lua_pushliteral(L, "not a module of aniso"), 1;
    const char *path = luaL_gsub(L, name, ".", "/"), *folder = an_variable("ANISO_LUA");
    for (int i = 0; i < 2; i++) {
        const char *file = lua_pushfstring(L, layouts[i], path);
        if (folder && load_from_folder(L, folder, file))
            return 2;
        if (load_from_program(L, file))
            return 2;
    }
    lua_pushfstring(L, "no file '%s.lua' in the program", path);
    return 1;
}

void an_install_modules(lua_State *L)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(L, an_open_core);
    lua_setfield(L, -2, "aniso.core");
    lua_getglobal(L, "table");
    lua_getfield(L, -1, "insert");
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "searchers");
    lua_remove(L, -2);
    lua_pushinteger(L, 2);
    lua_pushcfunction(L, search);
    lua_call(L, 3, 0);
    lua_pop(L, 2);
}

/* Drops the relative templates in package[field], whose separator is ";". */
static void keep_absolute(lua_State *L, const char *field)
{
    luaL_Buffer kept;
    lua_getfield(L, -1, field);
    const char *at = luaL_optstring(L, -1, "");
    luaL_buffinit(L, &kept);
    for (size_t length; *at; at += length + (at[length] == ';')) {
        length = strcspn(at, ";");
        if (*at != '/')
            continue;
        if (luaL_bufflen(&kept) > 0)
            luaL_addchar(&kept, ';');
        luaL_addlstring(&kept, at, length);
    }
    luaL_pushresult(&kept);
    lua_setfield(L, -3, field);
    lua_pop(L, 1);
}

void an_leave_current_folder(lua_State *L)
{
    lua_getglobal(L, "package");
    keep_absolute(L, "path");
    keep_absolute(L, "cpath");
    lua_pop(L, 1);
}
