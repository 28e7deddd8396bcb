# Without a page of memory that may be locked, outputs are the same and nobody
# is bothered.
. tests/faults/setup
need_exact_memory
need prlimit
network big 100
least=$(minimum -t 2 big.mx)
expect 0 "$MEMEXEC" run big.mx --wall=off --io=sync --output=want

# Root may lock what it likes as long as it has that capability.
unlocked=(prlimit --memlock=0)
if [ "$(id -u)" = 0 ]; then
	need setpriv
	unlocked+=(setpriv --bounding-set=-ipc_lock --inh-caps=-ipc_lock)
fi
"${unlocked[@]}" true 2>err.txt || skip "no limit: $(cat err.txt)"
ipc_lock=$((1 << 14))
held=$("${unlocked[@]}" sed -n 's/^CapEff:\t/0x/p' /proc/self/status)
[ $((held & ipc_lock)) = 0 ] || skip "CAP_IPC_LOCK does not go away"

for io in auto uring threads sync; do
	for budget in "" --budget="$least"; do
		rm -rf out
		# shellcheck disable=SC2086
		"${unlocked[@]}" "$MEMEXEC" run big.mx --wall=off -t 2 \
			--io=$io --output=out $budget >out.txt 2>err.txt
		status=$?
		if [ $io = uring ] && [ $status = 6 ]; then
			says 'io_uring' # an old kernel locks the ring too
			continue
		fi
		[ $status = 0 ] || fail "$io: exit $status: $(cat err.txt)"
		same want out || fail "$io: other outputs"
		[ $io = auto ] || [ ! -s err.txt ] ||
			fail "$io: $(cat err.txt)"
	done
done
