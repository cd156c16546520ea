# redis-server that keeps what it has, by snapshots and by its append-only file, over restarts and kills.
up() { redis-server --port 7803 --daemonize no --dir . "$@" > log 2>&1 & server=$!
    for i in $(seq 100); do cli ping 2>/dev/null | grep -q PONG && break; sleep 0.1; done; }
cli() { redis-cli -p 7803 "$@"; }
up --save '' --appendonly yes --appendfsync always
for i in $(seq 20); do cli set key$i value$i; done | uniq -c
cli bgrewriteaof > /dev/null; while cli info persistence | grep -q aof_rewrite_in_progress:1; do sleep 0.1; done
cli rpush list a b c; kill -9 $server; wait $server 2>/dev/null
up --save '' --appendonly yes
cli dbsize; cli get key7; cli lrange list 0 -1; cli shutdown nosave; wait $server; echo "ended $?"
ls appendonlydir | sed 's/\.[0-9]*\./.N./'
up --save 3600 1 --appendonly no --dbfilename snapshot.rdb
cli dbsize; cli set a 1; cli incr a; cli bgsave > /dev/null
while cli info persistence | grep -q rdb_bgsave_in_progress:1; do sleep 0.1; done
cli set late 1; kill -9 $server; wait $server 2>/dev/null
up --save 3600 1 --appendonly no --dbfilename snapshot.rdb
cli get a; cli get late; cli set b 2; cli shutdown; wait $server; echo "ended $?"
up --save '' --appendonly no --dbfilename snapshot.rdb
cli mget a b late; cli shutdown nosave; wait $server; ls *.rdb
