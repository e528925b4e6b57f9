/* known_schema: whether the tables, views and indices of a file are those that this program makes.
 */
#ifndef AN_STORE_KNOWN_SCHEMA_H
#define AN_STORE_KNOWN_SCHEMA_H

#include "store/store.h"

enum { AN_SCHEMA_DIGEST = 33 }; /* 32 hexadecimal digits and the final zero */

/* The digest of a CREATE statement: of its text without comments and without spaces that do not
 * separate two words. AN_ENOMEM. */
an_code an_schema_digest(const char *sql, char digest[AN_SCHEMA_DIGEST]);

/* The digest of all statements of the file as they are: kind, name, table and text of each, every
 * one with a final zero, in the order of their names. The file's own errors. */
an_code an_schema_whole_digest(an_db *db, char digest[AN_SCHEMA_DIGEST]);

/* Compares the schema of the file with `known`, the text of store/known_schema.txt. AN_EFORMAT,
 * naming the object, where one of a known name has another text than `version` has, where one is
 * missing, and for every trigger, virtual table and foreign index of a known table. Other tables
 * and views are permitted: nothing reads them. A file of a newer version must have what this
 * program reads, unchanged. */
an_code an_schema_check(an_db *db, int version, const char *known);

#endif
