"""Connects, waits WAIT seconds, sends something to a server that answers, and waits for the answer; with LIMIT, no longer than
so many milliseconds. Prints how long it took to connect and to get the answer, in milliseconds, or how it failed."""

import errno
import socket
import sys
import threading
import time


def serve(listener):
    connection, _ = listener.accept()
    while data := connection.recv(100):
        connection.sendall(data)


def elapsed(start):
    return round((time.monotonic() - start) * 1000)


listener = socket.create_server(("127.0.0.1", 7000))
threading.Thread(target=serve, args=(listener,), daemon=True).start()
client = socket.socket()
if len(sys.argv) > 2:
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(sys.argv[2]))
start = time.monotonic()
client.connect(("127.0.0.1", 7000))
print("connect", elapsed(start))
time.sleep(float(sys.argv[1]))
start = time.monotonic()
try:
    client.sendall(b"ping")
    assert client.recv(100) == b"ping"
    print("trip", elapsed(start))
except OSError as error:
    print(errno.errorcode[error.errno], elapsed(start))
