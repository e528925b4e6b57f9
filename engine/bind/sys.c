/* sys (Lua): core.sys, the machine and this process.
 *
 * Times, threads, counts of memory and open handles, the description of the host, signals, the
 * terminal. sys_file.c adds the file system, lock.c the lock. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/integer.h"
#include "base/memory/lua_alloc.h"
#include "base/memory/mem.h"
#include "base/memory/tensor_heap.h"
#include "base/open_handles.h"
#include "base/par.h"
#include "base/precision.h"
#include "base/simd.h"
#include "base/ranks/ranks.h"
#include "base/version.h"
#include "base/visible.h"
#include "bind/bind.h"
#include "bind/interrupt.h"
#include "bind/open.h"
#include "bind/sys.h"
#include "io/file.h"
#include "kernel/matmul/gemm.h"

/* monotonic() → seconds from an arbitrary start, for durations. */
static int monotonic(lua_State *L)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    lua_pushnumber(L, (lua_Number)now.tv_sec + 1e-9 * (lua_Number)now.tv_nsec);
    return 1;
}

/* sleep(seconds): a signal ends it early. */
static int nap(lua_State *L)
{
    const lua_Number seconds = luaL_checknumber(L, 1);
    luaL_argcheck(L, seconds >= 0 && seconds <= 1e6, 1, "seconds from 0 to 1e6");
    struct timespec time = {.tv_sec = (time_t)seconds};
    time.tv_nsec = (long)(1e9 * (seconds - (lua_Number)time.tv_sec));
    nanosleep(&time, NULL);
    return 0;
}

/* ranks() → how many processes share the work (base/ranks/ranks.h), the MPI of this build or nil,
 * how many a launcher started, and which launcher, "mpirun" or "srun" */
static int ranks(lua_State *L)
{
    const char *launcher;
    const int64_t launched = an_ranks_launched(&launcher);
    lua_pushinteger(L, an_ranks());
    lua_pushstring(L, an_ranks_library());
    lua_pushinteger(L, launched);
    lua_pushstring(L, launcher);
    return 4;
}

/* ranks_traffic() → kind of call → { calls, bytes, seconds }, see base/ranks/ranks.h */
static int ranks_traffic(lua_State *L)
{
    static const char *const names[AN_TRAFFIC_KINDS] = {
        [AN_TRAFFIC_SHARE] = "share",     [AN_TRAFFIC_SEND] = "send",
        [AN_TRAFFIC_RECEIVE] = "receive", [AN_TRAFFIC_ADD] = "add",
        [AN_TRAFFIC_GATHER] = "gather",
    };
    lua_createtable(L, 0, AN_TRAFFIC_KINDS);
    for (int kind = 0; kind < AN_TRAFFIC_KINDS; kind++) {
        const an_traffic traffic = an_ranks_traffic(kind);
        lua_createtable(L, 0, 3);
        lua_pushinteger(L, traffic.calls);
        lua_setfield(L, -2, "calls");
        lua_pushinteger(L, traffic.bytes);
        lua_setfield(L, -2, "bytes");
        lua_pushnumber(L, traffic.seconds);
        lua_setfield(L, -2, "seconds");
        lua_setfield(L, -2, names[kind]);
    }
    return 1;
}

/* utc([seconds]) → "2026-01-31T12:00:00.000Z"; now without an argument. */
static int utc(lua_State *L)
{
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    if (!lua_isnoneornil(L, 1))
        at = (struct timespec){.tv_sec = (time_t)luaL_checknumber(L, 1)};
    struct tm parts;
    char text[40];
    gmtime_r(&at.tv_sec, &parts);
    size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    text[n] = 0;
    lua_pushfstring(L, "%s.%c%c%cZ", text, '0' + (int)(at.tv_nsec / 100000000),
                    '0' + (int)(at.tv_nsec / 10000000 % 10),
                    '0' + (int)(at.tv_nsec / 1000000 % 10));
    return 1;
}

/* cpu_seconds() → CPU time of this process, over all threads. */
static int cpu_seconds(lua_State *L)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    lua_pushnumber(L, (lua_Number)used.tv_sec + 1e-9 * (lua_Number)used.tv_nsec);
    return 1;
}

/* The value in the first line "name…: value" of a /proc file, or its first line if the name is "";
 * NULL if there is none. Valid until the next call. */
static const char *proc_value(const char *path, const char *name, size_t *length)
{
    static char text[8192]; /* enough for the first processor in cpuinfo */
    size_t n = strlen(name);
    if (an_file_read_start(path, text, sizeof text) != AN_OK)
        return NULL;
    for (const char *line = text; line && *line;) {
        const char *end = line + strcspn(line, "\n");
        const char *value = n ? memchr(line, ':', (size_t)(end - line)) : line;
        if (strncmp(line, name, n) == 0 && value) {
            value += n ? strspn(value, ": \t") : 0;
            *length = (size_t)(end - value);
            return value;
        }
        line = *end ? end + 1 : NULL;
    }
    return NULL;
}

/* The number of KiB in the line "name: … kB" of /proc/self/status; 0 if there is none. */
static lua_Integer status_kib(const char *name)
{
    size_t length;
    const char *value = proc_value("/proc/self/status", name, &length);
    return value ? strtoll(value, NULL, 10) : 0;
}

/* peak_rss() → bytes. Linux keeps the high-water mark of this program in VmHWM; that of getrusage
 * is inherited across fork and exec from the process that started this one. */
static int peak_rss(lua_State *L)
{
    struct rusage usage;
    lua_Integer bytes = status_kib("VmHWM") * 1024;
    getrusage(RUSAGE_SELF, &usage);
#ifdef __APPLE__
    lua_pushinteger(L, (lua_Integer)usage.ru_maxrss);
#else
    lua_pushinteger(L, bytes ? bytes : (lua_Integer)usage.ru_maxrss * 1024);
#endif
    return 1;
}

static int pid(lua_State *L)
{
    lua_pushinteger(L, getpid());
    return 1;
}

/* threads([n]) → the number in use, after setting it to n (n < 1: one per core). */
static int threads(lua_State *L)
{
    if (!lua_isnoneornil(L, 1))
        an_set_threads((int)an_max(an_check_within(L, 1, "n", INT64_MIN, AN_THREADS_MOST), 0));
    lua_pushinteger(L, an_threads_set());
    return 1;
}

/* precision([name]) → the number format of layers' products, "float32" or "bfloat16", after setting
 * it to name. */
static int precision(lua_State *L)
{
    static const char *const names[] = {"float32", "bfloat16", NULL};
    if (!lua_isnoneornil(L, 1))
        an_set_precision(luaL_checkoption(L, 1, NULL, names) == 1 ? AN_PRECISION_BF16
                                                                  : AN_PRECISION_FP32);
    lua_pushstring(L, names[an_precision_now() == AN_PRECISION_BF16]);
    return 1;
}

/* startable_threads(n) → how many of n threads the system permits, ≥ 1. */
static int startable_threads(lua_State *L)
{
    lua_pushinteger(L, an_startable_threads((int)an_check_within(L, 1, "n", 1, AN_THREADS_MOST)));
    return 1;
}

/* memory() → {live =, peak =, allocs =} of the engine's allocator, and lua_allocs =, the requests
 * of Lua's allocator to the C library. */
static int memory(lua_State *L)
{
    lua_createtable(L, 0, 4);
    lua_pushinteger(L, an_lua_alloc_requests());
    lua_setfield(L, -2, "lua_allocs");
    lua_pushinteger(L, an_mem_live());
    lua_setfield(L, -2, "live");
    lua_pushinteger(L, an_mem_peak());
    lua_setfield(L, -2, "peak");
    lua_pushinteger(L, an_mem_allocs());
    lua_setfield(L, -2, "allocs");
    return 1;
}

/* live_bytes() → bytes in use by the engine's objects: tensors, data sets, classes' objects. Free
 * blocks in the tensors' heap are not counted. */
static int live_bytes(lua_State *L)
{
    lua_pushinteger(L, an_mem_live() - an_tensor_heap_spare());
    return 1;
}

/* tensor_peak() → the most bytes that tensors used at once since the previous call. */
static int tensor_peak(lua_State *L)
{
    lua_pushinteger(L, an_tensor_heap_restart());
    return 1;
}

/* open_handles() → how many, {files =, mappings =, locks =, connections =, statements =,
 * userdata =}: resources opened and neither closed nor collected. Lua's own files (io.open) are not
 * counted. */
static int open_handles(lua_State *L)
{
    lua_Integer sum = 0;
    lua_pushnil(L); /* placeholder for the sum */
    lua_createtable(L, 0, AN_OPEN_KINDS);
    for (int kind = 0; kind < AN_OPEN_KINDS; kind++) {
        lua_Integer n = an_open_handles((an_open_kind)kind);
        lua_pushinteger(L, n);
        lua_setfield(L, -2, an_open_kind_names[kind]);
        sum += n;
    }
    lua_pushinteger(L, sum);
    lua_replace(L, -3);
    return 2;
}

/* fail_at(n): the n-th allocation from now fails; for tests. */
static int fail_at(lua_State *L)
{
    an_mem_fail_at(luaL_checkinteger(L, 1));
    return 0;
}

/* Sets field `key` to a value of a /proc file, if it is there. */
static void set_from_proc(lua_State *L, const char *key, const char *path, const char *name)
{
    size_t length;
    const char *value = proc_value(path, name, &length);
    if (!value)
        return;
    lua_pushlstring(L, value, length);
    lua_setfield(L, -2, key);
}

/* host() → {hostname, os, arch, cpu, simd, bf16, cores, ram_bytes, blas, boot_id}; cpu and boot_id
 * are absent where the system does not provide them. */
static int host(lua_State *L)
{
    struct utsname name;
    if (uname(&name) != 0)
        memset(&name, 0, sizeof name);
    lua_createtable(L, 0, 10);
    lua_pushstring(L, name.nodename);
    lua_setfield(L, -2, "hostname");
    lua_pushfstring(L, "%s %s", name.sysname, name.release);
    lua_setfield(L, -2, "os");
    lua_pushstring(L, name.machine);
    lua_setfield(L, -2, "arch");
    lua_pushinteger(L, sysconf(_SC_NPROCESSORS_ONLN));
    lua_setfield(L, -2, "cores");
    lua_pushinteger(L, (lua_Integer)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE));
    lua_setfield(L, -2, "ram_bytes");
    lua_pushstring(L, an_k_gemm_library());
    lua_setfield(L, -2, "blas");
    lua_pushstring(L, an_simd_name(an_simd_level()));
    lua_setfield(L, -2, "simd");
    lua_pushstring(L, an_bf16_unit_name(an_bf16_unit_now()));
    lua_setfield(L, -2, "bf16");
    set_from_proc(L, "cpu", "/proc/cpuinfo", "model name");
    set_from_proc(L, "boot_id", "/proc/sys/kernel/random/boot_id", "");
    return 1;
}

static int check_stream(lua_State *L, int arg)
{
    static const char *const names[] = {"stdin", "stdout", "stderr", NULL};
    return luaL_checkoption(L, arg, "stdout", names);
}

/* isatty(["stdin", "stdout" or "stderr"]) → whether it is a terminal. */
static int is_terminal(lua_State *L)
{
    lua_pushboolean(L, isatty(check_stream(L, 1)));
    return 1;
}

/* has_reader() → false if stdout is a pipe or a terminal that nothing reads any more. */
static int has_reader(lua_State *L)
{
    struct pollfd out = {.fd = STDOUT_FILENO};
    lua_pushboolean(L, poll(&out, 1, 0) <= 0 || !(out.revents & (POLLERR | POLLHUP)));
    return 1;
}

/* width([stream]) → columns, rows of the terminal; nil if it is not a terminal. */
static int width(lua_State *L)
{
    struct winsize size = {0};
    if (ioctl(check_stream(L, 1), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 0;
    lua_pushinteger(L, size.ws_col);
    lua_pushinteger(L, size.ws_row);
    return 2;
}

/* visible(text[, lines]) → the text with control characters, bidirectional controls and bytes that
 * are not UTF-8 as codes; with `lines`, newline and tab are kept (base/visible.h). */
static int visible(lua_State *L)
{
    size_t length;
    const char *at = luaL_checklstring(L, 1, &length), *end = at + length;
    const bool lines = lua_toboolean(L, 2);
    luaL_Buffer out;
    luaL_buffinitsize(L, &out, length);
    while (at < end)
        luaL_addsize(&out, an_visible_next(&at, end, lines, luaL_prepbuffsize(&out, AN_VISIBLE)));
    luaL_pushresult(&out);
    return 1;
}

/* debug([on]) → whether errors carry a traceback, after setting it. */
static int debug(lua_State *L)
{
    if (!lua_isnoneornil(L, 1)) {
        lua_pushboolean(L, lua_toboolean(L, 1));
        lua_setfield(L, LUA_REGISTRYINDEX, AN_DEBUG_KEY);
    }
    lua_getfield(L, LUA_REGISTRYINDEX, AN_DEBUG_KEY);
    return 1;
}

static const luaL_Reg functions[] = {
    {"cache_folder", an_lua_cache_folder},
    {"cpu_seconds", cpu_seconds},
    {"debug", debug},
    {"fail_at", fail_at},
    {"has_reader", has_reader},
    {"host", host},
    {"interrupt_mode", an_lua_interrupt_mode},
    {"interruptible", an_lua_interruptible},
    {"interrupted", an_lua_interrupted},
    {"stoppable", an_lua_stoppable},
    {"isatty", is_terminal},
    {"live_bytes", live_bytes},
    {"tensor_peak", tensor_peak},
    {"lock", an_lua_lock},
    {"memory", memory},
    {"monotonic", monotonic},
    {"open_handles", open_handles},
    {"outlive_output", an_lua_outlive_output},
    {"peak_rss", peak_rss},
    {"pid", pid},
    {"precision", precision},
    {"ranks", ranks},
    {"ranks_traffic", ranks_traffic},
    {"sleep", nap},
    {"threads", threads},
    {"start_self", an_lua_start_self},
    {"startable_threads", startable_threads},
    {"used_by", an_lua_used_by},
    {"utc", utc},
    {"variable", an_lua_variable},
    {"variables", an_lua_variables},
    {"visible", visible},
    {"wait_for_children", an_lua_wait_for_children},
    {"width", width},
    {NULL, NULL},
};

int an_open_sys(lua_State *L)
{
    an_add_lock_class(L);
    an_add_child_class(L);
    luaL_newlib(L, functions);
    lua_pushliteral(L, AN_VERSION);
    lua_setfield(L, -2, "version");
    an_add_file_functions(L);
    return 1;
}
