# Where the storage gives an error, that is exit 5 with the offset, and no
# SIGBUS, with every back end, streamed or mapped.
. tests/faults/setup
need_exact_memory
need_root
need losetup mount mkfs.ext4 filefrag unshare timeout
# In a name space of its own, the mount is gone whatever happens.
if [ -z "${MEMEXEC_UNSHARED-}" ]; then
	cd - >/dev/null || exit 1
	unshare -m true 2>/dev/null || skip "no mount name space"
	rm -f "$WORK/.never"
	trap - EXIT
	MEMEXEC_UNSHARED=1 exec unshare -m bash "$0"
fi
mebi=$((1 << 20))
network big 150
weights=$(size_of big.mx/weights.bin)
least=$(minimum -t 2 big.mx)
mkdir disk
truncate -s $((48 * mebi)) disk.img
mkfs.ext4 -q -F -b 4096 -m 0 -O ^has_journal disk.img ||
	skip "no ext4 can be made"

# It goes away with the last mount.
mount_it() {
	local loop
	loop=$(losetup --direct-io=on -f --show disk.img 2>err.txt) ||
		skip "no loop device: $(cat err.txt)"
	mount -t ext4 -o "$1" "$loop" disk 2>err.txt
	status=$?
	losetup -d "$loop"
	[ $status = 0 ] || skip "no mount: $(cat err.txt)"
}

mount_it rw
at_exit 'umount -l disk 2>/dev/null;'
cp -r big.mx disk/ || fail "copy"
sync disk/big.mx/*
# The last extent lies behind all else that is read; cut in its middle.
last=$(filefrag -e -b4096 disk/big.mx/weights.bin |
	sed -n 's/^ *[0-9]*: *\([0-9]*\)\.\. *\([0-9]*\): *\([0-9]*\)\.\. *\([0-9]*\):.*/\3 \4 \1/p' |
	sort -n | tail -n 1)
read -r from to logical <<<"$last"
[ -n "${logical-}" ] || skip "filefrag does not tell where the file lies"
middle=$(((from + to) / 2))
bad=$(((logical + middle - from) * 4096))
umount disk
mount_it ro
expect 0 "$MEMEXEC" run disk/big.mx -q --wall=off --cold --budget="$least" -t 2
truncate -s $((middle * 4096)) disk.img
# Some kernels' loop devices read zeros there instead.
! dd if=disk/big.mx/weights.bin of=/dev/null bs=4096 skip=$((bad / 4096)) \
	count=1 iflag=direct 2>/dev/null || skip "a cut image gives no error"

# Before 6.9, populating a mapping over a bad block tries for ever (and ends
# by a signal): only what is streamed can be shown there.
before_6_9() {
	[ "$(printf '%s\n' 6.9 "$(uname -r)" | sort -V | head -n 1)" != 6.9 ]
}
budgets=(--budget="$least" --budget=$((weights / 2)))
if before_6_9; then
	echo "without mapped weights: $(uname -r) does not return from them"
else
	budgets+=("")
fi

for io in uring threads sync; do
	for budget in "${budgets[@]}"; do
		# shellcheck disable=SC2086
		timeout $patience_s "$MEMEXEC" run disk/big.mx -t 2 -q \
			--wall=off --io=$io --cold $budget >out.txt 2>err.txt
		status=$?
		[ $io = uring ] && [ $status = 6 ] && continue
		[ $status = 5 ] || fail "$io $budget: exit $status: $(cat err.txt)"
		says '^memexec: .*big.* byte [0-9]+ \([0-9]+ bytes\)'
		read -r offset size <<<"$(sed \
			's/.* byte \([0-9]*\) (\([0-9]*\) bytes).*/\1 \2/' err.txt)"
		[ $((offset + size)) -gt $bad ] ||
			fail "$io $budget: byte $offset is good, $bad is not"
	done
done
cat err.txt
