# Streams and experiments: what is run, in which order, and what is told.
. tests/cli/setup
exact_network >exact.prototxt
for name in yolo face age; do
	"$MEMEXEC" import -q exact.prototxt --random-weights \
		--outputs=double -o $name.mx
done

# Jobs as a file of results has them, without what a clock says.
jobs() {
	cut -d, -f1-5 "$1"
}

keys() {
	grep -E '"(schema|experiment|policy|simulated|interrupted|network|arrival|skipped|state|job_count|skipped_count|pending_count)"'
}

echo "# a stream: every arrival runs all"
"$MEMEXEC" queue age.mx face.mx --count=2 --policy=bulk --json | keys
echo "# the same in virtual time, under several policies"
"$MEMEXEC" queue age.mx --arrivals=constant:1s --count=2 \
	--policy=fifo,linear --simulate --json | keys
echo "# which says what it rests on, as plan does"
"$MEMEXEC" queue age.mx --simulate --count=1 | grep -oE '^storage.*\)'
"$MEMEXEC" queue age.mx --simulate --count=1 --storage=40M |
	grep -oE '^storage.*\)'
"$MEMEXEC" queue age.mx --simulate --count=1 --json |
	grep -E '"(read_bytes_per_s|measured|profiled)"'
"$MEMEXEC" queue age.mx --count=1 --json | grep -E '"(storage|profiled)"'
echo "# a trace says which, and simulated arrivals are on time"
printf '0 face\n1000\n2500 age\n' >trace.txt
"$MEMEXEC" queue age.mx face.mx --arrivals=trace:trace.txt --simulate --json |
	grep -E '"(network|arrival|arrival_ns)"'
echo "# files only where they are asked for"
m queue age.mx --count=1 -q >/dev/null
ls
m queue age.mx --count=1 -o out >/dev/null
ls out
jobs out/stream-jobs.csv
cut -d, -f2- out/stream-events.csv
cut -d, -f1,2,3,5 out/stream-layers.csv

experiment() {
	cat <<-END
		tag: $1
		mode: linear
		arrival-mode: batch
		force-input-label: true
		wait-for-network-output: $2
		memory-key: valgrind
		arrivals:
	END
	for label in 0 1; do
		cat <<-END
			- networks:
			  - networkName: yolo
			    data-label: {persons: $label}
			  - networkName: face
			    relation: {depends: yolo, condition: {persons: {gt: 0}}}
			  - networkName: age
			    relation: {depends: face}
			  pathToData: grey.pgm
			  time: 0
		END
	done
}
experiment waits true >waits.yaml
experiment hopes false >hopes.yaml
printf 'P5 2 2 255\n\012\024\036\050' >grey.pgm
echo "# relations: what depends on what was skipped is skipped"
m queue waits.yaml >/dev/null
jobs memexec-results/waits-jobs.csv
cut -d, -f2- memexec-results/waits-events.csv | head -n 10
echo "# ... in virtual time too, under another policy, and without waiting"
m queue waits.yaml hopes.yaml --simulate --policy=masa >/dev/null
jobs memexec-results/waits-masa-jobs.csv | grep skipped
jobs memexec-results/hopes-masa-jobs.csv | grep skipped
echo "# what was skipped need not be read"
{
	cat exact.prototxt
	cat <<-'END'
		layer {
		  name: "sum" type: "InnerProduct" bottom: "most" top: "sum"
		  inner_product_param { num_output: 3 }
		}
	END
} >heavy.prototxt
"$MEMEXEC" import -q heavy.prototxt --random-weights -o heavy.mx
sed -e 's/face/heavy/' -e 's/label: {persons: 0}/label: {persons: 2}/' \
	-e 's/label: {persons: 1}/label: {persons: 0}/' waits.yaml >skips.yaml
for how in -q --simulate; do
	for count in 1 2; do
		"$MEMEXEC" queue skips.yaml -o skips "$how" --count=$count \
			--json | grep -E '"(skipped_count|required_read_bytes)"'
	done
done
echo "# a picture that is not there is said once"
rm grey.pgm
{ "$MEMEXEC" queue waits.yaml hopes.yaml >/dev/null; } 2>&1
echo "# what a file says, and what counts instead"
m queue -v waits.yaml --count=1 --json 2>&1 >/dev/null | grep "means"
"$MEMEXEC" queue waits.yaml -q --count=1 --json | keys | grep -v network
echo "# the queue"
cd memexec-results || exit 1
sed "s|$WORK|WORK|" queue
sed -e 's/^[^ ]* //' -e "s|$WORK|WORK|" queue.log | tail -n 2
cd ..
m queue --list | sed "s|$WORK|WORK|"
m queue
m queue --halt
echo "# one that fails does not stop the others, and is kept as failed"
sed s/yolo/nobody/ waits.yaml >fails.yaml
m queue -q fails.yaml hopes.yaml --simulate --json | keys | tail -n 4
m queue -q fails.yaml hopes.yaml >/dev/null
m queue --list | sed "s|$WORK|WORK|"
echo "# a queue is made by adding, and run with its options"
m queue --add waits.yaml --policy=bulk --count=1 -o later
m queue --add hopes.yaml -o later
m queue -o later waits.yaml 2>&1 | sed "s|$WORK|WORK|"
m queue -q -o later >/dev/null
ls later/*.json
sed "s|$WORK|WORK|" later/queue
echo "# masa goes by published peaks and times: one at a time, in their order"
published() {
	mkdir -p "$1"
	printf 'max-memory-valgrind: 500000\nmax-memory-rss: 0.25\n%s' \
		"mean-execution-time: $2" >"$1/description.yaml"
}
order() {
	"$MEMEXEC" queue -v age.mx face.mx --count=1 --policy=masa -o masa \
		--budget=64M --masa-profile=description "$@" 2>&1 >/dev/null |
		grep 'goes by' | sed -e "s|$WORK|WORK|"
	cut -d, -f3- masa/stream-masa-events.csv | grep -v waiting
}
published age 10
published face 20
order --simulate
published nets/age 40
order --simulate --networks=nets
sed s/memory-key:.*/memory-key:\ rss/ waits.yaml >rss.yaml
published yolo 1
{ "$MEMEXEC" queue -v rss.yaml -o rss --count=1 --simulate --policy=masa \
	--masa-profile=description 2>&1 >/dev/null; } | grep 'goes by'
echo "# ... which have to be there"
rm -r age
m queue age.mx --policy=masa --masa-profile=description --networks=later |
	sed "s|$WORK|WORK|"
m queue age.mx --policy=bulk --masa-profile=description --count=1 -q |
	grep '^exit'
echo "# refused"
m queue age.mx --masa-profile=guessed
m queue waits.yaml age.mx
m queue waits.yaml --arrivals=batch
m queue age.mx --arrivals=poisson:5
m queue age.mx --policy=magic
m queue age.mx --pick=2
m queue age.mx --budget=4K 2>&1 | sed 's/needs .*/needs/'
m queue missing.mx
m queue --list age.mx
m queue --add
m queue -o nowhere
printf 'arrivals:\n- networks: []\n' >bad.yaml
m queue -o bad bad.yaml | sed "s|$WORK|WORK|"
printf '0\nsoon\n' >bad.txt
m queue age.mx --arrivals=trace:bad.txt
