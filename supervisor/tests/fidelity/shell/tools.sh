# find, sort, xargs, timeout, date arithmetic, file tools in a scratch directory.
mkdir -p a/b c
for i in 1 2 3; do echo "line $i" > a/b/f$i; done
find . -type f | sort | xargs cat
timeout 1 sleep 100; echo "timeout $?"
cp -a a d && mv d/b/f1 c/ && rm d/b/f2 && ln -s ../c d/link && find . | sort
grep -c line a/b/* ; wc -l < a/b/f1
date -u -d @86400 +%F
test -e a/b/f1 && echo there
chmod 600 a/b/f1 && stat -c '%a %s %F' a/b/f1
