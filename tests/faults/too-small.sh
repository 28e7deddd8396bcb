# A budget below the minimum is refused with exit 4, with the minimum and what
# needs it, before anything of the weights is read.
. tests/faults/setup
need_exact_memory
network big 100
least=$(minimum -t 2 big.mx)
# What is told has some room in it for what differs from run to run.
short=$((least - (320 << 10)))
for budget in 1 1M $short; do
	expect 4 "$MEMEXEC" run big.mx -t 2 --wall=off --budget="$budget"
	says '^memexec: .*big.*needs [0-9.]+ [MK]iB'
	expect 4 "$MEMEXEC" plan big.mx -t 2 --budget="$budget"
	grep -q needs err.txt || fail "plan says: $(cat err.txt)"
done
if can_wall big.mx; then
	expect 4 "$MEMEXEC" run big.mx --wall=require --budget=1M
	says '^memexec: .*big.*needs'
fi
need_strace
for io in uring threads sync; do
	strace -f -y -qq -o strace.txt \
		-e trace=read,readv,pread64,preadv,preadv2,io_uring_enter \
		"$MEMEXEC" run big.mx -t 2 --wall=off --io=$io \
		--budget=$short >out.txt 2>err.txt
	status=$?
	[ $status = 4 ] || [ $status = 6 ] || fail "$io: exit $status"
	! grep -E 'weights\.bin|io_uring_enter' strace.txt ||
		fail "$io: it has read"
done
# The same eyes see a run that does read.
strace -f -y -qq -o strace.txt -e trace=read,pread64,preadv,preadv2 \
	"$MEMEXEC" run big.mx -t 2 --wall=off --io=sync --budget="$least" \
	>out.txt 2>err.txt || fail "$(cat err.txt)"
grep -q 'weights\.bin' strace.txt || fail "strace does not see reads"
