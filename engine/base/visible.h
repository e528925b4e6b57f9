/* visible: text from outside, made safe to print.
 *
 * Names of files and classes, table cells, labels, notes and the contents of a database may contain
 * escape sequences that a terminal executes, and characters that reorder a line. Every output of
 * the program (messages, tables, progress, logs, pages) passes its text through here.
 *
 * Shown as backslash codes: control characters (C0, DEL: \x1B; \n, \r, \t), C1 controls, the
 * bidirectional controls, line and paragraph separators, tags and unassigned invisible operators
 * (\u{202E}), and bytes that are not valid UTF-8 (\xFF). Everything else is unchanged. A backslash
 * of the text itself is unchanged too, so the result is for display and cannot be converted
 * back. */
#ifndef AN_BASE_VISIBLE_H
#define AN_BASE_VISIBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { AN_VISIBLE = 16 }; /* room for one piece */

/* The next character of the text from *at to `end` (*at < end) → its visible form in `piece`, and
 * its length in bytes; moves *at past the character. lines: newline and tab are kept. */
size_t an_visible_next(const char **at, const char *end, bool lines, char piece[AN_VISIBLE]);

/* The visible form of a text in one line, in `shown` of `size` bytes; what does not fit is cut off
 * between two characters. */
void an_visible_text(const char *text, char *shown, size_t size);

/* Writes `length` bytes of text in their visible form. */
void an_visible_write(FILE *to, const char *text, size_t length, bool lines);

#endif
