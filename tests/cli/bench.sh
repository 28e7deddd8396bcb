# bench: what it prints, and baselines.
. tests/cli/setup
exact_network >exact.prototxt
m import exact.prototxt --random-weights
m bench exact.mx -r 2 -t 1,2 --format=csv | cut -d, -f1-7
m bench exact.mx -r 2 --warm --per-layer --format=md | cut -d'|' -f2-5
echo "# budgets: fire.mx has 15360 bytes of weights, in one slice or several"
nets=$root/examples/nets
m -q import "$nets/tiny_fire.prototxt" --random-weights -o fire.mx | tail -n 1
m bench fire.mx -r 2 --cold --budget=64M,128M-256M*2 --format=csv |
	cut -d, -f1-7,14
m bench fire.mx -r 2 --cold --budget=64M --io=sync --format=csv |
	cut -d, -f1-7,14
echo "# policies are a dimension of their own"
m bench fire.mx -r 1 -t 1,2 --budget=64M,128M --policy=fifo,masa --format=csv |
	cut -d, -f1-7
"$MEMEXEC" bench fire.mx -r 1 --policy=masa,linear --json >policies.json
grep '"policy"' policies.json
m bench fire.mx -r 1 --policy=linear --baseline=policies.json \
	--max-regress=100000% | tail -n 1
m bench fire.mx -r 1 --policy=fifo --baseline=policies.json | tail -n 2
m bench fire.mx --policy=fifo,best
"$MEMEXEC" bench fire.mx -q -r 2 --cold --budget=64M --json |
	grep -A 3 -E '"(budget_bytes|paging|state|read_bytes)"' | grep -v _ns
m bench fire.mx -r 2 --budget=1M | sed 's/[0-9.]* MiB/N MiB/g; s/(.*/.../'
"$MEMEXEC" bench exact.mx -r 3 --json >base.json
grep -E '"(schema|network|threads|policy|state|budget_bytes)"' base.json
grep -cE '^        [0-9]+,?$' base.json
echo "# a thousand times longer would still do; longer than a nanosecond does not"
m bench exact.mx -r 3 --baseline=base.json --max-regress=100000% |
	tail -n 1
sed -i 's/"median_ns": .*/"median_ns": 1,/' base.json
m bench exact.mx -r 3 --baseline=base.json | tail -n 1
m bench exact.mx -r 3 -t 2 --baseline=base.json | tail -n 2
echo '{}' >base.json
m bench exact.mx -r 1 --baseline=base.json | tail -n 2
