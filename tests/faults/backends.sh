# Outputs are the same to the byte with every back end, wall, number of
# threads and budget.
. tests/faults/setup
need_exact_memory
network big 200
weights=$(size_of big.mx/weights.bin)
walls="off auto"
if can_wall big.mx; then
	walls="$walls require"
else
	echo "without --wall=require: $(cat err.txt)"
fi
expect 0 "$MEMEXEC" run big.mx --wall=off --io=sync -t 1 --output=want
count=0
for threads in 1 2; do
	least=$(minimum -t $threads big.mx)
	[ "$least" -lt $((weights / 2)) ] || fail "the minimum is $least"
	for budget in "" --budget="$least" --budget=$((weights / 2)); do
		for wall in $walls; do
			for io in uring threads sync; do
				rm -rf out
				# shellcheck disable=SC2086
				"$MEMEXEC" run big.mx -q --output=out $budget \
					--wall="$wall" --io=$io -t $threads \
					--json >run.json 2>err.txt
				status=$?
				if [ $io = uring ] && [ $status = 6 ]; then
					uring_missing=$(cat err.txt)
					continue
				fi
				case="-t $threads $budget --wall=$wall --io=$io"
				[ $status = 0 ] ||
					fail "$case: exit $status: $(cat err.txt)"
				same want out || fail "$case: other outputs"
				[ "$(number io <run.json)" = $io ] ||
					fail "$case: io $(number io <run.json)"
				[ "$wall" != require ] ||
					number wall <run.json | grep -q '^v[12] ' ||
					fail "$case: no wall in the report"
				count=$((count + 1))
			done
		done
	done
done
[ -z "${uring_missing-}" ] || echo "without io_uring: $uring_missing"
echo "$count runs alike"
