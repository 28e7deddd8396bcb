# Where io_uring is refused, auto says so in one line and answers on threads;
# --io=uring exits 6.
. tests/faults/setup
need_exact_memory
need_strace
network big 100
least=$(minimum -t 2 big.mx)
expect 0 "$MEMEXEC" run big.mx --wall=off --io=sync --output=want

refused() {
	strace -f -qq -o strace.txt -e trace=io_uring_setup \
		-e inject=io_uring_setup:error="$1" \
		"$MEMEXEC" run big.mx --wall=off -t 2 "${@:2}"
}

for error in ENOSYS EPERM ENOMEM; do
	for budget in "" --budget="$least"; do
		rm -rf out
		# shellcheck disable=SC2086
		expect 0 refused $error --io=auto --json --output=out $budget
		grep -q "= -1 $error .*INJECTED" strace.txt ||
			skip "strace cannot inject into io_uring_setup"
		says 'io_uring.*threads instead'
		[ "$(number io <out.txt)" = threads ] ||
			fail "$error: io $(number io <out.txt)"
		same want out || fail "$error: other outputs"
		# shellcheck disable=SC2086
		expect 6 refused $error --io=uring $budget
		says '^memexec: .*io_uring'
	done
done
