# A network whose weights cannot be read fails alone: the others' outputs are
# there, and the exit status is still 5.
. tests/faults/setup
need_exact_memory
network big 150
network good 40
budget=$(($(minimum -t 2 big.mx good.mx) + 262144))
need_read_counts
expect 0 "$MEMEXEC" run good.mx --output=alone

weights=$(size_of big.mx/weights.bin)
"$MEMEXEC" run good.mx big.mx -t 2 --wall=off --io=threads --cold \
	--repeat=100000 --budget="$budget" --output=both --json >out.txt \
	2>err.txt &
pid=$!
at_exit "kill -KILL $pid 2>/dev/null;"
until_true has_read $pid "$weights" || skip "reads are not counted here"
truncate -s $((weights / 2)) big.mx/weights.bin
wait $pid
status=$?
[ $status = 5 ] || fail "exit $status: $(cat err.txt)"
says '^memexec: .*big.* byte [0-9]+ \([0-9]+ bytes\)'
grep -q '"error": "big: fc1: cannot read weights' out.txt ||
	fail "no error in the report: $(cat out.txt)"
[ -d both/good ] || fail "the good network's outputs are lost"
[ ! -e both/big ] || fail "the bad network has outputs"
diff -r alone/good both/good || fail "the good network's outputs differ"
