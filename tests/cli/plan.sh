# plan: what is drawn, compared with the best, and refused.
. tests/cli/setup
nets=$root/examples/nets
m -q import "$nets/tiny_vgg.prototxt" --random-weights -o vgg.mx | tail -n 1
m -q import "$nets/tiny_fire.prototxt" --random-weights -o fire.mx | tail -n 1
echo "# the graph of all tasks"
"$MEMEXEC" plan vgg.mx fire.mx --budget=64M --dot >graph.dot
head -n 1 graph.dot
grep label= graph.dot | grep -oE '"(vgg|fire|foresight)"'
grep -c '"INIT"' graph.dot
for task in LOAD EXEC; do
	[ "$(grep -c "label=\"$task" graph.dot)" -gt 3 ] && echo "$task"
done
grep -oE 'color=(blue|red)' graph.dot | sort -u
tail -n 1 graph.dot
echo "# a picture"
m plan vgg.mx fire.mx --budget=64M --gantt=plan.svg | grep -E '^(makespan|exit)' |
	grep -oE '^[a-z]+'
head -c 38 plan.svg && echo
for kind in LOAD EXEC; do
	for net in vgg fire; do
		grep -q "<title>$net: $kind" plan.svg && echo "$net: $kind"
	done
done
m plan vgg.mx --gantt=missing/plan.svg
echo "# the best there could be"
"$MEMEXEC" plan vgg.mx fire.mx --budget=64M --optimal |
	sed -n 's/.*\(optimum of\).*\(mean response\).*; \([a-z]*\) .*/\1 \2 \3/p'
"$MEMEXEC" plan vgg.mx fire.mx --budget=64M --optimal --policy=masa --json |
	grep -E '"(policy|proven|optimal)"'
m plan vgg.mx --optimal --budget=64M,128M
m plan vgg.mx --dot --json
