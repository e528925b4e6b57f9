/* csv: a text table with a header line, read into memory as a whole through libcsv.
 *
 * The delimiter (comma, semicolon or tab) is the most frequent of the three in the header, or that
 * of a first line "sep=;" as Excel writes it. A UTF-8 byte-order mark, CRLF and quoted fields are
 * accepted; blank lines are skipped; spaces around an unquoted field are not part of it. Every row
 * must have as many fields as the header. At most 256 MB, 4096 columns, 10,000,000 rows, 2^25 cells
 * and about 1 MB per row. */
#ifndef AN_DATA_CSV_H
#define AN_DATA_CSV_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef struct an_csv an_csv;

/* NULL after AN_ENOTFOUND, AN_EIO, AN_ENOMEM, or AN_EFORMAT, which names the file and the line.
 * Free with an_csv_free(). an_csv_parse() reads from memory; `name` is for messages. */
an_csv *an_csv_read(const char *path);
an_csv *an_csv_parse(const void *bytes, size_t count, const char *name);
void an_csv_free(an_csv *csv);

const char *an_csv_name(const an_csv *csv); /* the path or name it was read from */
int64_t an_csv_rows(const an_csv *csv);     /* without the header                */
int an_csv_columns(const an_csv *csv);
/* Rows count from 0 to an_csv_rows() − 1, columns from 0 to an_csv_columns() − 1. */
const char *an_csv_header(const an_csv *csv, int column);
const char *an_csv_at(const an_csv *csv, int64_t row, int column); /* "" where empty       */
int64_t an_csv_line(const an_csv *csv, int64_t row); /* of the file, where the row ends; from 1 */

/* The number of a column; −1 after AN_ENOTFOUND, whose message lists the columns. */
int an_csv_column(const an_csv *csv, const char *header);

#endif
