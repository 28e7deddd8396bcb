# A run at its minimum budget, cold, never touches the limit of a cgroup of
# that size which somebody else has made.
. tests/faults/setup
need_root
need_exact_memory
network big 200
network small 80
for io in uring threads sync; do
	for threads in 1 2; do
		for models in big.mx "big.mx small.mx"; do
			# shellcheck disable=SC2086
			least=$(minimum -t $threads $models)
			case="$models -t $threads --io=$io, $least bytes"
			rm -rf want out
			# The program's own pages are charged to whoever is first.
			# shellcheck disable=SC2086
			expect 0 "$MEMEXEC" run $models -t $threads --io=sync \
				--wall=off --cold --output=want
			make_cage "$least"
			# shellcheck disable=SC2086
			caged "$cage" "$MEMEXEC" run $models -t $threads --cold \
				--io=$io --wall=off --budget="$least" \
				--output=out --json >run.json 2>err.txt
			status=$?
			[ $status = 6 ] && [ $io = uring ] && continue
			[ $status = 0 ] ||
				fail "$case: exit $status: $(cat err.txt)"
			diff -r want out || fail "$case: other outputs"
			hits=$(cage_hits "$cage") peak=$(cage_peak "$cage")
			echo "$case: peak $peak, $hits hits"
			[ "$hits" = 0 ] || fail "it hit the limit"
			[ "$peak" -le "$least" ] || fail "it is above the limit"
			# A page of the program that no warm-up has touched may
			# fault; weights that do would by the thousand.
			faults=$(number major_faults <run.json)
			[ "$faults" -le 8 ] || fail "$faults major faults"
		done
	done
done
