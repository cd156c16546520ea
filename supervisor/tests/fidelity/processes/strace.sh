# strace: calls, signals and processes of a command, counted, and one of its calls made to fail.
strace -f -o log sh -c 'echo words | cat; sleep 1'
sed 's/^[0-9]* *//' log | grep -cE '^(write|<... write resumed>).*= 6$'
sed 's/^[0-9]* *//' log | grep -oE '^\+\+\+ exited with .*' | sort | uniq -c
strace -o log -e trace=openat -e inject=openat:error=EACCES:when=2+ cat /etc/hostname 2>said
echo "status $?"
grep -q INJECTED log && echo injected
sleep 1000 &
sleep 0.2
strace -o log -p $! 2>said &
until grep -q attached said; do sleep 0.1; done
kill %1
wait %1; echo "status $?"
wait %2; echo "status $?"
grep -oE 'SIGTERM|killed by.*' log | sort | uniq -c
