# What the command line says of wrong and of right arguments.
. tests/cli/setup
m
m nonsense
m --nonsense
m --version
"$MEMEXEC" --help | head -n 1
for verb in import inspect verify profile plan run queue bench; do
	m $verb
	"$MEMEXEC" $verb --help | head -n 1
done
m run --nonsense x.mx
m run --top-k
m run -t 0 x.mx
m run --repeat=-1 x.mx
m run --json=yes x.mx
m run --budget=0 x.mx
m run --budget=many x.mx
m run --io=magic x.mx
m run --timeout=1d x.mx
m queue --timeout=0h x.mx
m plan --budget=1M,,2M x.mx
m plan --budget=1M-4M x.mx
m plan --storage=0 x.mx
m plan --repeat=0 x.mx
m profile -t 0 x.mx
m profile -t 257 x.mx
m plan -t 1025 x.mx
m queue --count=0 x.mx
m queue --pick=two x.mx
m bench --budget=4M-1M*2 x.mx
m bench --paging=mmap x.mx
m bench --paging=swap --budget=1M x.mx
m bench -r many x.mx
m bench -t 3-1 x.mx
m bench --format=xml x.mx
m bench --max-regress=-5% x.mx
m inspect --sort=colour x.mx
m verify --rtol=-1 x.mx
m verify --input=a.npy x.mx
m import --input-shape=1,0 x.prototxt
m import --resize=crop:0 x.prototxt
m import --channels=cmyk x.prototxt
m import --std=1,0,1 x.prototxt
m import --slice=1 x.prototxt
m import --random-weights=x x.prototxt
m import a b c
m run missing.mx
m import missing.prototxt -o x.mx
