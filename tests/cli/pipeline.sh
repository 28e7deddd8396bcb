# Pictures through a pipeline whose every value every machine computes alike.
# A picture is 7 grey pixels wide: each row is a detection, 10 grey to a unit:
# image, class, score, left, top, right, bottom.
. tests/cli/setup
cat >rows.prototxt <<-'END'
	name: "rows"
	layer {
	  name: "data" type: "Input" top: "data"
	  input_param { shape { dim: 1 dim: 1 dim: 4 dim: 7 } }
	}
	layer {
	  name: "rows" type: "Power" bottom: "data" top: "rows"
	  power_param { scale: 1 }
	}
END
exact_network >exact.prototxt
printf 'nothing\nperson\ndog\n' >labels.txt
m import rows.prototxt --random-weights --scale=0.1 --labels=labels.txt
m import exact.prototxt --random-weights --outputs=double,most
# Three: a dog 0.9 at 0,0 2x2; a person 0.8 at 2,1 2x2; 0.3, too little.
printf 'P5 7 4 255\n\0\024\011\0\0\024\024\0\012\010\024\012\050\036\0\012\003\0\0\012\012\0\0\0\0\0\0\0' >two.pgm
# None.
printf 'P5 7 4 255\n%028d' 0 | tr 0 '\0' >none.pgm
cat >file.yaml <<-'END'
	networks: {find: rows.mx, look: exact.mx}
	stages:
	  - name: find
	    detect: {format: rows, threshold: 0.5, pixels: true}
	  - name: look
	    each: find
	  - name: persons
	    network: look
	    each: find
	    when: {find.label: person, look.output_1: {ge: 20}}
	  - name: nothing
	    network: look
	    when: {find.count: 0}
	  - name: early
	    network: look
	    when: {look.count: {gt: 2}}
	    mode: opportunistic
END
pipe() {
	m run --pipeline=file.yaml "$@" | stable | sed '/^    response /d'
}
echo "# what is found decides what runs, on which part of the picture"
pipe two.pgm none.pgm --output=out
find out -type f | sort
floats out/two/look/0/output_0.npy
floats out/two/look/1/output_0.npy
floats out/two/persons/1/output_1.npy
floats out/none/nothing/output_1.npy
echo "# one picture, and a budget"
pipe two.pgm --output=one --budget=64M --wall=off | tail -n 2
find one -type f | sort
cmp out/two/look/1/output_0.npy one/look/1/output_0.npy && echo same
echo "# JSON"
"$MEMEXEC" run --pipeline=file.yaml two.pgm --json |
	grep -E '"(schema|stage|network|input|parent|parent_job|detection|label|left|top|width|height|skipped|started|error)"'
echo "# a class and its score"
sed 's/rows/sort/; s/dim: 4 dim: 7/dim: 1 dim: 3/' rows.prototxt >sort.prototxt
m import sort.prototxt --random-weights --scale=0.1 --labels=labels.txt
cat >sort.yaml <<-'END'
	networks: {sort: sort.mx, look: exact.mx}
	stages:
	  - {name: sort, labels: [a, b, c], answer: {softmax: true}}
	  - {name: raw, network: sort}
	  - {name: sure, network: look, when: {sort.label: b, sort.score: {gt: 0.78}}}
	  - {name: surer, network: look, when: {sort.label: b, sort.score: {gt: 0.79}}}
	  - {name: other, network: look, when: {sort.class: {ne: 1}}}
	  - {name: value, network: look, when: {raw.score: 2, raw.output_0: 0}}
END
# 0 2 0
printf 'P5 3 1 255\n\0\024\0' >one.pgm
m run --pipeline=sort.yaml one.pgm --top-k=2 | stable | sed '/^    response /d'
echo "# elsewhere, and again"
mkdir nets && mv rows.mx exact.mx nets
pipe two.pgm
pipe none.pgm --networks=nets --repeat=2
echo "# mistakes"
m run --networks=nets nets/exact.mx
m run --pipeline=none.yaml two.pgm
m run --pipeline=file.yaml
m run --pipeline=file.yaml --networks=nets two.pgm missing.jpg
m run --pipeline=file.yaml --networks=nets two.pgm labels.txt
mkdir more && cp two.pgm more
m run --pipeline=file.yaml --networks=nets two.pgm more/two.pgm --output=out
bad() {
	echo "networks: {find: nets/rows.mx, look: nets/exact.mx}"
	echo "stages:"
	cat
}
bad >bad.yaml <<-'END'
	  - {name: look, detect: {scores: 0, boxes: 1}}
END
m run --pipeline=bad.yaml two.pgm
bad >bad.yaml <<-'END'
	  - {name: find, detect: {format: rows, only: [cat]}}
END
m run --pipeline=bad.yaml two.pgm
bad >bad.yaml <<-'END'
	  - {name: look, answer: {output: 1}}
END
m run --pipeline=bad.yaml two.pgm
bad >bad.yaml <<-'END'
	  - name: look
	  - {name: find, when: {look.output_2: 1}}
END
m run --pipeline=bad.yaml two.pgm
bad >bad.yaml <<-'END'
	  - {name: find, after: look}
	  - {name: look, after: find}
END
m run --pipeline=bad.yaml two.pgm
