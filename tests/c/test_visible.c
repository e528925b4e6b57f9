/* visible: what a terminal would execute, and what reorders a line, becomes a code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/visible.h"

static char shown[256];

static const char *visible_of(const char *text, size_t length, bool lines)
{
    size_t n = 0;
    for (const char *at = text, *end = text + length; at < end;) {
        const char *before = at;
        char piece[AN_VISIBLE];
        const size_t bytes = an_visible_next(&at, end, lines, piece);
        assert_true(at > before && bytes > 0 && bytes < AN_VISIBLE);
        memcpy(shown + n, piece, bytes);
        n += bytes;
    }
    shown[n] = 0;
    return shown;
}

#define assert_visible(text, expected)                                                             \
    assert_string_equal(visible_of(text, sizeof text - 1, false), expected)

static void ordinary_text_is_unchanged(void **state)
{
    (void)state;
    assert_visible("nv, λ_j 日本 \\ é 🙂", "nv, λ_j 日本 \\ é 🙂");
    assert_visible("a\u200db", "a\u200db"); /* joins emoji */
}

static void control_characters_are_codes(void **state)
{
    (void)state;
    assert_visible("\x1B]0;t\a", "\\x1B]0;t\\x07");
    assert_visible("a\r\nb\tc\0d", "a\\r\\nb\\tc\\x00d");
    assert_visible("\x7F\xC2\x85\xC2\x9B", "\\x7F\\u{85}\\u{9B}");
    assert_string_equal(visible_of("a\n\tb\r", 5, true), "a\n\tb\\r");
}

static void a_text_is_cut_between_two_characters(void **state)
{
    (void)state;
    char room[8];
    an_visible_text("a\nλ", room, sizeof room);
    assert_string_equal(room, "a\\nλ");
    an_visible_text("abcde\x1B", room, sizeof room);
    assert_string_equal(room, "abcde");
    an_visible_text("abcdeλλ", room, sizeof room);
    assert_string_equal(room, "abcdeλ");
}

static void what_reorders_a_line_is_a_code(void **state)
{
    (void)state;
    assert_visible("\u202Egpj.exe", "\\u{202E}gpj.exe");
    assert_visible("\u061C\u200E\u200F\u2066\u2069",
                   "\\u{61C}\\u{200E}\\u{200F}\\u{2066}\\u{2069}");
    assert_visible("\u2028\uFEFF\U000E0041", "\\u{2028}\\u{FEFF}\\u{E0041}");
}

static void bytes_that_are_not_utf8_are_codes(void **state)
{
    (void)state;
    assert_visible("n\xE6vus", "n\\xE6vus");
    assert_visible("\xC0\x80", "\\xC0\\x80");                   /* an overlong zero */
    assert_visible("\xED\xA0\x80", "\\xED\\xA0\\x80");          /* a surrogate      */
    assert_visible("\xF4\x90\x80\x80", "\\xF4\\x90\\x80\\x80"); /* above 10FFFF     */
    assert_visible("\xE2\x80", "\\xE2\\x80");                   /* cut at the end   */
    assert_visible("\x9B"
                   "31m",
                   "\\x9B"
                   "31m"); /* C1 as one byte   */
}

/* Every sequence of two bytes after a letter: no byte below space, no DEL and valid UTF-8 out. */
static void no_pair_of_bytes_passes_a_control_character(void **state)
{
    (void)state;
    for (int first = 0; first < 256; first++)
        for (int second = 0; second < 256; second++) {
            const char text[] = {'a', (char)first, (char)second};
            for (const char *c = visible_of(text, 3, false); *c; c++)
                assert_true((unsigned char)*c >= 0x20 && *c != 0x7F);
            const char *again = visible_of(text, 3, false);
            char once[64];
            strcpy(once, again);
            assert_string_equal(visible_of(once, strlen(once), false), once);
        }
}

static void messages_pass_through(void **state)
{
    (void)state;
    char line[64] = "";
    int saved = dup(STDERR_FILENO), ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(stderr);
    dup2(ends[1], STDERR_FILENO);
    an_log(AN_WARN, "class %s", "\x1B[2J");
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[1]);
    assert_true(read(ends[0], line, sizeof line - 1) > 0);
    close(ends[0]);
    assert_string_equal(line, "aniso: warning: class \\x1B[2J\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordinary_text_is_unchanged),
        cmocka_unit_test(control_characters_are_codes),
        cmocka_unit_test(a_text_is_cut_between_two_characters),
        cmocka_unit_test(what_reorders_a_line_is_a_code),
        cmocka_unit_test(bytes_that_are_not_utf8_are_codes),
        cmocka_unit_test(no_pair_of_bytes_passes_a_control_character),
        cmocka_unit_test(messages_pass_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
