/* content_check: checks that the rows of a file are ones that this program could have written. */
#ifndef AN_STORE_CONTENT_CHECK_H
#define AN_STORE_CONTENT_CHECK_H

#include "store/store.h"

/* Verifies the file with `rules`, the text of store/content_rules.sql, and then every table with
 * SQLite's quick_check, which includes STRICT and NOT NULL. AN_EFORMAT, naming the first fault. The
 * schema was checked before (known_schema.h). Reads the whole file. */
an_code an_content_check(an_db *db, int version, const char *rules);

#endif
