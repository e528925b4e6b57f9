# Counts the results of tests/faults/replay: a row per kind and command.
{
    split($2, part, ":")
    row = part[1] " " part[2]
    if (!(row in points)) order[++rows] = row
    points[row]++
    count[row, $1]++
    all[$1]++
}
END {
    printf "%-20s %7s %9s %9s %9s %9s %7s\n", "fault in", "points", "not met", "absorbed", "one line", "killed", "FAILED"
    for (i = 1; i <= rows; i++) {
        row = order[i]
        printf "%-20s %7d %9d %9d %9d %9d %7d\n", row, points[row], count[row, "unmet"], count[row, "absorbed"],
            count[row, "line"], count[row, "killed"], count[row, "FAILED"]
    }
    printf "%-20s %7d %9d %9d %9d %9d %7d\n", "all", NR, all["unmet"], all["absorbed"], all["line"], all["killed"],
        all["FAILED"]
}
