# What cannot be done is refused before anything is computed, and what was
# computed is told although it cannot be written.
. tests/cli/setup
exact_network >exact.prototxt
m import -q exact.prototxt --random-weights --outputs=double -o net.mx
printf 'P5 2 2 255\n\012\024\036\050' >grey.pgm
echo "# inputs"
m run net.mx=
m run grey.pgm
m run net.mx=net.mx
m run net.mx=grey.pgm,grey.pgm
: >empty.jpg
m run net.mx=empty.jpg
printf 'P5 0 0 255\n' >zero.pgm
m run net.mx=zero.pgm
m run 'net.mx=grey.pgm[3x1+0+0]'
m import exact.prototxt --random-weights --mean=none.binaryproto -o x.mx
m import exact.prototxt --random-weights --input-shape=1,9,999999999,99999 -o x.mx
echo "# places for results"
m run net.mx --output=grey.pgm
m queue net.mx --count=1 -o grey.pgm
m run net.mx --trace=none/t.json
m plan net.mx --gantt=both --trace=both
m bench net.mx --max-regress=5%
m bench net.mx --baseline=none.json
echo "# what was computed is told"
ln -s /dev/full output_0.npy
mkdir -p out/net && mv output_0.npy out/net
m run net.mx=grey.pgm --output=out --top-k=1 | stable
m queue net.mx --count=1 --trace=/dev/full | grep -E '^(memexec|exit|[0-9]+ job)' |
	sed 's/ in .*,/ in N,/'
echo "# standard output that takes nothing"
for arguments in --version "inspect net.mx" "verify net.mx" "plan net.mx" \
	"run net.mx" "run net.mx --json" "queue net.mx --count=1" \
	"queue net.mx --count=1 --json" "bench net.mx -r 1" "profile net.mx"; do
	echo "$arguments"
	# shellcheck disable=SC2086
	{ "$MEMEXEC" -q $arguments >/dev/full; } 2>&1
	echo "exit $?"
	# shellcheck disable=SC2086
	{ "$MEMEXEC" -q $arguments >&-; } 2>&1
	echo "exit $?"
done
echo "# a stream that is closed does not become the next file"
cat >one.yaml <<-'END'
	tag: one
	mode: bulk
	network-path: .
	arrivals:
	- networks:
	  - networkName: net
	  time: 0
END
"$MEMEXEC" queue one.yaml -o closed <&- >&- 2>&-
echo "exit $?"
wc -c <closed/queue.run
