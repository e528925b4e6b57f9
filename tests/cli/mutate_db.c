/* mutate_db FILE N: changes one thing in a run database as no aniso would, and prints what: a value
 * of another type or range in one row of one column, a dropped column, a trigger, a view, a lost
 * constraint. N selects the change; every N is one. Constraints are suspended for the change and
 * are in the schema again afterwards. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static sqlite3 *db;

static void run(const char *sql)
{
    sqlite3_exec(db, sql, NULL, NULL, NULL); /* what SQLite itself refuses is no change */
}

static void open_file(const char *path)
{
    if (sqlite3_open(path, &db) != SQLITE_OK)
        exit(1);
    run("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; PRAGMA writable_schema = "
        "ON");
}

static const char *const values[] = {
    "NULL",
    "-1",
    "0",
    "7",
    "4611686018427387904",
    "9e999",
    "-9e999",
    "1.5",
    "''",
    "'x'",
    "x'00ff'",
    "'{'",
    "'[]'",
    "'{}'",
    "'null'",
    "replace(hex(zeroblob(900)), '00', '[')",
    "hex(zeroblob(60000))",
    "'../../x'",
    "char(27) || '[2J' || char(10) || 'aniso'",
    "'9999'",
    "'{\"train\":5,\"data\":[]}'",
    "CAST(x'ff80' AS TEXT)",
};

static const char *const changes[] = {
    "CREATE TRIGGER t AFTER UPDATE ON run BEGIN DELETE FROM evaluation; END",
    "DROP VIEW v_run; CREATE VIEW v_run AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 "
    "FROM c) SELECT * FROM v_any_run, c",
    "DROP VIEW v_eval; CREATE VIEW v_eval AS SELECT * FROM v_eval_2; CREATE VIEW v_eval_2 AS "
    "SELECT "
    "* FROM v_eval",
    "DROP VIEW v_run; CREATE TABLE v_run(x)",
    "DROP TABLE lambda",
    "CREATE VIEW mine AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x FROM c) SELECT x FROM "
    "c",
    "CREATE TABLE mine(x)",
    "PRAGMA user_version = 99",
    "PRAGMA user_version = 6",
    "PRAGMA user_version = -1",
    "PRAGMA application_id = 1",
    "DELETE FROM run",
    "DELETE FROM study",
    "DELETE FROM dataset_class",
    "DELETE FROM class_count",
    "DELETE FROM split_class WHERE class_idx = 1",
    "DELETE FROM confusion",
    "DELETE FROM evaluation WHERE is_primary",
    "DELETE FROM host",
    "DELETE FROM config_param",
    "DELETE FROM metric",
    "DELETE FROM lambda",
    "DELETE FROM metric_value",
    "UPDATE run SET ended_at = NULL",
    "UPDATE dataset SET n_classes = 1000000000",
    "UPDATE evaluation SET part = 'val'",
    "UPDATE run SET fold = 0; UPDATE data_split SET folds = 2",
    "UPDATE metric_value SET value = NULL, kind = 'nan'",
    "UPDATE confusion SET n = n * 1000000",
    "UPDATE result SET value = NULL, lo = NULL, hi = NULL",
    "UPDATE prediction SET probs = NULL",
    "UPDATE class_count SET support = 0",
    "UPDATE lambda SET value = 1e-29 WHERE class_idx = 0",
    "UPDATE dataset_class SET name = hex(zeroblob(2000))",
    "UPDATE study SET name = ''",
    "UPDATE run SET label = NULL, name = ''",
    "UPDATE split_class SET n_train = 0",
    "UPDATE dataset_class SET name = 'same'",
    "UPDATE config SET json = '{}'",
    "UPDATE config SET json = '{\"train\":5,\"sampler\":7,\"data\":true,\"schedule\":[]}'",
    "UPDATE run SET started_at = '', heartbeat_at = ''",
    "UPDATE run SET seed = -9223372036854775807 - 1",
    "INSERT INTO metric_value SELECT run_id, metric_id, part, step + 1000000000000, 1e300, "
    "'finite' FROM "
    "metric_value LIMIT 1",
};

enum { VALUES = sizeof values / sizeof *values, CHANGES = sizeof changes / sizeof *changes };

/* The N-th column of the file's tables, as "table" and "column". */
static int find_column(unsigned n, char table[64], char column[64])
{
    static const char sql[] =
        "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE "
        "t.type = 'table' AND t.name NOT GLOB 'sqlite_*' ORDER BY 1, c.cid";
    sqlite3_stmt *s;
    unsigned count = 0, passes = 2, wanted = 0;
    for (unsigned pass = 0; pass < passes; pass++) {
        unsigned i = 0;
        if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
            return 0;
        while (sqlite3_step(s) == SQLITE_ROW) {
            if (pass == 1 && i == wanted) {
                snprintf(table, 64, "%s", sqlite3_column_text(s, 0));
                snprintf(column, 64, "%s", sqlite3_column_text(s, 1));
            }
            i++;
        }
        sqlite3_finalize(s);
        count = i;
        wanted = count ? n % count : 0;
    }
    return count > 0;
}

/* The texts of the tables, to be written back. */
static char *names[64], *texts[64];
static int tables;

static void keep_texts(void)
{
    sqlite3_stmt *s;
    if (sqlite3_prepare_v2(db, "SELECT name, sql FROM sqlite_schema WHERE type = 'table'", -1, &s,
                           NULL) != 0)
        exit(1);
    for (tables = 0; tables < 64 && sqlite3_step(s) == SQLITE_ROW; tables++) {
        names[tables] = strdup((const char *)sqlite3_column_text(s, 0));
        texts[tables] = strdup((const char *)sqlite3_column_text(s, 1));
    }
    sqlite3_finalize(s);
}

static void restore_texts(void)
{
    sqlite3_stmt *s;
    if (sqlite3_prepare_v2(db,
                           "UPDATE sqlite_schema SET sql = ?1 WHERE name = ?2 AND type = 'table'",
                           -1, &s, NULL))
        exit(1);
    for (int i = 0; i < tables; i++) {
        sqlite3_bind_text(s, 1, texts[i], -1, SQLITE_STATIC);
        sqlite3_bind_text(s, 2, names[i], -1, SQLITE_STATIC);
        sqlite3_step(s);
        sqlite3_reset(s);
        free(texts[i]);
        free(names[i]);
    }
    sqlite3_finalize(s);
}

/* Puts a value into the first or last row of a column, whatever the column's type is. */
static void change_cell(const char *path, const char *table, const char *column, const char *value,
                        int last)
{
    char sql[512];
    keep_texts();
    run("UPDATE sqlite_schema SET sql = replace(replace(replace(replace(replace(sql, ') STRICT, "
        "WITHOUT', "
        "') WITHOUT'), ') STRICT', ')'), 'TEXT NOT NULL', 'TEXT'), 'INTEGER NOT NULL', 'INTEGER'), "
        "'REAL NOT NULL', 'REAL') WHERE type = 'table'");
    sqlite3_close(db);
    open_file(path);
    snprintf(sql, sizeof sql, "UPDATE OR IGNORE %s SET %s = %s WHERE %s IS (SELECT %s(%s) FROM %s)",
             table, column, value, column, last ? "max" : "min", column, table);
    run(sql);
    restore_texts();
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    const char *path = argv[1];
    const unsigned n = (unsigned)atoi(argv[2]);
    char table[64], column[64], sql[256];
    open_file(path);
    if (n < CHANGES) {
        run(changes[n]);
        puts(changes[n]);
    } else if (find_column(n * 7u, table, column)) {
        if (n % 23 == 0) {
            snprintf(sql, sizeof sql, "ALTER TABLE %s DROP COLUMN %s", table, column);
            run(sql);
            puts(sql);
        } else {
            const char *value = values[n * 13u / 7u % VALUES];
            change_cell(path, table, column, value, (int)(n / 2 % 2));
            printf("%s.%s = %s\n", table, column, value);
        }
    }
    sqlite3_close(db);
    return 0;
}
