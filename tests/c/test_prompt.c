/* The prompt on a pseudo-terminal: completion, lines that go on, Ctrl-C, history, the end.
 * The test types like a patient person: it waits for what the program answers before it
 * goes on, so a slow machine makes it slow and never wrong. ANISO names the program. */
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

enum { PATIENCE = 120 /* seconds for one answer */, SCREEN = 1 << 18 };

static struct {
    int terminal; /* our end of it                                  */
    pid_t program;
    char seen[SCREEN]; /* everything it wrote, NUL-terminated            */
    size_t length;
    size_t read; /* how far expect() has got in it                 */
} now;

/* ── the terminal ─────────────────────────────────────────────────────────────────────── */

static void become_the_program(const char *device, void (*on_interrupt)(int))
{
    close(now.terminal); /* only the test holds it: when the test ends, the terminal is gone */
    setsid();            /* the terminal that is opened next controls this process */
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
    struct pollfd input = {.fd = now.terminal, .events = POLLIN};
    if (poll(&input, 1, milliseconds) <= 0)
        return false;
    ssize_t got = read(now.terminal, now.seen + now.length, SCREEN - 1 - now.length);
    if (got <= 0)
        return false;
    now.length += (size_t)got;
    now.seen[now.length] = '\0';
    return true;
}

/* Whether `text` comes within so many seconds; goes on behind it. */
static bool comes(const char *text, int seconds)
{
    time_t end = time(NULL) + seconds;
    do {
        const char *found = strstr(now.seen + now.read, text);
        if (found) {
            now.read = (size_t)(found - now.seen) + strlen(text);
            return true;
        }
        if (!read_some(500) && waitpid(now.program, NULL, WNOHANG | WNOWAIT) != 0 && !read_some(0))
            return false;
    } while (time(NULL) < end);
    return false;
}

static void expect(const char *text)
{
    if (!comes(text, PATIENCE))
        fail_msg("waited for \"%s\" behind:\n%s\n── and then came only:\n%s", text,
                 now.seen + (now.read > 300 ? now.read - 300 : 0), now.seen + now.read);
}

static void type(const char *text)
{
    assert_int_equal(strlen(text), write(now.terminal, text, strlen(text)));
}

/* Types a line and waits for the answer's line and the next prompt. */
static void ask(const char *line, const char *answer)
{
    type(line);
    type("\n");
    expect(answer);
    expect("> ");
}

static void begin(void (*on_interrupt)(int))
{
    now.length = now.read = 0;
    now.seen[0] = '\0';
    now.terminal = posix_openpt(O_RDWR | O_NOCTTY);
    const char *device = now.terminal < 0 || grantpt(now.terminal) || unlockpt(now.terminal)
                             ? NULL
                             : ptsname(now.terminal);
    if (!device || access(device, R_OK | W_OK))
        skip(); /* a bare root without /dev/pts */
    now.program = fork();
    assert_true(now.program >= 0);
    if (now.program == 0)
        become_the_program(device, on_interrupt);
    expect("Ctrl-D leaves");
    expect("> ");
}

/* Its exit code, or 128 + the signal; what it still writes is read, or it could not end. */
static int ended(void)
{
    int status = 0;
    time_t end = time(NULL) + PATIENCE;
    while (waitpid(now.program, &status, WNOHANG) == 0) {
        if (now.terminal >= 0)
            read_some(20);
        else
            poll(NULL, 0, 20);
        if (time(NULL) > end)
            kill(now.program, SIGKILL);
    }
    if (now.terminal >= 0)
        close(now.terminal);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void leave(void)
{
    type("\004");
    assert_int_equal(0, ended());
}

/* ── what a person does ───────────────────────────────────────────────────────────────── */

static void lines_that_go_on(void **state)
{
    (void)state;
    begin(SIG_DFL);
    type("local abc = {1,\n");
    expect(">> ");
    type("2}\n");
    expect("> ");
    ask("nil, 7", "\nnil\r\n7\r\n");
    type("abc\n");
    expect("\n{1, 2}\r\n> "); /* and nothing more */
    ask("abc", "{1, 2}\r\n");
    ask("_[2] + 40", "42\r\n");
    ask("#\"\303\251\177ee\"", "\r\n2\r\n"); /* the backspace takes both bytes of é */
    leave();
}

static void completion(void **state)
{
    (void)state;
    begin(SIG_DFL);
    type("aniso.sched\t");
    expect("ule");
    ask(".new ~= nil", "true\r\n");
    type("s = aniso.schedule{counts = {9, 3}, T = 100}\n");
    expect("> ");
    type("s:sig\t");
    expect("nal");
    ask("(50) ~= nil", "true\r\n");
    type("aniso.schedule{ coun\t");
    expect("ts = ");
    type("{9, 3}, T = 100,\n");
    expect(">> ");
    type("coup\t"); /* the option of a line that goes on */
    expect("ling = ");
    type("\"speed\" }\n");
    expect("coupling  speed");
    expect("> ");
    leave();
}

/* Lines reach the interpreter after the interrupts; so a line may fall to a late one. */
static void still_answers(void)
{
    for (int attempt = 0; attempt < 20; attempt++) {
        type("6 * 7\n");
        if (comes("\n42\r\n", 5))
            return;
    }
    fail_msg("no answer after the interrupts:\n%s", now.seen);
}

static void interrupts_stop_the_computation(void **state)
{
    (void)state;
    void (*const inherited[])(int) = {SIG_DFL, SIG_IGN};
    for (int i = 0; i < COUNT(inherited); i++) {
        begin(inherited[i]);
        type("print('be' .. 'gun') while true do end\n");
        expect("begun");
        type("\003");
        expect("interrupted");
        expect("> ");
        ask("20 + 22", "42\r\n");
        type("coroutine.wrap(function() print('be' .. 'gun') while true do end end)()\n");
        expect("begun");
        type("\003");
        expect("interrupted");
        expect("> ");
        ask("20 + 22", "42\r\n");
        type("x = 1\n"); /* a computation without a value is over as well */
        expect("> ");
        type("half a line");
        expect("line");
        type("\003");
        expect("> ");
        ask("\"af\" .. \"ter\"", "\"after\"\r\n");
        leave();
    }
}

/* A query of a reading connection stops inside of SQLite. */
static void an_interrupt_stops_a_query(void **state)
{
    (void)state;
    begin(SIG_DFL);
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
    ask("d:query('SELECT 6 * 7 AS n')[1].n", "\r\n42\r\n");
    leave();
}

/* Signals that come while C code runs, many before the first can be acted on. */
static void many_interrupts_do_not_end_the_session(void **state)
{
    (void)state;
    const char *fifo = scratch("fifo");
    assert_int_equal(0, mkfifo(fifo, 0600));
    begin(SIG_DFL);
    char line[512];
    snprintf(line, sizeof line, "print('be' .. 'gun') io.popen('cat %s'):read('a')\n", fifo);
    type(line);
    expect("begun");
    int reader_waits = open(fifo, O_WRONLY); /* returns when cat has opened its end */
    for (int i = 0; i < 40; i++) {
        assert_int_equal(0, kill(now.program, SIGINT));
        poll(NULL, 0, 5);
    }
    assert_int_equal(0, waitpid(now.program, NULL, WNOHANG));
    close(reader_waits); /* the computation may end now */
    expect("interrupted");
    expect("> ");
    type("\003\003\003\003\003\003\003\003");
    still_answers();
    expect("> ");
    for (int round = 0; round < 40; round++) { /* the second one may find the first just handled */
        type("print('be' .. 'gun') while true do end\n");
        expect("begun");
        for (int i = 0; i < 40; i++) {
            assert_int_equal(0, kill(now.program, SIGINT));
            for (clock_t end = clock() + round; clock() < end;) {
            } /* so many µs */
        }
        expect("interrupted");
        still_answers();
        expect("> ");
    }
    leave();
}

static void history_comes_back(void **state)
{
    (void)state;
    begin(SIG_DFL);
    ask("1000 + 17", "1017\r\n");
    leave();
    begin(SIG_DFL);
    type("\033[A");
    expect("1000 + 17");
    type("\n");
    expect("1017\r\n");
    expect("> ");
    leave();
}

static void a_termination_ends_it(void **state)
{
    (void)state;
    for (int computing = 0; computing < 2; computing++) {
        begin(SIG_DFL);
        if (computing) {
            type("print('be' .. 'gun') while true do end\n");
            expect("begun");
        }
        kill(now.program, SIGTERM);
        assert_int_equal(128 + SIGTERM, ended());
    }
}

/* Its terminal goes while it reads a line or computes: nobody is left who could stop it. */
static void it_ends_with_its_terminal(void **state)
{
    (void)state;
    for (int computing = 0; computing < 2; computing++) {
        begin(SIG_DFL);
        if (computing) {
            type("print('be' .. 'gun') while true do end\n");
            expect("begun");
        }
        close(now.terminal);
        now.terminal = -1;
        assert_int_equal(128 + SIGHUP, ended());
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_that_go_on),
        cmocka_unit_test(completion),
        cmocka_unit_test(interrupts_stop_the_computation),
        cmocka_unit_test(an_interrupt_stops_a_query),
        cmocka_unit_test(many_interrupts_do_not_end_the_session),
        cmocka_unit_test(history_comes_back),
        cmocka_unit_test(a_termination_ends_it),
        cmocka_unit_test(it_ends_with_its_terminal),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
