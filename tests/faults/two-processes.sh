# Two processes run one model directory at the same time: each answers as if
# alone and each stays within its own budget, in a cgroup of that size.
. tests/faults/setup
need_root
need_exact_memory
network big 200
least=$(minimum -t 2 big.mx)
expect 0 "$MEMEXEC" run big.mx --wall=off --io=sync --output=want
mkfifo gate
exec {gate}<>gate

# It waits at the gate for a line, so that both run at once.
start() {
	make_cage "$least"
	mkdir "$1"
	# shellcheck disable=SC2016
	caged "$cage" bash -c 'read -r _ <"$1"; exec "${@:2}"' gate gate \
		"$MEMEXEC" run big.mx -t 2 --wall=off --budget="$least" \
		--repeat=20 --io="$2" --json --output="$1/out" \
		>"$1/run.json" 2>"$1/err.txt" &
}

for io in uring threads sync; do
	rm -rf a b
	start a $io
	first=$! first_cage=$cage
	start b $io
	second=$! second_cage=$cage
	printf '\n\n' >&"$gate"
	wait $first
	status_a=$?
	wait $second
	status_b=$?
	[ $io = uring ] && [ $status_a = 6 ] && [ $status_b = 6 ] && continue
	[ $status_a = 0 ] || fail "$io: exit $status_a: $(cat a/err.txt)"
	[ $status_b = 0 ] || fail "$io: exit $status_b: $(cat b/err.txt)"
	same want a/out || fail "$io: other outputs of the first"
	same want b/out || fail "$io: other outputs of the second"
	for one in "$first_cage" "$second_cage"; do
		[ "$(cage_hits "$one")" = 0 ] || fail "$io: it hit the limit"
		[ "$(cage_peak "$one")" -le "$least" ] ||
			fail "$io: peak $(cage_peak "$one") of $least"
	done
done
