/* edit_db FILE SQL…: changes a database as anyone can: without its constraints, and without the
 * program. For tests/cli/test_former_faults.sh and test_mutated.sh. */
#include <sqlite3.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    sqlite3 *db;
    if (argc < 3 || sqlite3_open(argv[1], &db) != SQLITE_OK)
        return 2;
    sqlite3_exec(db, "PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF", NULL, NULL,
                 NULL);
    for (int i = 2; i < argc; i++) {
        char *message = NULL;
        if (sqlite3_exec(db, argv[i], NULL, NULL, &message) != SQLITE_OK)
            return fprintf(stderr, "edit_db: %s: %s\n", argv[i], message), 1;
    }
    return sqlite3_close(db) != SQLITE_OK;
}
