# What curl makes of each trouble: its exit status, and what it got.
for trouble in reset-before reset-middle reset-after empty garbage truncate too-long too-short hang; do
    got=$(curl -s --max-time 5 "$1/$trouble")
    echo "$trouble $? $got" | tr -cd '[:print:]\n'
done
for trouble in drip delay status busy; do
    curl -s -w "$trouble %{http_code} %{time_total} %header{retry-after}\n" -o /dev/null "$1/$trouble"
done
