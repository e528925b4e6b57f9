/* plan: see plan.h. Uses system calls directly, because the library replaces the functions. */
#include "plan.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NAMES = 32, NAME = 16 };

static struct {
    bool counts, of_malloc;
    char call[NAME], kind[NAME];
    long number;
    char root[PLAN_PATH];
} plan;

static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;
static struct {
    char name[NAME];
    long count;
} counters[NAMES];

/* ── start ──────────────────────────────────────────────────────────────────── */

__attribute__((constructor)) static void read_environment(void)
{
    const char *fault = getenv("FAULT"), *root = getenv("FAULT_ROOT");
    if (fault && sscanf(fault, "%15[^:]:%15[^:]:%ld", plan.call, plan.kind, &plan.number) != 3)
        _exit(99);
    plan.of_malloc = strcmp(plan.call, "malloc") == 0;
    snprintf(plan.root, sizeof plan.root, "%s", root ? root : "");
    unsetenv("LD_PRELOAD");
}

static int (*program)(int, char **, char **);

static int counted_program(int argc, char **argv, char **environment)
{
    plan.counts = true;
    int code = program(argc, argv, environment);
    plan.counts = false;
    return code;
}

/* glibc's entry: the only place from which main() is called. */
int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*end)(void), void *stack)
{
    __typeof__(&__libc_start_main) real;
    *(void **)&real = dlsym(RTLD_NEXT, "__libc_start_main");
    program = main;
    return real(counted_program, argc, argv, init, fini, end, stack);
}

bool plan_counts(void)
{
    return plan.counts;
}

/* ── paths ──────────────────────────────────────────────────────────────────── */

static const char *below_root(const char *path)
{
    size_t n = strlen(plan.root);
    if (!plan.counts || n == 0 || strncmp(path, plan.root, n) != 0)
        return NULL;
    return path[n] == '/' ? path + n + 1 : path[n] == 0 ? path + n : NULL;
}

/* The root holds no links, so that a relative path needs the current folder and nothing else. */
const char *plan_path(const char *path, char *buffer)
{
    if (!plan.counts || !path)
        return NULL;
    if (path[0] == '/')
        return below_root(path);
    if (syscall(SYS_getcwd, buffer, PLAN_PATH) <= 0)
        return NULL;
    size_t n = strlen(buffer);
    while (strncmp(path, "./", 2) == 0)
        path += 2;
    snprintf(buffer + n, PLAN_PATH - n, "/%s", path);
    return below_root(buffer);
}

const char *plan_path_of_file(int file, char *buffer)
{
    char name[64];
    if (!plan.counts)
        return NULL;
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    long n = syscall(SYS_readlink, name, buffer, PLAN_PATH - 1);
    if (n <= 0)
        return NULL;
    buffer[n] = 0;
    return below_root(buffer);
}

/* ── counting ───────────────────────────────────────────────────────────────── */

static const struct {
    const char *name;
    int number;
} errors[] = {{"ENOSPC", ENOSPC}, {"EIO", EIO},       {"EMFILE", EMFILE}, {"ENOLCK", ENOLCK},
              {"ENOMEM", ENOMEM}, {"EACCES", EACCES}, {"EPERM", EPERM}};

static const struct {
    const char *name;
    int number;
} signals[] = {{"HUP", SIGHUP}, {"INT", SIGINT}, {"TERM", SIGTERM}};

static plan_kind kind_of(const char *name)
{
    if (strcmp(name, "short") == 0)
        return PLAN_SHORT;
    if (strcmp(name, "lost") == 0)
        return PLAN_LOST;
    if (strcmp(name, "after") == 0)
        return PLAN_DIE_AFTER;
    if (strcmp(name, "on") == 0)
        return PLAN_ON;
    if (strcmp(name, "before") == 0)
        plan_die();
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (strcmp(signals[i].name, name) == 0)
            return syscall(SYS_kill, syscall(SYS_getpid), signals[i].number), PLAN_PASS;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (strcmp(errors[i].name, name) == 0)
            errno = errors[i].number;
    return PLAN_FAIL;
}

static long count(const char *name)
{
    int i = 0;
    while (i < NAMES - 1 && counters[i].name[0] && strcmp(counters[i].name, name) != 0)
        i++;
    strncpy(counters[i].name, name, NAME - 1);
    return ++counters[i].count;
}

/* A plan for the name `change` counts the calls of all names. */
plan_kind plan_meet(const char *name, const char *path)
{
    char line[PLAN_PATH + 64];
    pthread_mutex_lock(&counting);
    long n = count(name), any = count("change");
    pthread_mutex_unlock(&counting);
    int bytes = snprintf(line, sizeof line, "%s %ld %s\n", name, n, path);
    plan_append("FAULT_LIST", line, (size_t)bytes);
    bool planned = (strcmp(name, plan.call) == 0 && n == plan.number) ||
                   (strcmp(plan.call, "change") == 0 && any == plan.number);
    if (!planned)
        return PLAN_PASS;
    plan_append("FAULT_MET", line, (size_t)bytes);
    return kind_of(plan.kind);
}

int64_t plan_number_of_malloc(void)
{
    return plan.of_malloc ? plan.number : 0;
}

plan_kind plan_kind_now(void)
{
    return kind_of(plan.kind);
}

void plan_die(void)
{
    syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
    for (;;)
        syscall(SYS_pause);
}

void plan_append(const char *variable, const void *data, size_t bytes)
{
    const char *path = getenv(variable);
    if (!path)
        return;
    int kept = errno;
    long file = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT, 0600);
    if (file >= 0) {
        if (syscall(SYS_write, file, data, bytes) != (long)bytes)
            _exit(98);
        syscall(SYS_close, file);
    }
    errno = kept;
}
