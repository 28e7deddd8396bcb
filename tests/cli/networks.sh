# The networks of scripts/make-networks are what they are called: they are
# imported whole, and have the multiplications, in millions, that are published.
. tests/cli/setup
if ! command -v python3 >/dev/null; then
	echo "python3 is not installed"
	exit 77
fi
names='squeezenet mobilenet_v3 shufflenet_v2 efficientnet_b0 mobilenet_ssd
yolov4_tiny'
# shellcheck disable=SC2086
"$root/scripts/make-networks" . $names || exit 1
for name in $names; do
	"$MEMEXEC" -q import "$name.onnx" -o "$name.mx" || exit 1
	"$MEMEXEC" inspect --json "$name.mx" | python3 -c '
import json
import sys

found = json.load(sys.stdin)
count = sum(layer["macs"] for layer in found["layers"]
            if layer["operator"] in ("Convolution", "Dense"))
print(found["network"], round(count / 1e6),
      *(output["shape"] for output in found["outputs"]))'
done
echo "# weights are drawn alike everywhere"
sha256sum squeezenet.onnx
echo "# what is not there"
"$root/scripts/make-networks" . lenet 2>&1 | tail -n 1
