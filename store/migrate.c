/* migrate: creates the schema of a new file, and migrates an older file to the newest version; see
 * migrate.h. */
#include "store/migrate.h"

#include <stdlib.h>
#include <string.h>

#include "io/file.h"
#include "io/path.h"
#include "io/sha256.h"
#include "store/connection.h"

/* SQL: sha256(text), the hash in hexadecimal digits; NULL for NULL. */
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

/* ── the copy ───────────────────────────────────────────────────────────────── */

static an_code copy_into(an_db *db, const char *draft)
{
    bool row;
    int made;
    an_code code = an_file_open(draft, AN_FILE_CREATE, &made);
    if (code != AN_OK)
        return code;
    an_file_close(made);
    an_stmt *s = an_db_prepare(db, "VACUUM INTO ?1");
    if (!s)
        return an_err_code();
    code = an_bind_text(s, 1, draft, strlen(draft));
    if (code == AN_OK)
        code = an_step(s, &row);
    an_done(s);
    return code;
}

/* Renames the draft. A file that has the name already is the copy of an interrupted attempt, or a
 * file of the user's, which stays. */
static an_code name_copy(const char *draft, const char *copy)
{
    char ours[AN_SHA256_HEX], theirs[AN_SHA256_HEX];
    if (an_path_kind_at(copy) == AN_NOTHING && !an_path_is_link(copy))
        return an_path_move(draft, copy);
    const bool comparable = an_path_is_plain(copy);
    an_code code = comparable ? an_sha256_file(draft, ours) : AN_OK;
    if (comparable && code == AN_OK)
        code = an_sha256_file(copy, theirs);
    if (code != AN_OK)
        return code;
    if (comparable && strcmp(ours, theirs) == 0)
        return an_path_remove(draft);
    return an_fail(AN_EIO,
                   "%s exists and is not a copy of the file that is to be migrated: rename or "
                   "remove it and repeat",
                   copy);
}

/* The writer's lock is held, so that no other process writes the draft. */
static an_code back_up(an_db *db, const char *draft, const char *copy)
{
    if (an_path_is_plain(draft))
        an_path_remove(draft); /* left by a killed attempt */
    an_code code = copy_into(db, draft);
    if (code == AN_OK)
        code = name_copy(draft, copy);
    if (code != AN_OK && an_path_is_plain(draft))
        an_path_remove(draft);
    return code;
}

static an_code back_up_before_migration(an_db *db, int version)
{
    char *copy = sqlite3_mprintf("%s.v%d.bak", db->path, version);
    char *draft = sqlite3_mprintf("%s.v%d.bak.tmp", db->path, version);
    an_code code = copy && draft ? back_up(db, draft, copy) : an_db_error(db, SQLITE_NOMEM);
    sqlite3_free(copy);
    sqlite3_free(draft);
    return code;
}

/* ── the migration ──────────────────────────────────────────────────────────── */

static int migration_number(const an_embedded_file *migration)
{
    const char *slash = strrchr(migration->name, '/');
    return atoi(slash ? slash + 1 : migration->name);
}

/* Only a migration may write to the schema's text. */
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
