/* editor (Lua): core.term and the Editor class, a line editor for the prompt.
 *
 *     local editor = core.term.editor{ history = path, complete = function(before) … end }
 *     local line, why = editor:read("> ")      nil at the end; nil, "interrupted" at Ctrl-C
 *     editor:remember(line)                     adds it to the history and its file
 * complete(text before the cursor) → text to insert, text to show; either may be nil. Keys are
 * libedit's (emacs by default; ~/.editrc is read). */
#include <histedit.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "base/memory/mem.h"
#include "bind/bind.h"
#include "bind/interrupt.h"
#include "bind/open.h"

#define EDITOR "aniso.Editor"
#define HISTORY_LINES 2000 /* about 100 KB: libedit reads the whole file at each start */

typedef struct {
    EditLine *line;
    History *history;
    char *file;      /* of the history; NULL: none is kept */
    char *prompt;    /* of the read in progress         */
    lua_State *L;    /* that called read()              */
    int complete;    /* registry reference              */
    mbstate_t input; /* a character read in part        */
} editor;

static editor *check(lua_State *L)
{
    return an_check_handle(L, 1, EDITOR);
}

static editor *of(EditLine *line)
{
    void *e = NULL;
    el_get(line, EL_CLIENTDATA, &e);
    return e;
}

static char *prompt(EditLine *line)
{
    return of(line)->prompt;
}

/* Reads one character from the terminal; −1 at Ctrl-C. A signal ends poll(), but not always
 * read(). */
static int get_character(EditLine *line, wchar_t *out)
{
    editor *e = of(line);
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    for (;;) {
        if (an_interrupt_signal())
            return -1;
        if (poll(&input, 1, 250) <= 0)
            continue;
        char byte;
        ssize_t got = read(STDIN_FILENO, &byte, 1);
        if (got <= 0)
            return (int)got;
        size_t used = mbrtowc(out, &byte, 1, &e->input);
        if (used == (size_t)-1)
            memset(&e->input, 0, sizeof e->input);
        if (used <= 1)
            return 1;
    }
}

/* Tab: completes through the Lua function. */
static unsigned char complete(EditLine *line, int key)
{
    (void)key;
    editor *e = of(line);
    lua_State *L = e->L;
    const LineInfo *now = el_line(line);
    int top = lua_gettop(L);
    unsigned char action = CC_REFRESH_BEEP;
    lua_rawgeti(L, LUA_REGISTRYINDEX, e->complete);
    lua_pushlstring(L, now->buffer, (size_t)(now->cursor - now->buffer));
    if (lua_pcall(L, 1, 2, 0) == LUA_OK) {
        const char *insert = lua_tostring(L, -2), *show = lua_tostring(L, -1);
        if (insert && *insert) {
            action = el_insertstr(line, insert) == 0 ? CC_REFRESH : CC_ERROR;
        } else if (show) {
            printf("\n%s\n", show);
            action = CC_REDISPLAY;
        }
    }
    lua_settop(L, top);
    return action;
}

static void start_history(editor *e)
{
    HistEvent event;
    e->history = history_init();
    if (!e->history)
        return;
    history(e->history, &event, H_SETSIZE, HISTORY_LINES);
    history(e->history, &event, H_SETUNIQUE, 1);
    if (e->file)
        history(e->history, &event, H_LOAD, e->file);
    el_set(e->line, EL_HIST, history, e->history);
}

static void close_editor(lua_State *L, void *object)
{
    editor *e = object;
    if (e->line)
        el_end(e->line);
    if (e->history)
        history_end(e->history);
    luaL_unref(L, LUA_REGISTRYINDEX, e->complete);
    an_free(e->file);
    an_free(e);
}

/* editor{history =, complete =} */
static int new_editor(lua_State *L)
{
    static const char *const known[] = {"history", "complete", NULL};
    luaL_checktype(L, 1, LUA_TTABLE);
    an_check_keys(L, 1, known);
    const char *file = an_opt_str(L, 1, "history", NULL);
    void **handle = an_new_handle(L, EDITOR);
    editor *e = an_calloc(1, sizeof *e);
    if (!e)
        return an_raise(L);
    *handle = e;
    e->complete = LUA_NOREF;
    if (file && !(e->file = an_strdup(file)))
        return an_raise(L);
    e->line = el_init("aniso", stdin, stdout, stderr);
    if (!e->line)
        return luaL_error(L, "the line editor does not start (is TERM a known terminal?)");
    el_set(e->line, EL_CLIENTDATA, e);
    el_set(e->line, EL_PROMPT, prompt);
    el_set(e->line, EL_EDITOR, "emacs");
    el_set(e->line, EL_GETCFN, get_character);
    start_history(e);
    if (lua_getfield(L, 1, "complete") == LUA_TFUNCTION) {
        e->complete = luaL_ref(L, LUA_REGISTRYINDEX);
        /* The wide form, because the other one makes copies that libedit does not free. */
        el_wset(e->line, EL_ADDFN, L"aniso-complete", L"complete a name", complete);
        el_set(e->line, EL_BIND, "^I", "aniso-complete", NULL);
    } else {
        lua_pop(L, 1);
    }
    el_source(e->line, NULL);
    signal(SIGHUP, SIG_DFL); /* a prompt ends with its terminal, even under nohup */
    return 1;
}

static int read_line(lua_State *L)
{
    editor *e = check(L);
    size_t length = strlen(luaL_checkstring(L, 2));
    e->prompt = strcpy(lua_newuserdatauv(L, length + 1, 0), lua_tostring(L, 2));
    e->L = L;
    int count = 0;
    el_set(e->line, EL_PREP_TERM, 1); /* before the prompt is shown: libedit does it after */
    const char *text = el_gets(e->line, &count);
    if (!text || count <= 0) {
        putchar('\n');
        lua_pushnil(L);
        lua_pushstring(L, an_interrupt_signal() ? "interrupted" : "end");
        return 2;
    }
    lua_pushlstring(L, text, strcspn(text, "\n"));
    return 1;
}

static int remember(lua_State *L)
{
    editor *e = check(L);
    HistEvent event;
    const char *text = luaL_checkstring(L, 2);
    if (!e->history)
        return 0;
    history(e->history, &event, H_ENTER, text);
    if (e->file)
        history(e->history, &event, H_SAVE, e->file);
    return 0;
}

static const luaL_Reg methods[] = {{"read", read_line}, {"remember", remember}, {NULL, NULL}};

static const an_class editor_class = {.name = EDITOR, .close = close_editor, .methods = methods};

static const luaL_Reg functions[] = {
    {"editor", new_editor},
    {NULL, NULL},
};

int an_open_term(lua_State *L)
{
    an_define_class(L, &editor_class);
    luaL_newlib(L, functions);
    return 1;
}
