#!/bin/sh
# Runs one step of the removal 0123456789abcdef with psql, behind the same gates as `migrator remove apply`.
#
#   ./step.sh up 02        applies 02_…: asks the gates, then runs 02_….up.sql
#   ./step.sh down 02      takes it back; asks nothing
#   ./step.sh verify 02    raises when the database does not hold what the step made
#
# psql connects as it always does: PGSERVICE, or PGHOST, PGDATABASE, PGUSER and ~/.pgpass. It has to reach the server itself,
# not a pooler in transaction mode. MIGRATOR is the command to ask; MIGRATOR_FOLDER the folder with migrator.toml.
set -eu

[ $# -eq 2 ] || { echo "usage: $0 up|down|verify STEP" >&2; exit 2; }
direction=$1
here=$(cd "$(dirname "$0")" && pwd)
case $direction in
  up | down | verify) ;;
  *) echo "usage: $0 up|down|verify STEP" >&2; exit 2 ;;
esac

set -- "$here/${2%%_*}"_*."$direction.sql"
if [ $# -ne 1 ] || [ ! -f "$1" ]; then
  echo "no such step in $here" >&2
  exit 2
fi
file=$1
step=$(basename "$file" ".$direction.sql")

if [ "$direction" = up ]; then
  (cd "${MIGRATOR_FOLDER:-.}" && ${MIGRATOR:-migrator} remove permit "$step")
fi
exec psql -X -q -v ON_ERROR_STOP=1 -f "$file"
