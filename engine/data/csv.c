/* csv: see csv.h. The only user of libcsv, which is fed line by line so that every row has its line
 * number. Cells are pointers into an arena. */
#include "data/csv.h"

#include <csv.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory/mem.h"
#include "base/memory/string_arena.h"
#include "base/stop.h"
#include "io/file.h"

#define LARGEST ((size_t)256 << 20) /* bytes of a table */
#define ROW ((size_t)1 << 20)       /* bytes of a row: libcsv copies a field as often as it grows */
#define PIECE                                                                                      \
    ((size_t)64 << 10) /* bytes that are parsed between two checks of the row's length,            \
                          and by which libcsv's copy of a field grows */
#define COLUMNS 4096   /* of a table: a cell costs a pointer and an allocation */
#define ROWS 10000000
#define CELLS ((int64_t)1 << 25) /* of a table: 256 MB of pointers */

struct an_csv {
    char *name;
    int columns;        /* −1 until the header is read              */
    int64_t rows, line; /* `line` is the one being read             */
    const char **cells; /* header first, then the rows              */
    int64_t *lines;     /* of each row                              */
    int64_t cell_count, cell_room, line_room;
    int64_t row_start; /* index of the first cell of this row      */
    size_t row_bytes;  /* of this row so far, to within a piece  */
    an_code code;      /* the first failure inside a callback    */
    an_string_arena text;
};

/* `list`, with room for one more entry of `size` bytes after its `count` entries. */
static void *grow(void *list, int64_t count, int64_t *room, size_t size)
{
    if (count < *room)
        return list;
    int64_t more = *room ? *room * 2 : 256;
    void *block = an_realloc(list, (size_t)more * size);
    if (block)
        *room = more;
    return block;
}

static void end_field(void *field, size_t count, void *context)
{
    an_csv *csv = context;
    if (csv->code != AN_OK)
        return;
    if (csv->columns >= 0 && csv->cell_count - csv->row_start > csv->columns)
        return;
    if (csv->cell_count - csv->row_start >= COLUMNS || csv->cell_count >= CELLS) {
        const bool wide = csv->cell_count - csv->row_start >= COLUMNS;
        csv->code =
            an_fail(AN_EFORMAT, "%s line %lld: more than %d %s", csv->name, (long long)csv->line,
                    wide ? COLUMNS : (int)CELLS, wide ? "columns" : "cells; leave out columns");
        return;
    }
    void *cells = grow(csv->cells, csv->cell_count, &csv->cell_room, sizeof *csv->cells);
    if (cells)
        csv->cells = cells;
    const char *text = count == 0 ? "" : NULL;
    if (cells && count > 0)
        text = an_string_arena_bytes(&csv->text, field, count);
    if (cells && text)
        csv->cells[csv->cell_count++] = text;
    else
        csv->code = AN_ENOMEM;
}

static void end_row(int terminator, void *context)
{
    (void)terminator;
    an_csv *csv = context;
    csv->row_bytes = 0;
    if (csv->code != AN_OK)
        return;
    int64_t fields = csv->cell_count - csv->row_start;
    if (csv->columns < 0) {
        csv->columns = (int)fields;
    } else if (fields != csv->columns) {
        csv->code =
            an_fail(AN_EFORMAT, "%s line %lld: %s fields than the %d of the header", csv->name,
                    (long long)csv->line, fields < csv->columns ? "fewer" : "more", csv->columns);
        return;
    } else if (csv->rows >= ROWS) {
        csv->code = an_fail(AN_EFORMAT, "%s line %lld: more than %d rows", csv->name,
                            (long long)csv->line, ROWS);
        return;
    } else {
        void *lines = grow(csv->lines, csv->rows, &csv->line_room, sizeof *csv->lines);
        if (!lines) {
            csv->code = AN_ENOMEM;
            return;
        }
        csv->lines = lines;
        csv->lines[csv->rows++] = csv->line;
    }
    csv->row_start = csv->cell_count;
}

static unsigned char detect_delimiter(const char *text, size_t count)
{
    static const char candidates[3] = {CSV_COMMA, ';', CSV_TAB};
    int64_t seen[3] = {0};
    int quoted = 0, best = 0;
    for (size_t i = 0; i < count && (quoted || (text[i] != '\n' && text[i] != '\r')); i++) {
        if (text[i] == CSV_QUOTE)
            quoted = !quoted;
        for (int k = 0; k < 3; k++)
            seen[k] += !quoted && text[i] == candidates[k];
    }
    for (int k = 1; k < 3; k++)
        if (seen[k] > seen[best])
            best = k;
    return (unsigned char)candidates[best];
}

/* The length of a first line "sep=;", with which Excel states the delimiter; 0 if there is none. */
static size_t stated_delimiter(const char *text, size_t count, unsigned char *delimiter)
{
    static const char start[] = "sep=";
    const size_t at = sizeof start - 1;
    if (count < at + 2 || memcmp(text, start, at) != 0 || !strchr(",;\t|:", text[at]))
        return 0;
    const size_t end = at + 1 + (text[at + 1] == '\r' && count > at + 2);
    if (text[end] != '\n')
        return 0;
    *delimiter = (unsigned char)text[at];
    return end + 1;
}

static an_code syntax(const an_csv *csv, struct csv_parser *parser)
{
    if (csv_error(parser) == CSV_ENOMEM)
        return an_fail(AN_ENOMEM, "%s: no memory", csv->name);
    return an_fail(AN_EFORMAT, "%s line %lld: a quote (\") is out of place or never closed",
                   csv->name, (long long)csv->line);
}

static bool is_blank(const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (text[i] != ' ' && text[i] != '\r' && text[i] != '\n')
            return false;
    return true;
}

/* Parses pieces that end with the line, so that every row has its line number. */
static an_code feed(an_csv *csv, struct csv_parser *parser, const char *text, size_t count)
{
    bool new_line = true;
    for (const char *end = text + count; text < end;) {
        size_t length = (size_t)(end - text) < PIECE ? (size_t)(end - text) : PIECE;
        const char *newline = memchr(text, '\n', length);
        if (newline)
            length = (size_t)(newline + 1 - text);
        csv->line += new_line;
        new_line = newline != NULL;
        if (csv->row_bytes > 0 || !is_blank(text, length)) /* blank lines belong to no row */
            csv->row_bytes += length;
        if (csv_parse(parser, text, length, end_field, end_row, csv) != length)
            return syntax(csv, parser);
        if (csv->code != AN_OK)
            return csv->code;
        an_code code = an_stop_check();
        if (code != AN_OK)
            return code;
        if (csv->row_bytes > ROW + PIECE)
            return an_fail(AN_EFORMAT,
                           "%s line %lld: a row of more than %d kB; is a quote missing?", csv->name,
                           (long long)csv->line, (int)(ROW >> 10));
        text += length;
    }
    if (csv_fini(parser, end_field, end_row, csv) != 0)
        return syntax(csv, parser);
    return csv->code;
}

static an_code parse(an_csv *csv, const char *text, size_t count)
{
    static const char mark[3] = {'\xEF', '\xBB', '\xBF'};
    if (memchr(text, 0, count))
        return an_fail(AN_EFORMAT, "%s: holds zero bytes (UTF-16?); save it as UTF-8", csv->name);
    if (count >= sizeof mark && memcmp(text, mark, sizeof mark) == 0)
        text += sizeof mark, count -= sizeof mark;
    struct csv_parser parser;
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
        return an_fail(AN_ENOMEM, "%s: no memory", csv->name);
    csv_set_realloc_func(&parser, an_realloc);
    csv_set_free_func(&parser, an_free);
    csv_set_blk_size(&parser, PIECE);
    unsigned char delimiter = detect_delimiter(text, count);
    const size_t stated = stated_delimiter(text, count, &delimiter);
    csv->line += stated > 0;
    csv_set_delim(&parser, delimiter);
    an_code code = feed(csv, &parser, text + stated, count - stated);
    csv_free(&parser);
    if (code == AN_OK && csv->columns < 0)
        code = an_fail(AN_EFORMAT, "%s: empty; a header line is expected", csv->name);
    return code;
}

an_csv *an_csv_parse(const void *bytes, size_t count, const char *name)
{
    an_csv *csv = an_calloc(1, sizeof *csv);
    if (!csv)
        return NULL;
    csv->columns = -1;
    csv->name = an_strdup(name);
    if (csv->name && parse(csv, bytes, count) == AN_OK)
        return csv;
    an_csv_free(csv);
    return NULL;
}

an_csv *an_csv_read(const char *path)
{
    uint8_t *bytes;
    size_t count;
    if (an_file_read(path, LARGEST, &bytes, &count) != AN_OK)
        return NULL;
    an_csv *csv = an_csv_parse(bytes, count, path);
    an_free(bytes);
    return csv;
}

void an_csv_free(an_csv *csv)
{
    if (!csv)
        return;
    an_string_arena_free(&csv->text);
    an_free(csv->cells);
    an_free(csv->lines);
    an_free(csv->name);
    an_free(csv);
}

const char *an_csv_name(const an_csv *csv)
{
    return csv->name;
}

int64_t an_csv_rows(const an_csv *csv)
{
    return csv->rows;
}

int an_csv_columns(const an_csv *csv)
{
    return csv->columns;
}

const char *an_csv_header(const an_csv *csv, int column)
{
    AN_ASSERT(column >= 0 && column < csv->columns);
    return csv->cells[column];
}

const char *an_csv_at(const an_csv *csv, int64_t row, int column)
{
    AN_ASSERT(row >= 0 && row < csv->rows && column >= 0 && column < csv->columns);
    return csv->cells[(row + 1) * csv->columns + column];
}

int64_t an_csv_line(const an_csv *csv, int64_t row)
{
    AN_ASSERT(row >= 0 && row < csv->rows);
    return csv->lines[row];
}

int an_csv_column(const an_csv *csv, const char *header)
{
    char list[400] = "";
    size_t at = 0;
    for (int c = 0; c < csv->columns; c++) {
        if (strcmp(an_csv_header(csv, c), header) == 0)
            return c;
        if (at < sizeof list)
            at += (size_t)snprintf(list + at, sizeof list - at, c ? ", %s" : "%s",
                                   an_csv_header(csv, c));
    }
    return an_fail(AN_ENOTFOUND, "%s: no column '%s'; its columns are %s", csv->name, header, list),
           -1;
}
