/* The prompt on a pseudo-terminal: completion, continued lines, Ctrl-C, history, the end.
 * The test waits for each answer before it types the next line, so that it is slow but not wrong on
 * a slow machine. The environment variable ANISO names the program. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "arrays.h"
#include "scratch.h"

enum { TIMEOUT = 120 /* seconds for one answer */, SCREEN = 1 << 18 };

static struct {
    int terminal; /* the test's end of the pseudo-terminal          */
    pid_t program;
    char seen[SCREEN]; /* the program's output, NUL-terminated           */
    size_t length;
    size_t read; /* the part of it that expect() has matched       */
} session;

/* ── the terminal ─────────────────────────────────────────────────────────────────────── */

static void exec_program(const char *device, void (*on_interrupt)(int))
{
    close(session.terminal); /* only the test keeps it open: the terminal closes with the test */
    setsid();                /* the terminal opened next becomes the controlling terminal */
    int side = open(device, O_RDWR);
    struct winsize size = {.ws_row = 24, .ws_col = 100};
    if (side < 0 || ioctl(side, TIOCSCTTY, 0) < 0 || ioctl(side, TIOCSWINSZ, &size) < 0)
        _exit(99);
    for (int fd = 0; fd < 3; fd++)
        dup2(side, fd);
    signal(SIGINT, on_interrupt);
    signal(SIGHUP, SIG_IGN); /* as under nohup */
    unsetenv("LC_ALL");
    setenv("TERM", "xterm", 1);
    setenv("LANG", "C.UTF-8", 1);
    setenv("XDG_STATE_HOME", scratch("state"), 1);
    const char *aniso = getenv("ANISO");
    execl(aniso ? aniso : "./aniso", "aniso", "repl", (char *)NULL);
    _exit(98);
}

static bool read_some(int milliseconds)
{
    struct pollfd input = {.fd = session.terminal, .events = POLLIN};
    if (poll(&input, 1, milliseconds) <= 0)
        return false;
    ssize_t got =
        read(session.terminal, session.seen + session.length, SCREEN - 1 - session.length);
    if (got <= 0)
        return false;
    session.length += (size_t)got;
    session.seen[session.length] = '\0';
    return true;
}

/* Waits up to `seconds` for `text` in the output and skips past it; false after a timeout. */
static bool wait_for(const char *text, int seconds)
{
    time_t end = time(NULL) + seconds;
    do {
        const char *found = strstr(session.seen + session.read, text);
        if (found) {
            session.read = (size_t)(found - session.seen) + strlen(text);
            return true;
        }
        if (!read_some(500) && waitpid(session.program, NULL, WNOHANG | WNOWAIT) != 0 &&
            !read_some(0))
            return false;
    } while (time(NULL) < end);
    return false;
}

static void expect(const char *text)
{
    if (!wait_for(text, TIMEOUT))
        fail_msg("expected \"%s\" after:\n%s\n── but the output was only:\n%s", text,
                 session.seen + (session.read > 300 ? session.read - 300 : 0),
                 session.seen + session.read);
}

static void type(const char *text)
{
    assert_int_equal(strlen(text), write(session.terminal, text, strlen(text)));
}

/* Types a line, then waits for the answer and the next prompt. */
static void evaluate(const char *line, const char *answer)
{
    type(line);
    type("\n");
    expect(answer);
    expect("> ");
}

static void start(void (*on_interrupt)(int))
{
    session.length = session.read = 0;
    session.seen[0] = '\0';
    session.terminal = posix_openpt(O_RDWR | O_NOCTTY);
    const char *device =
        session.terminal < 0 || grantpt(session.terminal) || unlockpt(session.terminal)
            ? NULL
            : ptsname(session.terminal);
    if (!device || access(device, R_OK | W_OK))
        skip(); /* a bare root without /dev/pts */
    session.program = fork();
    assert_true(session.program >= 0);
    if (session.program == 0)
        exec_program(device, on_interrupt);
    expect("Ctrl-D leaves");
    expect("> ");
}

/* Waits for the program; returns its exit code, or 128 + the signal. Reads its remaining output,
 * since a full terminal buffer would block it. */
static int wait_for_exit(void)
{
    int status = 0;
    time_t end = time(NULL) + TIMEOUT;
    while (waitpid(session.program, &status, WNOHANG) == 0) {
        if (session.terminal >= 0)
            read_some(20);
        else
            poll(NULL, 0, 20);
        if (time(NULL) > end)
            kill(session.program, SIGKILL);
    }
    if (session.terminal >= 0)
        close(session.terminal);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void quit(void)
{
    type("\004");
    assert_int_equal(0, wait_for_exit());
}

/* ── sessions ─────────────────────────────────────────────────────────────────────────── */

static void continued_lines(void **state)
{
    (void)state;
    start(SIG_DFL);
    type("local abc = {1,\n");
    expect(">> ");
    type("2}\n");
    expect("> ");
    evaluate("nil, 7", "\nnil\r\n7\r\n");
    type("abc\n");
    expect("\n{1, 2}\r\n> "); /* printed once */
    evaluate("abc", "{1, 2}\r\n");
    evaluate("_[2] + 40", "42\r\n");
    evaluate("#\"\303\251\177ee\"", "\r\n2\r\n"); /* the backspace removes both bytes of é */
    quit();
}

static void completion(void **state)
{
    (void)state;
    start(SIG_DFL);
    type("aniso.sched\t");
    expect("ule");
    evaluate(".new ~= nil", "true\r\n");
    type("s = aniso.schedule{counts = {9, 3}, T = 100}\n");
    expect("> ");
    type("s:sig\t");
    expect("nal");
    evaluate("(50) ~= nil", "true\r\n");
    type("aniso.schedule{ coun\t");
    expect("ts = ");
    type("{9, 3}, T = 100,\n");
    expect(">> ");
    type("coup\t"); /* an option on a continued line */
    expect("ling = ");
    type("\"speed\" }\n");
    expect("coupling  speed");
    expect("> ");
    quit();
}

/* A late interrupt may discard a line, so the line is repeated until it is answered. */
static void assert_responsive(void)
{
    for (int attempt = 0; attempt < 20; attempt++) {
        type("6 * 7\n");
        if (wait_for("\n42\r\n", 5))
            return;
    }
    fail_msg("no answer after the interrupts:\n%s", session.seen);
}

static void interrupts_stop_the_computation(void **state)
{
    (void)state;
    void (*const inherited[])(int) = {SIG_DFL, SIG_IGN};
    for (int i = 0; i < COUNT(inherited); i++) {
        start(inherited[i]);
        type("print('be' .. 'gun') while true do end\n");
        expect("begun");
        type("\003");
        expect("interrupted");
        expect("> ");
        evaluate("20 + 22", "42\r\n");
        type("coroutine.wrap(function() print('be' .. 'gun') while true do end end)()\n");
        expect("begun");
        type("\003");
        expect("interrupted");
        expect("> ");
        evaluate("20 + 22", "42\r\n");
        type("x = 1\n"); /* a statement without a value */
        expect("> ");
        type("half a line");
        expect("line");
        type("\003");
        expect("> ");
        evaluate("\"af\" .. \"ter\"", "\"after\"\r\n");
        quit();
    }
}

/* A query on a reading connection is interrupted inside SQLite. */
static void an_interrupt_stops_a_query(void **state)
{
    (void)state;
    start(SIG_DFL);
    type("function db(mode) return assert(aniso.core.db.open(\"");
    type(scratch("x.db"));
    type("\", mode)) end db \"write\":close() d = db \"read\"\n");
    expect("> ");
    type("print('be' .. 'gun') d:query \"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 "
         "FROM c) "
         "SELECT count(*) FROM c\"\n");
    expect("\nbegun");
    type("\003");
    expect("interrupted");
    expect("> ");
    evaluate("d:query('SELECT 6 * 7 AS n')[1].n", "\r\n42\r\n");
    quit();
}

/* Signals during C code: many arrive before the first is handled. */
static void many_interrupts_do_not_end_the_program(void **state)
{
    (void)state;
    const char *fifo = scratch("fifo");
    assert_int_equal(0, mkfifo(fifo, 0600));
    start(SIG_DFL);
    char line[512];
    snprintf(line, sizeof line, "print('be' .. 'gun') io.popen('cat %s'):read('a')\n", fifo);
    type(line);
    expect("begun");
    int reader_waits = open(fifo, O_WRONLY); /* returns once cat has opened its end */
    for (int i = 0; i < 40; i++) {
        assert_int_equal(0, kill(session.program, SIGINT));
        poll(NULL, 0, 5);
    }
    assert_int_equal(0, waitpid(session.program, NULL, WNOHANG));
    close(reader_waits); /* the computation may end now */
    expect("interrupted");
    expect("> ");
    type("\003\003\003\003\003\003\003\003");
    assert_responsive();
    expect("> ");
    for (int round = 0; round < 40;
         round++) { /* the first signal may already be handled when the second arrives */
        type("print('be' .. 'gun') while true do end\n");
        expect("begun");
        for (int i = 0; i < 40; i++) {
            assert_int_equal(0, kill(session.program, SIGINT));
            for (clock_t end = clock() + round; clock() < end;) {
            } /* a delay in µs */
        }
        expect("interrupted");
        assert_responsive();
        expect("> ");
    }
    quit();
}

static void history_is_kept(void **state)
{
    (void)state;
    start(SIG_DFL);
    evaluate("1000 + 17", "1017\r\n");
    quit();
    start(SIG_DFL);
    type("\033[A");
    expect("1000 + 17");
    type("\n");
    expect("1017\r\n");
    expect("> ");
    quit();
}

static void sigterm_ends_the_program(void **state)
{
    (void)state;
    for (int computing = 0; computing < 2; computing++) {
        start(SIG_DFL);
        if (computing) {
            type("print('be' .. 'gun') while true do end\n");
            expect("begun");
        }
        kill(session.program, SIGTERM);
        assert_int_equal(128 + SIGTERM, wait_for_exit());
    }
}

/* The terminal closes while the program reads a line or computes: the program must end by itself.
 */
static void closing_the_terminal_ends_the_program(void **state)
{
    (void)state;
    for (int computing = 0; computing < 2; computing++) {
        start(SIG_DFL);
        if (computing) {
            type("print('be' .. 'gun') while true do end\n");
            expect("begun");
        }
        close(session.terminal);
        session.terminal = -1;
        assert_int_equal(128 + SIGHUP, wait_for_exit());
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(continued_lines),
        cmocka_unit_test(completion),
        cmocka_unit_test(interrupts_stop_the_computation),
        cmocka_unit_test(an_interrupt_stops_a_query),
        cmocka_unit_test(many_interrupts_do_not_end_the_program),
        cmocka_unit_test(history_is_kept),
        cmocka_unit_test(sigterm_ends_the_program),
        cmocka_unit_test(closing_the_terminal_ends_the_program),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
