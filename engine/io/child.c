/* child: see child.h. Between fork and exec there are only calls that are safe after a process with
 * threads has forked. */
#include "io/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "base/assert.h"
#include "base/open_handles.h"
#include "io/file.h"

/* What a new process receives: its ends of two pipes, and /dev/null. */
typedef struct an_streams {
    int nothing;
    int output[2]; /* its stderr                                                */
    int report[2]; /* errno where the program cannot be executed; closed by exec */
} an_streams;

/* A pipe that no other program inherits; its ends are above stderr, so that dup2() in the child
 * replaces neither. */
static bool make_pipe(int ends[2])
{
    if (pipe(ends) != 0)
        return false;
    for (int i = 0; i < 2; i++) {
        const int high = fcntl(ends[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        const int why = errno;
        close(ends[i]);
        ends[i] = high;
        errno = why;
    }
    if (ends[0] >= 0 && ends[1] >= 0)
        return true;
    const int why = errno;
    for (int i = 0; i < 2; i++)
        if (ends[i] >= 0)
            close(ends[i]);
    errno = why;
    return false;
}

static void close_pipe(const int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

/* The signals of a new program: those that the parent handles have their default action after exec;
 * those that it ignores for itself (SIGPIPE, SIGXFSZ) are reset here. SIGHUP stays ignored
 * (nohup). */
static void reset_signals(void)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
}

/* Makes the kernel kill this process when its parent ends; false if it has ended already. */
static bool follow_parent(pid_t parent)
{
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    return getppid() == parent;
}

/* Descriptors that a library opened without close-on-exec do not reach the new program. */
static void close_others_at_exec(void)
{
#ifdef CLOSE_RANGE_CLOEXEC
    close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
#endif
}

static bool set_streams(const an_streams *to)
{
    return dup2(to->nothing, STDIN_FILENO) >= 0 && dup2(to->nothing, STDOUT_FILENO) >= 0 &&
           dup2(to->output[1], STDERR_FILENO) >= 0;
}

/* In the new process; does not return. The errno of a failure is written to `report`. */
static _Noreturn void become(const char *path, char *const argv[], pid_t parent,
                             const an_streams *to)
{
    setpgid(0, 0);
    reset_signals();
    if (follow_parent(parent) && set_streams(to)) {
        close_others_at_exec();
        execv(path, argv);
    }
    const int why = errno;
    const ssize_t written = write(to->report[1], &why, sizeof why);
    _exit(written == sizeof why ? 127 : 126);
}

/* What the new process reports: 0 once the program runs there, else errno. */
static int failure_of(int report)
{
    int why = 0;
    ssize_t n;
    do
        n = read(report, &why, sizeof why);
    while (n < 0 && errno == EINTR);
    return n == sizeof why ? why : 0;
}

static void reap(an_child *child, int how)
{
    pid_t found;
    if (child->ended)
        return;
    do
        found = waitpid(child->pid, &child->status, how);
    while (found < 0 && errno == EINTR);
    child->ended = found != 0;
}

static bool open_streams(an_streams *to)
{
    if (an_file_open_nothing(&to->nothing) != AN_OK)
        return false;
    if (make_pipe(to->output)) {
        if (make_pipe(to->report))
            return true;
        close_pipe(to->output);
    }
    an_fail(AN_EIO, "no pipe for another process: %s", strerror(errno));
    an_file_close(to->nothing);
    return false;
}

an_code an_child_start(const char *path, char *const argv[], an_child *child)
{
    an_streams to;
    if (!open_streams(&to))
        return an_err_code();
    signal(SIGCHLD, SIG_DFL); /* if ignored, as some programs leave it, exit codes are lost */
    const pid_t parent = getpid(), pid = fork();
    int why = errno;
    if (pid == 0)
        become(path, argv, parent, &to);
    an_file_close(to.nothing);
    close(to.output[1]);
    close(to.report[1]);
    if (pid > 0)
        why = failure_of(to.report[0]);
    close(to.report[0]);
    *child = (an_child){.pid = pid, .output = to.output[0]};
    if (pid > 0 && why == 0) {
        fcntl(child->output, F_SETFL, O_NONBLOCK);
        an_handle_opened(AN_OPEN_FILE);
        return AN_OK;
    }
    close(child->output);
    if (pid > 0)
        reap(child, 0);
    return an_fail(AN_EIO, "%s cannot be started: %s", path, strerror(why));
}

static void close_output(an_child *child)
{
    if (child->output < 0)
        return;
    close(child->output);
    child->output = -1;
    an_handle_closed(AN_OPEN_FILE);
}

size_t an_child_read(an_child *child, char *to, size_t most)
{
    if (child->output < 0)
        return 0;
    const ssize_t n = read(child->output, to, most);
    if (n > 0)
        return (size_t)n;
    if (n == 0 || (errno != EAGAIN && errno != EINTR))
        close_output(child);
    return 0;
}

bool an_child_has_ended(an_child *child)
{
    reap(child, WNOHANG);
    return child->ended;
}

void an_child_signal(const an_child *child, int number)
{
    if (!child->ended)
        kill(child->pid, number);
}

void an_children_wait(int n, an_child *const children[], double seconds)
{
    struct pollfd wanted[AN_CHILDREN_MOST];
    nfds_t used = 0;
    AN_ASSERT(n >= 0 && n <= AN_CHILDREN_MOST);
    for (int i = 0; i < n; i++)
        if (children[i] && children[i]->output >= 0)
            wanted[used++] = (struct pollfd){.fd = children[i]->output, .events = POLLIN};
    poll(wanted, used, (int)(1000 * seconds));
}

void an_child_close(an_child *child)
{
    an_child_signal(child, SIGKILL);
    reap(child, 0);
    close_output(child);
}
