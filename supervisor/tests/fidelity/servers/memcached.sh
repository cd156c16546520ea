# memcached over its text protocol.
memcached -l 127.0.0.1 -p 7803 -U 0 -u root -m 16 &
server=$!
python3 - <<'END'
import socket, time
for _ in range(100):
    try:
        s = socket.create_connection(("127.0.0.1", 7803))
        break
    except OSError:
        time.sleep(0.05)
f = s.makefile("rwb")
for i in range(5):
    f.write(b"set k%d 0 0 2\r\nv%d\r\n" % (i, i)); f.flush(); print(f.readline())
f.write(b"get k1 k4\r\n"); f.flush()
for _ in range(5): print(f.readline())
END
kill $server
wait $server
echo "server ended"
