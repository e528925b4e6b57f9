/* migrate: creates the schema of a new file, and migrates an older version to the newest. Private
 * to store/. */
#ifndef AN_STORE_MIGRATE_H
#define AN_STORE_MIGRATE_H

#include "store/store.h"

/* Creates the tables and views of an empty file, in one transaction. */
an_code an_schema_create(an_db *db, const an_schema *schema);

/* Copies the file to FILE.vN.bak and runs the migrations after `version`, in one transaction.
 * AN_EIO if something else has that name: it stays, and nothing is migrated. */
an_code an_schema_migrate(an_db *db, int version, const an_schema *schema);

/* Creates temporary views that show the tables of an old file with the current option names. */
an_code an_schema_show_options(an_db *db, int version, const an_schema *schema);

#endif
