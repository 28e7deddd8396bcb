# Every option that a verb has is in the manual page, and no other.
. tests/cli/setup
sed 's/\\-/-/g; s/\\f[BRI]//g' "$root/cli/memexec.1" >manual
for verb in import inspect verify profile plan run queue bench; do
	sed -n "/^\.SH $(echo $verb | tr a-z A-Z)\$/,/^\.SH /p" manual >section
	"$MEMEXEC" $verb --help | grep -oE '^ .*--[a-z-]+' |
		grep -oE -- '--[a-z-]+' |
		grep -vxE -- '--(quiet|verbose|help)' | sort -u >options
	[ -s options ] || echo "$verb: no options in its help"
	while read -r option; do
		grep -qE -- "$option([^a-z-]|\$)" section ||
			echo "$verb: $option is not in the manual"
	done <options
	grep -E '^\.(B|BR|TP) ' section | grep -oE -- '--[a-z-]+' | sort -u |
		grep -vxF -f options | sed "s/^/$verb: has no /"
done
echo "checked"
