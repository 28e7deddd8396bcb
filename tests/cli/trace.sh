# Traces and timeouts of run, plan and queue.
. tests/cli/setup
nets=$root/examples/nets
exact_network >exact.prototxt
m -q import exact.prototxt --random-weights
m -q import "$nets/tiny_vgg.prototxt" --random-weights -o vgg.mx | tail -n 1
m -q import "$nets/tiny_fire.prototxt" --random-weights -o fire.mx | tail -n 1
# What is in a trace, in which every process has a name; and that it is JSON:
# bench reads it to the end to find that it is none of its own.
tell() {
	"$MEMEXEC" -q bench exact.mx -r 1 --baseline="$1" 2>&1 >/dev/null |
		sed 's/^memexec: //'
	sed -n 's/.*process_name.*"args": {"name": \(.*\)}},*$/\1/p' "$1"
	grep -oE '"name": "(reads|(worker|processor) 0)"' "$1" | sort | uniq -c |
		tr -s ' '
	grep -oE '"cat": "(compute|job|read)"|"(ledger|weights|activations)"' "$1" |
		sort -u | tr '\n' ' '
	echo
	grep -oE '"(policy|simulated|budget_bytes|dropped_events)": .*' "$1"
}
echo "# run: two jobs of vgg share their reads"
m run vgg.mx fire.mx vgg.mx --budget=64M --trace=run.json >/dev/null
tell run.json
grep -c '"name": "runs".*"b"\|"b".*"name": "runs"' run.json
[ "$(grep -c '"cat": "read"' run.json)" -gt 3 ] && echo "reads"
for part in conv1 fc5; do
	grep -q "\"cat\": \"compute\",\"name\": \"$part" run.json && echo $part
done
echo "# plan and queue, simulated"
m plan vgg.mx fire.mx --budget=64M --trace=plan.json >/dev/null
tell plan.json
m queue vgg.mx fire.mx --budget=64M --count=2 --simulate --policy=fifo,masa \
	--trace=queue.json >/dev/null
ls queue*.json
tell queue-stream-masa.json
echo "# queue"
m queue fire.mx --count=3 --wall=off --trace=queue.json >/dev/null
tell queue.json | grep -v budget_bytes
echo "# ended by a signal, it is whole"
: >log
"$MEMEXEC" run vgg.mx --repeat=1000000 --trace=cut.json -vv >/dev/null 2>log &
pid=$!
while kill -0 $pid && ! grep -q 'engine: ' log; do :; done
kill -TERM $pid
wait $pid
echo "exit $?"
tell cut.json | head -n 3
ls ./*.new 2>/dev/null
echo "# timeouts"
m run vgg.mx fire.mx --repeat=1000000 --timeout=1ms |
	sed -n 's/[0-9]* jobs\{0,1\} had/N jobs had/; /^memexec\|^exit/p'
m run fire.mx --timeout=1000s | grep exit
m queue vgg.mx fire.mx --arrivals=constant:1s --count=3 --simulate \
	--storage=40M --timeout=1500ms | grep -E '^(memexec|exit|[0-9]+ jobs)' |
	sed 's/in [0-9.]* m*s/in T/'
"$MEMEXEC" queue vgg.mx --arrivals=constant:1s --count=3 --simulate --json \
	--storage=40M --timeout=1500ms 2>/dev/null |
	grep -E '"(interrupted|state|finished_count|pending_count)"'
m queue fire.mx --arrivals=constant:1000s --count=2 --timeout=1ms --wall=off |
	grep -E '^exit|interrupted'
printf 'P5 2 2 255\n\012\024\036\050' >grey.pgm
printf 'networks: {look: exact.mx}\nstages: [{name: look}]\n' >file.yaml
m run --pipeline=file.yaml grey.pgm --repeat=1000000 --timeout=1ms \
	--trace=pictures.json | grep -E '^(memexec|exit)'
tell pictures.json | sed -n '2,3p'
echo "# refused"
m run fire.mx --trace=missing/t.json
m run fire.mx --trace=.
m run fire.mx --timeout=0
m queue fire.mx --timeout=soon
m plan fire.mx --budget=64M,128M --trace=t.json
