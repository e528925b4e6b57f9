/* csv: a table of text with a header line, read whole through libcsv.
 *
 * The delimiter (comma, semicolon or tab) is the most frequent of the three in the header.
 * A UTF-8 byte-order mark, CRLF and quoted fields are understood, blank lines skipped.
 * Every row must have as many fields as the header. */
#ifndef AN_DATA_CSV_H
#define AN_DATA_CSV_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef struct an_csv an_csv;

/* NULL after AN_ENOTFOUND, AN_EIO, AN_ENOMEM, or AN_EFORMAT, which names file and line.
 * an_csv_parse reads from memory; `name` is for messages. Free with an_csv_free(). */
an_csv *an_csv_read(const char *path);
an_csv *an_csv_parse(const void *bytes, size_t count, const char *name);
void an_csv_free(an_csv *csv);

const char *an_csv_name(const an_csv *csv); /* the path or name it was read from */
int64_t an_csv_rows(const an_csv *csv);     /* without the header                */
int an_csv_columns(const an_csv *csv);
const char *an_csv_header(const an_csv *csv, int column);
const char *an_csv_at(const an_csv *csv, int64_t row, int column); /* "" where empty          */
int64_t an_csv_line(const an_csv *csv, int64_t row); /* line of the file where it ends    */

/* The column's number; −1 after AN_ENOTFOUND with the list of the columns there are. */
int an_csv_column(const an_csv *csv, const char *header);

#endif
