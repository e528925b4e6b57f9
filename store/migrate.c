/* migrate: creating the schema of a new file, and leading an older file to the newest version; see
 * migrate.h. */
#include "store/migrate.h"

#include <stdlib.h>
#include <string.h>

#include "io/path.h"
#include "io/sha256.h"
#include "store/connection.h"

/* SQL: sha256(text), the hash in hexadecimal digits; NULL of NULL. */
static void sql_sha256(sqlite3_context *context, int n, sqlite3_value **argument)
{
    (void)n;
    const unsigned char *text = sqlite3_value_text(argument[0]);
    char hex[AN_SHA256_HEX];
    if (!text)
        return;
    an_sha256_buffer(text, (size_t)sqlite3_value_bytes(argument[0]), hex);
    sqlite3_result_text(context, hex, AN_SHA256_HEX - 1, SQLITE_TRANSIENT);
}

an_code an_schema_show_options(an_db *db, int version, const an_schema *schema)
{
    if (!schema->old_options || version >= schema->options_version)
        return AN_OK;
    int rc = sqlite3_create_function(db->raw, "sha256", 1,
                                     SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, NULL,
                                     sql_sha256, NULL, NULL);
    return rc == SQLITE_OK ? an_db_script(db, schema->old_options) : an_db_error(db, rc);
}

an_code an_schema_create(an_db *db, const an_schema *schema)
{
    an_code code = an_db_begin(db);
    if (code == AN_OK)
        code = an_db_script(db, schema->sql);
    if (code == AN_OK)
        return an_db_commit(db);
    an_db_rollback(db);
    return code;
}

static an_code back_up_before_migration(an_db *db, int version)
{
    char *copy = sqlite3_mprintf("%s.v%d.bak", db->path, version);
    bool row;
    if (!copy)
        return an_db_error(db, SQLITE_NOMEM);
    an_stmt *s = an_db_prepare(db, "VACUUM INTO ?1");
    if (!s)
        return sqlite3_free(copy), an_err_code();
    if (an_path_kind_at(copy) == AN_FILE)
        an_path_remove(copy); /* left by an interrupted attempt */
    an_code code = an_bind_text(s, 1, copy, strlen(copy));
    if (code == AN_OK)
        code = an_step(s, &row);
    an_done(s);
    sqlite3_free(copy);
    return code;
}

static int migration_number(const an_embedded_file *migration)
{
    const char *slash = strrchr(migration->name, '/');
    return atoi(slash ? slash + 1 : migration->name);
}

/* Only a migration may write into the schema's text. */
static void allow_schema_text(an_db *db, bool allowed)
{
    sqlite3_db_config(db->raw, SQLITE_DBCONFIG_DEFENSIVE, !allowed, NULL);
}

static an_code run_migrations(an_db *db, int version, const an_schema *schema)
{
    an_code code = an_db_begin(db);
    if (code == AN_OK)
        code = an_schema_show_options(db, version, schema);
    for (size_t i = 0; code == AN_OK && i < schema->n_migrations; i++)
        if (migration_number(&schema->migrations[i]) > version)
            code = an_db_script(db, schema->migrations[i].text);
    char *mark = sqlite3_mprintf("PRAGMA user_version = %d", schema->version);
    if (code == AN_OK)
        code = mark ? an_db_script(db, mark) : an_db_error(db, SQLITE_NOMEM);
    sqlite3_free(mark);
    if (code == AN_OK)
        return an_db_commit(db);
    an_db_rollback(db);
    return code;
}

an_code an_schema_migrate(an_db *db, int version, const an_schema *schema)
{
    an_code code = back_up_before_migration(db, version);
    if (code != AN_OK)
        return code;
    allow_schema_text(db, true);
    code = run_migrations(db, version, schema);
    allow_schema_text(db, false);
    return code;
}
