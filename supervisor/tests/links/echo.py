"""A server that echoes, and a client that asks it COUNT times, one after the other, with a PAUSE of so many seconds after each.
Prints each round trip in milliseconds."""

import socket
import sys
import threading
import time


def serve(listener):
    while True:
        connection, _ = listener.accept()
        while data := connection.recv(4096):
            connection.sendall(data)
        connection.close()


listener = socket.create_server(("127.0.0.1", 7000))
threading.Thread(target=serve, args=(listener,), daemon=True).start()
start = time.monotonic()
client = socket.create_connection(("127.0.0.1", 7000))
print("connect", round((time.monotonic() - start) * 1000, 3))
for _ in range(int(sys.argv[1])):
    start = time.monotonic()
    client.sendall(b"ping")
    assert client.recv(4096) == b"ping"
    print("trip", round((time.monotonic() - start) * 1000, 3))
    if len(sys.argv) > 2:
        time.sleep(float(sys.argv[2]))
