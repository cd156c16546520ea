# redis-server with redis-cli and a short redis-benchmark.
redis-server --port 7801 --save '' --appendonly no --daemonize no --dir . > log 2>&1 &
server=$!
for i in $(seq 100); do redis-cli -p 7801 ping 2>/dev/null | grep -q PONG && break; sleep 0.1; done
redis-cli -p 7801 set greeting hello
redis-cli -p 7801 get greeting
for i in 1 2 3 4 5; do redis-cli -p 7801 incr counter; done
redis-cli -p 7801 rpush list a b c
redis-cli -p 7801 lrange list 0 -1
redis-benchmark -p 7801 -n 2000 -c 10 -t set,get --csv | cut -d, -f1
redis-cli -p 7801 dbsize
redis-cli -p 7801 shutdown nosave
wait $server
echo "server $?"
