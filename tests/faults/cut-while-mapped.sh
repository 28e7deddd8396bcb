# A weights file that is cut while it is mapped is exit 5, never a signal.
. tests/faults/setup
network big 150
cp -r big.mx whole.mx
need_read_counts
weights=$(size_of big.mx/weights.bin)

for io in uring threads sync; do
	cp whole.mx/weights.bin big.mx/weights.bin
	sync big.mx/weights.bin
	"$MEMEXEC" run big.mx -t 2 --wall=off --io=$io --cold \
		--repeat=100000 >out.txt 2>err.txt &
	pid=$!
	at_exit "kill -KILL $pid 2>/dev/null;"
	# Nearly all of it is there (the file is a little more than its
	# weights), so that little but computing goes on.
	until_true has_read $pid $((weights * 9 / 10)) ||
		skip "reads are not counted here"
	truncate -s $((weights / 2)) big.mx/weights.bin
	wait $pid
	status=$?
	[ $io = uring ] && [ $status = 6 ] && continue
	[ $status = 5 ] || fail "--io=$io: exit $status: $(cat err.txt)"
	says '^memexec: .*big.* byte [0-9]+ \([0-9]+ bytes\)'
done
