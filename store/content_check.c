/* content_check: the rows of a file that this program did not write; see content_check.h. Later
 * readers rely on it: a column has its type, a number of classes is valid, a uid names a folder. */
#include "store/content_check.h"

#include <stdio.h>
#include <string.h>

#include "store/connection.h"

static an_code refuse(const an_db *db, const char *what)
{
    return an_fail(AN_EFORMAT,
                   "%s: %.300s; the file is damaged or not aniso's, so it is not used: take a "
                   "backup or the original of the file",
                   db->path, what);
}

/* Runs one statement; the text of its first row, if any, names a fault. *next is the text after the
 * statement. `accepted` [opt]: the text that means no fault. */
static an_code run_check(an_db *db, const char *sql, const char *accepted, const char **next)
{
    sqlite3_stmt *s = NULL;
    an_db_start_statement(db); /* a time limit for each: the total grows with the file */
    int rc = sqlite3_prepare_v2(db->raw, sql, -1, &s, next);
    if (rc != SQLITE_OK)
        return an_db_error(db, rc);
    rc = s ? sqlite3_step(s) : SQLITE_DONE;
    an_code code = rc == SQLITE_DONE || rc == SQLITE_ROW ? AN_OK : an_db_error(db, rc);
    const char *found = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(s, 0) : NULL;
    if (rc == SQLITE_ROW && (!found || !accepted || strcmp(found, accepted) != 0))
        code = refuse(db, found ? found : "a check has no result");
    sqlite3_finalize(s);
    return code;
}

/* One table at a time: other tables, which nothing reads, are not checked. */
static an_code check_tables(an_db *db)
{
    static const char *const tables[] = {
        "calibration_bin", "checkpoint", "class_count", "class_score", "config",
        "config_param",    "confusion",  "data_split",  "dataset",     "dataset_class",
        "evaluation",      "host",       "lambda",      "log",         "metric",
        "metric_value",    "note",       "plan",        "plan_run",    "prediction",
        "result",          "run",        "source",      "split_class", "split_cluster",
        "study",           "tag",
    };
    char sql[64];
    an_code code = AN_OK;
    for (size_t i = 0; code == AN_OK && i < sizeof tables / sizeof *tables; i++) {
        if (sqlite3_table_column_metadata(db->raw, "main", tables[i], NULL, NULL, NULL, NULL, NULL,
                                          NULL) != SQLITE_OK)
            continue; /* from a later version */
        snprintf(sql, sizeof sql, "PRAGMA main.quick_check(%s)", tables[i]);
        code = run_check(db, sql, "ok", NULL);
    }
    return code;
}

an_code an_content_check(an_db *db, int version, const char *rules)
{
    an_code code = AN_OK;
    while (code == AN_OK && *rules) {
        int since = 1;
        const char *mark = strstr(rules, "-- since "), *end = strchr(rules, ';');
        if (mark && end && mark < end)
            sscanf(mark, "-- since %d", &since);
        if (since <= version) {
            code = run_check(db, rules, NULL, &rules);
            continue;
        }
        rules = end ? end + 1 : "";
    }
    return code == AN_OK ? check_tables(db) : code;
}
