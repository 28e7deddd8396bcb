# A queue outlives its runner: SIGINT keeps what was done, kill -9 keeps the
# queue, --halt stops it after the present experiment, and it goes on.
. tests/faults/setup
need env timeout
env --default-signal=INT true || skip "env cannot reset signals"
network net 2

# An experiment: name, arrivals, gap in ms.
experiment() {
	printf 'mode: linear\narrival-mode: stochastic\narrivals:\n' >"$1.yaml"
	local i
	for ((i = 0; i < $2; i++)); do
		printf -- '- networks: [{networkName: net}]\n  time: %s\n' \
			"$3" >>"$1.yaml"
	done
}

start() {
	env --default-signal=INT "$MEMEXEC" queue "$@" >out.txt 2>err.txt &
	pid=$!
	at_exit "kill -KILL $pid 2>/dev/null;"
	until_true grep -qs ^running results/queue ||
		fail "it does not run: $(cat err.txt)"
}

states() {
	cut -d' ' -f1-2 results/queue | tr '\n' ' '
}

is_at() {
	[ "$(states)" = "$1" ] || fail "the queue is at $(states), not $1"
}

# Its second arrival comes in a hundred hours.
experiment long 1 0
printf -- '- networks: [{networkName: net}]\n  time: 360000000\n' >>long.yaml
experiment short 1 0
start long.yaml short.yaml -o results --json
"$MEMEXEC" queue --resume -o results 2>err2.txt
status=$?
grep -q "another memexec runs this queue" err2.txt ||
	fail "two runners: exit $status"
kill -INT $pid
wait $pid
status=$?
[ $status = 130 ] || fail "SIGINT: exit $status"
is_at "waiting long waiting short "
grep -q '"interrupted": true' results/long.json ||
	fail "SIGINT: no results of what was done"
grep -q '"state": "pending"' results/long.json ||
	fail "SIGINT: the second arrival has run"

start --resume -o results
kill -KILL $pid
wait $pid 2>/dev/null
is_at "running long waiting short "
"$MEMEXEC" queue --list -o results | grep -q ^interrupted ||
	fail "SIGKILL: it is not listed as interrupted"
# It is short from now on.
experiment long 1 0
expect 0 "$MEMEXEC" queue -o results
is_at "done long done short "

# Each takes a second or so; the wish comes while the first runs.
names='1 2 3 4 5 6 7 8'
for name in $names; do
	experiment "$name" 50 20
done
start -o results [1-8].yaml
expect 0 "$MEMEXEC" queue --halt -o results
wait $pid
status=$?
[ $status = 0 ] || fail "--halt: exit $status"
states | grep -qE '^(done [1-8] )+(waiting [1-8] )+$' ||
	fail "--halt: the queue is at $(states)"
for name in $names; do
	experiment "$name" 1 0
done
expect 0 "$MEMEXEC" queue --resume -o results
is_at "done 1 done 2 done 3 done 4 done 5 done 6 done 7 done 8 "
