# Values through the whole program, that every machine computes alike.
. tests/cli/setup
exact_network >exact.prototxt
m import exact.prototxt --random-weights --outputs=double,most
# 1 2 3 4
npy in.npy '(1, 1, 2, 2)' \
	'\0\0\200\077\0\0\0\100\0\0\100\100\0\0\200\100'
# 1 2 3 4, 5 0 0 0, 0 0 0 6
npy three.npy '(3, 1, 2, 2)' \
	'\0\0\200\077\0\0\0\100\0\0\100\100\0\0\200\100\0\0\240\100\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\300\100'
npy wrong.npy '(1, 1, 2, 1)' '\0\0\200\077\0\0\0\100'
npy cut.npy '(1, 1, 2, 2)' '\0\0\200\077\0\0\0\100'
printf 'P5 2 2 255\n\012\024\036\050' >grey.pgm
printf 'P6 4 4 255\n%048d' 0 >zeros.ppm
m run exact.mx=in.npy --output=out | stable
floats out/exact/output_0.npy
floats out/exact/output_1.npy
echo "# samples one by one, outputs joined"
m run exact.mx=three.npy --output=out | stable
floats out/exact/output_0.npy
floats out/exact/output_1.npy
echo "# pictures through the preprocessing"
m run exact.mx=grey.pgm | stable
m import exact.prototxt --random-weights --mean=10 --scale=0.5 --std=5 \
	--outputs=double -o scaled.mx
m run scaled.mx=grey.pgm | stable
m run "scaled.mx=zeros.ppm[2x2+1+1]" | stable
m run "scaled.mx=zeros.ppm[2x2+3+1]"
echo "# JSON"
"$MEMEXEC" run exact.mx=in.npy --json |
	grep -E '"(schema|network|input|samples|policy|wall|skipped|min|max|mean)"'
echo "# policies: the same values"
for policy in fifo masa deepeye-frugal; do
	m run exact.mx=in.npy --policy=$policy --workers=3 --output=$policy >/dev/null
	floats $policy/exact/output_0.npy
	"$MEMEXEC" run exact.mx=in.npy --policy=$policy --json |
		grep '"policy"'
done
m run exact.mx=in.npy --policy=best
m run exact.mx=in.npy --workers=0
echo "# bad inputs"
m run exact.mx=wrong.npy
m run exact.mx=cut.npy
m run exact.mx=in.npy,in.npy
m run exact.mx=exact.prototxt
m run exact.mx=missing.npy
m run exact.mx=in.npy exact.mx --output=out
echo "# reference tensors"
m verify exact.mx --input=in.npy --output=out/exact/output_0.npy | tail -n 2
m run exact.mx=in.npy --output=out >/dev/null
m verify -q exact.mx --input=in.npy --output=out/exact/output_0.npy \
	--output=out/exact/output_1.npy
m verify -q exact.mx --input=in.npy --output=in.npy
m verify -q exact.mx --input=in.npy --output=in.npy --atol=5
