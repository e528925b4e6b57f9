/* known_schema: compares the text of sqlite_schema with the list of known statements; see
 * known_schema.h. A view or a trigger is code that runs when a table is read or written, and a
 * table without STRICT or CHECK can hold anything, so no query is sent to a schema that is not
 * ours. */
#include "store/known_schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory/mem.h"
#include "io/sha256.h"
#include "store/connection.h"

enum { NAME = 40, KIND = 8, LINES = 256, ALWAYS = 1 << 20 };

/* A line of the list. */
typedef struct {
    char name[NAME], kind[KIND], digest[AN_SCHEMA_DIGEST];
    int first, last;
    bool found; /* the file has this statement */
} statement;

/* ── digests ────────────────────────────────────────────────────────────────── */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

static bool is_punctuation(char c)
{
    return c == '(' || c == ')' || c == ',';
}

/* The closing quotation mark for `c`; 0 if `c` opens none. */
static char closing(char c)
{
    return c == '[' ? ']' : c == '\'' || c == '"' || c == '`' ? c : 0;
}

/* Writes the text without comments and optional spaces to `to`, which has room for all of it. */
static size_t write_canonical(const char *sql, char *to)
{
    char *start = to;
    bool space = false;
    while (*sql) {
        if (sql[0] == '-' && sql[1] == '-') {
            sql += strcspn(sql, "\n");
            space = true;
            continue;
        }
        if (is_space(*sql)) {
            sql++;
            space = true;
            continue;
        }
        if (space && to > start && !is_punctuation(*sql) && !is_punctuation(to[-1]))
            *to++ = ' ';
        space = false;
        const char end = closing(*sql);
        *to++ = *sql++;
        while (end && *sql && *sql != end)
            *to++ = *sql++;
        if (end && *sql)
            *to++ = *sql++;
    }
    return (size_t)(to - start);
}

static void write_digest(an_sha256 *hash, char digest[AN_SCHEMA_DIGEST])
{
    char hex[AN_SHA256_HEX];
    an_sha256_hex(hash, hex);
    memcpy(digest, hex, AN_SCHEMA_DIGEST - 1);
    digest[AN_SCHEMA_DIGEST - 1] = 0;
}

an_code an_schema_digest(const char *sql, char digest[AN_SCHEMA_DIGEST])
{
    char *text = an_alloc(strlen(sql) + 1);
    if (!text)
        return AN_ENOMEM;
    an_sha256 hash;
    an_sha256_init(&hash);
    an_sha256_update(&hash, text, write_canonical(sql, text));
    an_free(text);
    write_digest(&hash, digest);
    return AN_OK;
}

/* ── the list ───────────────────────────────────────────────────────────────── */

/* Reads the lines of `known`, which are sorted by name; returns their number. */
static int read_list(const char *known, statement list[LINES])
{
    int n = 0;
    for (const char *line = known; *line && n < LINES; line = strchr(line, '\n') + 1) {
        statement *s = &list[n];
        char last[12];
        if (sscanf(line, "%39s %7s %d %11s %32s", s->name, s->kind, &s->first, last, s->digest) ==
                5 &&
            *line != '#') {
            s->last = *last == '*' ? ALWAYS : atoi(last);
            s->found = false;
            n++;
        }
        if (!strchr(line, '\n'))
            break;
    }
    return n;
}

static bool is_in(const statement *s, int version)
{
    return s->first <= version && version <= s->last;
}

static bool is_known(const statement *list, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (strcmp(list[i].name, name) == 0)
            return true;
    return false;
}

static an_code refuse(const an_db *db, int version, const char *kind, const char *name)
{
    if (version > AN_STORE_VERSION)
        return an_fail(
            AN_EFORMAT,
            "%s was written by a newer aniso (version %d) with another %s %.60s: use that "
            "program",
            db->path, version, kind, name);
    return an_fail(AN_EFORMAT,
                   "%s: the %s %.60s is not as aniso makes it (version %d), so the file is not "
                   "used: take a backup or the original of the file",
                   db->path, kind, name, version);
}

/* Checks an object of the file whose name is not in the list. */
static an_code check_foreign(const an_db *db, const statement *list, int n, const char *kind,
                             const char *name, const char *table, const char *sql)
{
    const bool is_virtual = sqlite3_strnicmp(sql, "CREATE VIRTUAL", 14) == 0;
    const bool on_known = strcmp(kind, "index") == 0 && is_known(list, n, table);
    if (strcmp(kind, "trigger") != 0 && !is_virtual && !on_known)
        return AN_OK;
    return an_fail(
        AN_EFORMAT,
        "%s has the %s %.60s, which aniso does not make, so the file is not used: take a "
        "backup or the original of the file, or remove it (sqlite3 FILE, DROP %s)",
        db->path, is_virtual ? "virtual table" : kind, name,
        is_virtual ? "TABLE"
        : on_known ? "INDEX"
                   : "TRIGGER");
}

static an_code check_object(const an_db *db, int version, statement *list, int n, const char *kind,
                            const char *name, const char *table, const char *sql)
{
    char digest[AN_SCHEMA_DIGEST];
    if (strcmp(kind, "trigger") == 0 || !is_known(list, n, name))
        return check_foreign(db, list, n, kind, name, table, sql);
    if (an_schema_digest(sql, digest) != AN_OK)
        return AN_ENOMEM;
    for (int i = 0; i < n; i++)
        if (strcmp(list[i].name, name) == 0 && strcmp(list[i].kind, kind) == 0 &&
            is_in(&list[i], version) && strcmp(list[i].digest, digest) == 0) {
            list[i].found = true;
            return AN_OK;
        }
    return refuse(db, version, kind, name);
}

/* Every name in `version` must have been found. The lines of a name are consecutive. */
static an_code check_complete(const an_db *db, int version, const statement *list, int n)
{
    for (int i = 0; i < n;) {
        const statement *first = &list[i];
        bool needed = false, found = false;
        for (; i < n && strcmp(list[i].name, first->name) == 0; i++) {
            needed = needed || is_in(&list[i], version);
            found = found || list[i].found;
        }
        if (needed && !found)
            return refuse(db, version, first->kind, first->name);
    }
    return AN_OK;
}

/* ── the file ───────────────────────────────────────────────────────────────── */

/* With a final zero, which an_column_text() does not guarantee. */
static const char *text_of(an_stmt *s, int column)
{
    const unsigned char *text = sqlite3_column_text(s->raw, column);
    return text ? (const char *)text : "";
}

#define STATEMENTS                                                                                 \
    "SELECT type, name, tbl_name, sql FROM main.sqlite_schema "                                    \
    "WHERE sql IS NOT NULL AND name NOT GLOB 'sqlite_*'"

an_code an_schema_whole_digest(an_db *db, char digest[AN_SCHEMA_DIGEST])
{
    bool row = true;
    an_sha256 hash;
    an_sha256_init(&hash);
    an_stmt *s = an_db_prepare(db, STATEMENTS " ORDER BY name");
    an_code code = s ? an_step(s, &row) : an_err_code();
    while (code == AN_OK && row) {
        for (int i = 0; i < 4; i++)
            an_sha256_update(&hash, text_of(s, i), strlen(text_of(s, i)) + 1);
        code = an_step(s, &row);
    }
    an_done(s);
    write_digest(&hash, digest);
    return code;
}

/* Whether the file has exactly the text of its version's statements and nothing else. Most files
 * do, and one hash costs a tenth of comparing statement by statement. */
static an_code is_verbatim(an_db *db, int version, const char *known, bool *verbatim)
{
    char digest[AN_SCHEMA_DIGEST], line[AN_SCHEMA_DIGEST + 20];
    an_code code = an_schema_whole_digest(db, digest);
    snprintf(line, sizeof line, "\n= %d %s\n", version, digest);
    *verbatim = code == AN_OK && strstr(known, line);
    return code;
}

static an_code check_statements(an_db *db, int version, const char *known)
{
    statement *list = an_calloc(LINES, sizeof *list);
    if (!list)
        return AN_ENOMEM;
    const int n = read_list(known, list);
    bool row = true;
    an_stmt *s = an_db_prepare(db, STATEMENTS);
    an_code code = s ? an_step(s, &row) : an_err_code();
    while (code == AN_OK && row) {
        code = check_object(db, version, list, n, text_of(s, 0), text_of(s, 1), text_of(s, 2),
                            text_of(s, 3));
        if (code == AN_OK)
            code = an_step(s, &row);
    }
    an_done(s);
    if (code == AN_OK)
        code = check_complete(db, version, list, n);
    an_free(list);
    return code;
}

an_code an_schema_check(an_db *db, int version, const char *known)
{
    if (version < 1)
        return an_fail(AN_EFORMAT, "%s has version %d, which no aniso writes: the file is damaged",
                       db->path, version);
    bool verbatim = false;
    an_code code = is_verbatim(db, version, known, &verbatim);
    return code != AN_OK || verbatim ? code : check_statements(db, version, known);
}
