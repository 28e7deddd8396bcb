# A reference network directory: mean, channel order and labels come from it.
. tests/cli/setup
mkdir Ref
cat >Ref/net.prototxt <<'END'
name: "inner"
layer {
  name: "data" type: "Input" top: "data"
  input_param { shape { dim: 1 dim: 3 dim: 1 dim: 1 } }
}
layer { name: "flat" type: "Flatten" bottom: "data" top: "flat" }
END
cat >Ref/description.yaml <<'END'
name: RefNet
network-file: net.prototxt
model-file: net.caffemodel
mean-scalar: [1, 2.5, 3]
uses-result-vector: true
result-vector: [(0-2), Male, "a b"]
input-scale: [1, 1]
END
m import Ref
m import Ref --random-weights
cat RefNet.mx/labels.txt
# Red 30, green 20, blue 10, so blue first and less the mean: 9 17.5 27.
printf 'P6 1 1 255\n\036\024\012' >pixel.ppm
m run RefNet.mx=pixel.ppm | stable
m import Ref --random-weights --channels=rgb --mean=0 -o rgb.mx
m run rgb.mx=pixel.ppm --top-k=1 | stable
sed -i 's/uses-result-vector: true/uses-result-vector: false/' Ref/description.yaml
m import Ref --random-weights --force
m run RefNet.mx=pixel.ppm --top-k=1 | stable
sed -i 's/network-file.*/network-file: ..\/x/' Ref/description.yaml
m import Ref --random-weights --force
echo '[' >Ref/description.yaml
m import Ref --random-weights --force
