/* hold_lock DATABASE: another program with the write lock. Prints "held" once it has it, and gives
 * it back when its standard input ends. For tests/cli/test_surroundings.sh. */
#include <sqlite3.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    sqlite3 *db;
    if (argc != 2 || sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        return 2;
    sqlite3_busy_timeout(db, 60000);
    if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        return 1;
    puts("held");
    fflush(stdout);
    while (getchar() != EOF)
        continue;
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return sqlite3_close(db) != SQLITE_OK;
}
