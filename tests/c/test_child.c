/* child: a started process has no other descriptor, no blocked or ignored signal and a group of its
 * own; what it prints is read; it leaves no zombie, and does not outlive its parent. */
#include "arrays.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/open_handles.h"
#include "io/child.h"

static an_child started(const char *script)
{
    an_child child;
    char *const words[] = {"sh", "-c", (char *)script, NULL};
    assert_int_equal(an_child_start("/bin/sh", words, &child), AN_OK);
    return child;
}

/* Reads to the end → the number of bytes, and the text. */
static size_t read_all(an_child *child, char *text, size_t size)
{
    size_t n = 0;
    while (child->output >= 0) {
        an_child *const one[] = {child};
        an_children_wait(1, one, 10);
        n += an_child_read(child, text + n, size - 1 - n);
    }
    text[n] = 0;
    return n;
}

static int exit_code(an_child *child)
{
    char text[256];
    read_all(child, text, sizeof text);
    while (!an_child_has_ended(child))
        usleep(1000);
    const int code = WIFEXITED(child->status) ? WEXITSTATUS(child->status) : -1;
    an_child_close(child);
    return code;
}

static void no_process_is_left(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void output_and_exit_code_are_read(void **state)
{
    (void)state;
    char text[64];
    const int64_t open = an_open_handles(AN_OPEN_FILE);
    an_child child = started("echo lost; echo one >&2; sleep 0.05; echo two >&2; exit 7");
    assert_false(an_child_has_ended(&child) && child.output < 0);
    read_all(&child, text, sizeof text);
    assert_string_equal(text, "one\ntwo\n");
    assert_int_equal(exit_code(&child), 7);
    assert_int_equal(an_open_handles(AN_OPEN_FILE), open);
    no_process_is_left();
}

static void a_program_that_cannot_run_is_an_error(void **state)
{
    (void)state;
    an_child child;
    char *const words[] = {"nothing", NULL};
    const int64_t open = an_open_handles(AN_OPEN_FILE);
    assert_int_equal(an_child_start("/no/such/program", words, &child), AN_EIO);
    assert_string_equal(an_err_message(),
                        "/no/such/program cannot be started: No such file or directory");
    assert_int_equal(an_child_start("/dev/null", words, &child), AN_EIO);
    assert_string_equal(an_err_message(), "/dev/null cannot be started: Permission denied");
    assert_int_equal(an_open_handles(AN_OPEN_FILE), open);
    no_process_is_left();
}

static void a_signal_ends_it(void **state)
{
    (void)state;
    an_child child = started("exec sleep 60");
    assert_false(an_child_has_ended(&child));
    an_child_signal(&child, SIGTERM);
    assert_int_equal(exit_code(&child), -1);
    assert_int_equal(WTERMSIG(child.status), SIGTERM);
    an_child_signal(&child, SIGTERM); /* to nothing: its number may be another process's */
    no_process_is_left();
}

static void closing_kills_it(void **state)
{
    (void)state;
    an_child child = started("trap '' TERM INT HUP; while :; do sleep 1; done");
    an_child_close(&child);
    assert_true(child.ended);
    assert_int_equal(WTERMSIG(child.status), SIGKILL);
    no_process_is_left();
}

static void other_descriptors_are_not_inherited(void **state)
{
    (void)state;
    char script[128];
    int ends[2];
    assert_int_equal(pipe(ends), 0); /* without close-on-exec */
    an_child first = started("exec sleep 60");
    snprintf(script, sizeof script,
             "for n in %d %d %d; do [ ! -e /proc/self/fd/$n ] || exit 1; done", ends[0], ends[1],
             first.output);
    an_child second = started(script);
    assert_int_equal(exit_code(&second), 0);
    an_child_close(&first);
    close(ends[0]);
    close(ends[1]);
    an_child third = started("read line");
    assert_int_equal(exit_code(&third), 1); /* no input */
}

static void signals_are_those_of_a_new_program(void **state)
{
    (void)state;
    sigset_t blocked, before;
    sigfillset(&blocked);
    sigprocmask(SIG_SETMASK, &blocked, &before);
    void (*former)(int) = signal(SIGPIPE, SIG_IGN);
    an_child child = started("grep -q '^SigBlk:.0*$' /proc/self/status && exec kill -PIPE $$");
    sigprocmask(SIG_SETMASK, &before, NULL);
    signal(SIGPIPE, former);
    assert_int_equal(getpgid(child.pid), child.pid);
    assert_int_equal(exit_code(&child), -1);
    assert_int_equal(WTERMSIG(child.status), SIGPIPE);
}

/* A process that starts a child, writes the child's number to `to` and waits to be killed. */
static void be_a_parent(int to)
{
    an_child child = started("exec sleep 60");
    if (write(to, &child.pid, sizeof child.pid) == sizeof child.pid)
        pause();
    _exit(1);
}

static void it_does_not_outlive_its_parent(void **state)
{
    (void)state;
    int ends[2], status;
    pid_t child;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    assert_int_equal(pipe(ends), 0);
    const pid_t parent = fork();
    if (parent == 0)
        be_a_parent(ends[1]);
    assert_int_equal(read(ends[0], &child, sizeof child), sizeof child);
    kill(parent, SIGKILL);
    assert_int_equal(waitpid(parent, &status, 0), parent);
    assert_int_equal(waitpid(child, &status, 0), child); /* hangs where it still runs */
    assert_int_equal(WTERMSIG(status), SIGKILL);
    close(ends[0]);
    close(ends[1]);
}

static void waiting_ends_with_the_first_output(void **state)
{
    (void)state;
    char text[64];
    an_child quiet = started("exec sleep 60"), talking = started("echo here >&2; exec sleep 60");
    an_child *const both[] = {&quiet, NULL, &talking};
    an_children_wait(3, both, 30);
    assert_int_equal(an_child_read(&quiet, text, sizeof text), 0);
    assert_true(quiet.output >= 0);
    assert_int_equal(an_child_read(&talking, text, sizeof text), 5);
    an_child_close(&quiet);
    an_child_close(&talking);
    no_process_is_left();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_and_exit_code_are_read),
        cmocka_unit_test(a_program_that_cannot_run_is_an_error),
        cmocka_unit_test(a_signal_ends_it),
        cmocka_unit_test(closing_kills_it),
        cmocka_unit_test(other_descriptors_are_not_inherited),
        cmocka_unit_test(signals_are_those_of_a_new_program),
        cmocka_unit_test(it_does_not_outlive_its_parent),
        cmocka_unit_test(waiting_ends_with_the_first_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
