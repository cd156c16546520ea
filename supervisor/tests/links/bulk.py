"""Sends SIZE bytes to a server, which then sends as many back. Prints the seconds that each way took."""

import socket
import sys
import threading
import time

SIZE = int(sys.argv[1])


def pour(connection):
    connection.sendall(bytes(SIZE))


def drain(connection):
    left = SIZE
    while left > 0:
        data = connection.recv(65536)
        assert data, "the stream ended early"
        left -= len(data)


def serve(listener):
    connection, _ = listener.accept()
    drain(connection)
    connection.sendall(b"!")
    connection.recv(1)
    pour(connection)
    connection.close()


listener = socket.create_server(("127.0.0.1", 7000))
threading.Thread(target=serve, args=(listener,), daemon=True).start()
client = socket.create_connection(("127.0.0.1", 7000))
start = time.monotonic()
pour(client)
client.recv(1)
print("up", time.monotonic() - start)
start = time.monotonic()
client.sendall(b"!")
drain(client)
print("down", time.monotonic() - start)
assert client.recv(1) == b"", "its end comes after the data"
