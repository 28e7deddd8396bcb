# --exact: sums as the definition has them, wherever a network is computed.
. tests/cli/setup
cat >conv.prototxt <<-'END'
	name: "conv"
	layer {
	  name: "data" type: "Input" top: "data"
	  input_param { shape { dim: 1 dim: 1 dim: 24 dim: 24 } }
	}
	layer {
	  name: "wide" type: "Convolution" bottom: "data" top: "wide"
	  convolution_param { num_output: 64 kernel_size: 1 }
	}
	layer {
	  name: "deep" type: "Convolution" bottom: "wide" top: "deep"
	  convolution_param { num_output: 64 kernel_size: 3 pad: 1 }
	}
END
m import conv.prototxt --random-weights >/dev/null
# 1, 3.7 and -0.3, again and again
# shellcheck disable=SC2183
npy in.npy '(1, 1, 24, 24)' "$(for _ in {1..192}; do
	printf '%s' '\0\0\200\077\315\314\154\100\232\231\231\276'
done)"
m run conv.mx=in.npy --output=quick >/dev/null
m run conv.mx=in.npy --output=exact --exact >/dev/null
m run conv.mx=in.npy --output=again --exact --threads=1 --policy=fifo >/dev/null
cmp -s quick/conv/output_0.npy exact/conv/output_0.npy || echo "not the same"
cmp exact/conv/output_0.npy again/conv/output_0.npy && echo "the same bits"
# How far off two ways are differs from CPU to CPU.
check() {
	m verify conv.mx --input=in.npy --output=exact/conv/output_0.npy "$@" |
		grep '^exit'
}
check --exact --rtol=0 --atol=0
check --rtol=0 --atol=0
check --rtol=0 --atol=1e-5
m bench conv.mx --exact -r 1 | grep '^exit'
m queue conv.mx --exact --count=1 | grep '^exit'
