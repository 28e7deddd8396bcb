# Budgets: what fits, what is refused, and that results stay the same.
. tests/cli/setup
nets=$root/examples/nets
m -q import "$nets/tiny_vgg.prototxt" --random-weights -o vgg.mx | tail -n 1

# The number behind a key of one line.
value() {
	sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p" | head -n 1
}

# Memory depends on the machine.
numbers() {
	sed -E 's/[0-9]+\.[0-9]( MiB)?/N\1/g'
}

"$MEMEXEC" run vgg.mx --output=whole >/dev/null
"$MEMEXEC" plan vgg.mx --json >plan.json
least=$(value minimum_budget_bytes <plan.json)
# A sanitizer's memory is not the same twice, and not by 128 KiB.
! grep -qaE '__(asan|tsan|ubsan)_' "$MEMEXEC" || least=$((least + (8 << 20)))
echo "# the least that plan tells does, and what run says of it is below it"
m plan vgg.mx --budget="$least" --json >least.json
grep -E '"feasible"|^exit' least.json
[ "$(value predicted_peak_bytes <least.json)" -le "$least" ] && echo below
for io in auto threads sync; do
	rm -rf out
	"$MEMEXEC" run vgg.mx --budget="$least" --wall=off --cold --io=$io \
		-q --output=out --json >run.json
	echo "$io: exit $?"
	cmp whole/vgg/output_0.npy out/vgg/output_0.npy && echo same
	[ "$(value budget_bytes <run.json)" = "$least" ] && echo budget
	[ "$(value peak_charge_bytes <run.json)" -le "$least" ] && echo below
	[ "$(value read_bytes <run.json)" -ge \
		"$(value required_read_bytes <run.json)" ] && echo read
	[ $io = auto ] || grep '"io"' run.json
	grep '"wall"' run.json
done
echo "# two jobs of one directory"
rm -rf out
m run vgg.mx ./vgg.mx --budget="$least" --wall=off -q | grep -c response
echo "# less does not"
m plan vgg.mx --budget=1M | numbers
m run vgg.mx --budget=1M | numbers
m run vgg.mx --budget=1M --wall=off | numbers
"$MEMEXEC" plan vgg.mx --budget=1M --json 2>/dev/null |
	grep -E '"(schema|budget_bytes|feasible)"'
echo "# a curve has points; it is infeasible when all of them are"
m plan vgg.mx --budget=1M,64M-128M*2 --json |
	grep -E '"(budget_bytes|feasible|points)"|^exit'
m plan vgg.mx --budget=1M,2M | grep -E 'too small|exit' | numbers
echo "# all fits a large budget"
"$MEMEXEC" plan vgg.mx --budget=1G --explain --json |
	grep -E '"reason"' | sort -u
echo "# without a budget it is what is available"
"$MEMEXEC" run vgg.mx -v 2>&1 >/dev/null | grep available | numbers |
	sed 's/GiB/MiB/'
echo "# ended by a signal"
timeout --preserve-status -s TERM 1 \
	"$MEMEXEC" run vgg.mx --budget=64M --repeat=1000000 >/dev/null
echo "exit $?"
