/* known_schema: checks that the tables, views and indices of a file are those that this program
 * creates. */
#ifndef AN_STORE_KNOWN_SCHEMA_H
#define AN_STORE_KNOWN_SCHEMA_H

#include "store/store.h"

enum { AN_SCHEMA_DIGEST = 33 }; /* 32 hexadecimal digits and the final zero */

/* The digest of a CREATE statement's text, without comments and without spaces that do not separate
 * two words. AN_ENOMEM. */
an_code an_schema_digest(const char *sql, char digest[AN_SCHEMA_DIGEST]);

/* The digest of all statements in the file, unchanged: kind, name, table and text of each, every
 * one with a final zero, in order of name. Failures of reading the file. */
an_code an_schema_whole_digest(an_db *db, char digest[AN_SCHEMA_DIGEST]);

/* Compares the schema of the file with `known`, the text of store/known_schema.txt. AN_EFORMAT,
 * naming the object, if one with a known name differs from its text in `version`, if one is
 * missing, and for every trigger, virtual table and foreign index of a known table. Other tables
 * and views are permitted: nothing reads them. A file of a newer version must contain, unchanged,
 * what this program reads. */
an_code an_schema_check(an_db *db, int version, const char *known);

#endif
