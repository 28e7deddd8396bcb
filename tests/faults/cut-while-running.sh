# A weights file that is cut while it is streamed is exit 5 with the offset,
# never a signal.
. tests/faults/setup
need_exact_memory
network big 150
cp -r big.mx whole.mx
weights=$(size_of big.mx/weights.bin)
cut_at=$((weights / 2))
least=$(minimum -t 2 big.mx)
need_read_counts

for io in uring threads sync; do
	for budget in "$least" $((weights / 2)); do
		cp whole.mx/weights.bin big.mx/weights.bin
		sync big.mx/weights.bin
		"$MEMEXEC" run big.mx -t 2 --wall=off --io=$io --cold \
			--repeat=100000 --budget="$budget" >out.txt 2>err.txt &
		pid=$!
		at_exit "kill -KILL $pid 2>/dev/null;"
		# Once through the whole file: everything is under way.
		until_true has_read $pid "$weights" ||
			skip "reads are not counted here"
		truncate -s $cut_at big.mx/weights.bin
		wait $pid
		status=$?
		[ $io = uring ] && [ $status = 6 ] && continue
		case="--io=$io --budget=$budget"
		[ $status = 5 ] || fail "$case: exit $status: $(cat err.txt)"
		says '^memexec: .*big.* byte [0-9]+ \([0-9]+ bytes\)'
		read -r offset size <<<"$(sed \
			's/.* byte \([0-9]*\) (\([0-9]*\) bytes).*/\1 \2/' err.txt)"
		[ $((offset + size)) -gt $cut_at ] ||
			fail "$case: byte $offset is there"
	done
done
# And before it starts, it is no model any more.
expect 3 "$MEMEXEC" run big.mx --wall=off --budget="$least"
says '^memexec: .*big'
