# Compares counted instructions (lines "name count" on the second input) with what instructions.toml (the first) expects.
FNR == NR {
    if ($1 == "made_with") { made_with = $0; sub(/^[^"]*"/, "", made_with); sub(/".*$/, "", made_with) }
    else if ($1 == "tolerance_percent") tolerance = $3
    else if (listed) { if ($2 == "=") expected[$1] = $3 }
    if ($1 == "[instructions]") listed = 1
    next
}
{
    counted[$1] = 1
    if (!($1 in expected)) {
        printf "%-60s %9d  NOT LISTED\n", $1, $2
        wrong++
        next
    }
    change = 100 * ($2 - expected[$1]) / expected[$1]
    verdict = change > tolerance ? "  MORE" : change < -tolerance ? "  LESS" : ""
    printf "%-60s %9d  expected %9d  %+6.1f %%%s\n", $1, $2, expected[$1], change, verdict
    if (verdict != "") wrong++
}
END {
    for (name in expected) if (!(name in counted)) { printf "%-60s was not counted\n", name; wrong++ }
    if (made_with != machine) {
        printf "\nNot judged: the expected figures were made with %s, and this is %s.\n", made_with, machine
        printf "To judge a change here, write them before it: UPDATE=1 make instructions\n"
        exit 0
    }
    if (!wrong) exit 0
    printf "\n%d of these are not what %s %% allows. If MORE is not meant, see where it comes from:\n", wrong, tolerance
    printf "    callgrind_annotate target/gungraun/benches/instructions/hot/<name>/callgrind.*.out\n"
    printf "If the new figures are right, take them, and say in the commit why: UPDATE=1 make instructions\n"
    exit 1
}
