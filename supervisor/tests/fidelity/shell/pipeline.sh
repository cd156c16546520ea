# Pipelines, subshells, background jobs, here-documents, traps, arithmetic.
seq 1 1000 | sort -rn | head -3
printf '%s\n' pear apple fig | sort | tr a-z A-Z | paste -sd,
(cd / && pwd; exit 3); echo "subshell $?"
for i in 3 1 2; do (sleep $i; echo "slept $i") & done; wait
cat <<END
here $((6 * 7))
END
trap 'echo trapped; exit 4' TERM
kill -TERM $$
echo not reached
