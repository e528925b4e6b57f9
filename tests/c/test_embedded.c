/* Embedded files: the bytecode of a module is that of its text, and lookups find each file. */
#include "base/embedded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <lauxlib.h>

#include <cmocka.h>

static int append(lua_State *L, const void *bytes, size_t length, void *buffer)
{
    (void)L;
    luaL_addlstring(buffer, bytes, length);
    return 0;
}

/* Pushes what lua_dump writes of a chunk. */
static const char *dumped(lua_State *L, const char *bytes, size_t length, const char *name,
                          size_t *count)
{
    assert_int_equal(luaL_loadbuffer(L, bytes, length, name), LUA_OK);
    lua_State *other = lua_newthread(L);
    luaL_Buffer buffer;
    luaL_buffinit(other, &buffer);
    lua_pushvalue(L, -2);
    assert_int_equal(lua_dump(L, append, &buffer, 0), 0);
    luaL_pushresult(&buffer);
    return lua_tolstring(other, -1, count);
}

static void test_bytecode_is_that_of_the_text(void **state)
{
    (void)state;
    size_t modules = 0;
    for (size_t i = 0; i < an_embedded_count; i++) {
        const an_embedded_file *file = &an_embedded_files[i];
        if (!file->code)
            continue;
        lua_State *L = luaL_newstate();
        const char *name = lua_pushfstring(L, "@%s", file->name + strlen("lua/"));
        size_t from_text, from_code;
        const char *text = dumped(L, file->text, file->length, name, &from_text);
        const char *code = dumped(L, file->code, file->code_length, name, &from_code);
        assert_int_equal(from_text, from_code);
        assert_memory_equal(text, code, from_text);
        lua_close(L);
        modules++;
    }
    assert_true(modules > 100);
    assert_string_equal(an_embedded_lua, lua_ident);
}

static void test_digests_are_of_the_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < an_embedded_count; i++)
        for (size_t j = 0; j < i; j++)
            assert_int_equal(an_embedded_files[i].digest == an_embedded_files[j].digest,
                             strcmp(an_embedded_files[i].text, an_embedded_files[j].text) == 0);
}

static void test_lookups(void **state)
{
    (void)state;
    for (size_t i = 0; i < an_embedded_count; i++)
        assert_ptr_equal(an_embedded_find(an_embedded_files[i].name), &an_embedded_files[i]);
    assert_null(an_embedded_find("lua/aniso/nothing.lua"));
    assert_null(an_embedded("", NULL));
    assert_non_null(an_embedded_find("lua/aniso/init.lua")->code);
    assert_null(an_embedded_find("store/schema.sql")->code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytecode_is_that_of_the_text),
        cmocka_unit_test(test_digests_are_of_the_text),
        cmocka_unit_test(test_lookups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
