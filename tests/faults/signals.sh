# SIGINT and SIGTERM end a run with 130 and 143 and leave no cgroup; what a
# killed run has left, the next one removes.
. tests/faults/setup
need_exact_memory
need env timeout
network big 100
can_wall big.mx || skip "$(cat err.txt)"
find_memory_cgroups
least=$(minimum -t 2 big.mx)
env --default-signal=INT true || skip "env cannot reset signals"

walled() {
	[ "$(group_of "$1")" != "$(group_of self)" ]
}

# A run that does not end by itself; $pid, and its cgroup's directory $group.
start() {
	# What runs behind a shell ignores SIGINT, and memexec honours that.
	env --default-signal=INT "$MEMEXEC" run big.mx -t 2 --wall=require \
		--budget="$least" --repeat=1000000 >out.txt 2>err.txt &
	pid=$!
	at_exit "kill -KILL $pid 2>/dev/null;"
	until_true walled $pid || fail "no wall: $(cat err.txt)"
	group=$memory_point$(group_of $pid)
	[ -d "$group" ] || fail "$group is no directory"
}

for signal in INT TERM HUP; do
	start
	kill -$signal $pid
	wait $pid
	status=$?
	[ $status = $((128 + $(kill -l $signal))) ] ||
		fail "SIG$signal: exit $status"
	[ ! -e "$group" ] || fail "SIG$signal: $group is left"
done

start
kill -KILL $pid
wait $pid 2>/dev/null
status=$?
[ $status = 137 ] || fail "SIGKILL: exit $status"
expect 0 "$MEMEXEC" run big.mx --wall=require --budget="$least" -t 2
[ ! -e "$group" ] || fail "SIGKILL: $group is left by the next run"
