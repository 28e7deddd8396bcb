# profile: measured once, used by plan, worth nothing elsewhere.
. tests/cli/setup
nets=$root/examples/nets
m -q import "$nets/tiny_vgg.prototxt" --random-weights -o vgg.mx | tail -n 1
measured() {
	"$MEMEXEC" plan vgg.mx -t 1 --budget=64M "$@" |
		grep -oE 'computing [a-z]+'
}
measured
m profile vgg.mx -t 1 | sed -E 's/[0-9.]+ [mun]?s/T/g; s/storage.*; //'
ls vgg.mx
measured
"$MEMEXEC" plan vgg.mx -t 1 --budget=64M --storage=40M | grep -oE '^storage.*\)'
m verify --quick vgg.mx
echo "# of another model"
m -q import "$nets/tiny_fire.prototxt" --random-weights -o fire.mx | tail -n 1
cp fire.mx/model.pb fire.mx/weights.bin vgg.mx/
measured
measured -v 2>&1 | head -n 1
echo "# no profile at all"
echo nonsense >vgg.mx/profile.pb
m plan vgg.mx -t 1 --budget=64M -q | grep -oE 'computing [a-z]+|exit .*'
m import "$nets/tiny_vgg.prototxt" --random-weights --force -o vgg.mx |
	tail -n 1
ls vgg.mx
