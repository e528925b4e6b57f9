/* aborts: tests whether a call fails an assertion, which aborts the process. */
#ifndef AN_TESTS_ABORTS_H
#define AN_TESTS_ABORTS_H

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs `act` in a child whose standard error is closed. */
static inline bool aborts(void (*act)(void))
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        signal(SIGABRT, SIG_DFL); /* not cmocka's handler */
        close(STDERR_FILENO);
        act();
        _exit(0);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status) &&
           WTERMSIG(status) == SIGABRT;
}

/* Runs `act` in a child; returns its wait status and what it printed on stderr;
 * -1 after a failure. */
static inline int status_of(void (*act)(void), char *text, size_t size)
{
    int ends[2];
    if (pipe(ends))
        return -1;
    pid_t child = fork();
    if (child < 0)
        return -1;
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        signal(SIGABRT, SIG_DFL); /* not cmocka's handler */
        dup2(ends[1], STDERR_FILENO);
        act();
        _exit(0);
    }
    close(ends[1]);
    size_t filled = 0;
    for (ssize_t n; (n = read(ends[0], text + filled, size - 1 - filled)) > 0;)
        filled += (size_t)n;
    text[filled] = '\0';
    close(ends[0]);
    int status = 0;
    return waitpid(child, &status, 0) == child ? status : -1;
}

#endif
