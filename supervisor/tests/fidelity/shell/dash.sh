# shell: dash
x=$(echo one; echo two)
echo "$x" | while read -r line; do echo "got $line"; done
i=0; while [ $i -lt 3 ]; do i=$((i + 1)); echo $i; done
echo done | { read y; echo "$y"; }
false || echo status $?
