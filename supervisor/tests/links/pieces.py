"""Sends SIZE bytes to a server. Prints how many each of its reads got, and when, in milliseconds."""

import socket
import sys
import threading
import time

SIZE = int(sys.argv[1])


def pour(listener):
    connection, _ = listener.accept()
    try:
        connection.sendall(bytes(SIZE))
    except OSError as error:
        print("sender", type(error).__name__)


listener = socket.create_server(("127.0.0.1", 7000))
threading.Thread(target=pour, args=(listener,), daemon=True).start()
client = socket.create_connection(("127.0.0.1", 7000))
start = time.monotonic()
got = 0
while got < SIZE and (data := client.recv(65536)):
    got += len(data)
    print(len(data), round((time.monotonic() - start) * 1000, 3))
print("got", got)
