# A .sql file as a C string: awk -v name=SYMBOL -f sql2c.awk FILE.sql
BEGIN { printf "/* Made from SQL by scripts/sql2c.awk. */\nextern const char %s[];\nconst char %s[] =\n", name, name }
/^--/ || /^[ \t]*$/ { next }
{
	gsub(/\\/, "\\\\"); gsub(/"/, "\\\""); gsub(/\t/, "\\t")
	printf "\t\"%s\\n\"\n", $0
}
END { print "\t;" }
