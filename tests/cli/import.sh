# From a prototxt to a model directory and what is in it.
. tests/cli/setup
nets=$root/examples/nets
m import "$nets/tiny_fire.prototxt" --random-weights -o fire.mx | sed "s|$root/||"
ls fire.mx
echo "# it is there already"
m import "$nets/tiny_fire.prototxt" --random-weights -o fire.mx | sed "s|$root/||"
m import "$nets/tiny_fire.prototxt" --random-weights --force -o fire.mx |
	sed "s|$root/||"
echo "# the same seed gives the same bytes, another one does not"
m -q import "$nets/tiny_fire.prototxt" --random-weights=1 -o same.mx | tail -n 1
m -q import "$nets/tiny_fire.prototxt" --random-weights=2 -o other.mx | tail -n 1
cmp fire.mx/weights.bin same.mx/weights.bin && echo same
cmp -s fire.mx/weights.bin other.mx/weights.bin || echo other
m inspect fire.mx | stable
"$MEMEXEC" inspect --json fire.mx |
	grep -E '"(schema|weight_bytes|largest_layer_bytes|labels)"'
m verify --quick fire.mx
m verify fire.mx
echo "# a byte of the weights goes wrong"
printf '\377' | dd of=fire.mx/weights.bin bs=1 seek=100 conv=notrunc 2>/dev/null
m verify --quick fire.mx
m verify -q fire.mx | grep -v slice.*conv1
echo "# weights.bin becomes shorter"
truncate -s 100 fire.mx/weights.bin
m verify --quick fire.mx | tail -n 1
echo "# the name comes from the source"
cp "$nets/tiny_fire.prototxt" mine.prototxt
m import mine.prototxt --random-weights
ls -d ./*.mx
echo "# not a network"
echo 'layer { name: "x" type: "Nonsense" bottom: "data" top: "y" }' >>mine.prototxt
m import mine.prototxt --random-weights --force | tail -n 1
echo 'layer { name' >broken.prototxt
m import broken.prototxt --random-weights | tail -n 1
ls -d ./*.mx
