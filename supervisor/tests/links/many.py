"""Makes COUNT connections, one after the other, and transfers 30000 bytes over each. Prints how each ended."""

import collections
import errno
import socket
import sys
import threading

SIZE = 30000


def serve_one(connection):
    try:
        left = SIZE
        while left > 0 and (data := connection.recv(4096)):
            left -= len(data)
        connection.sendall(b"done")
        connection.close()
    except OSError:
        pass


def serve(listener):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve_one, args=(connection,), daemon=True).start()


listener = socket.create_server(("127.0.0.1", 7000), backlog=100)
threading.Thread(target=serve, args=(listener,), daemon=True).start()
ends = collections.Counter()
for _ in range(int(sys.argv[1])):
    try:
        client = socket.create_connection(("127.0.0.1", 7000), timeout=5)
    except TimeoutError:
        ends["unanswered"] += 1
        continue
    except OSError as error:
        ends[errno.errorcode[error.errno]] += 1
        continue
    try:
        client.sendall(bytes(SIZE))
        ends["whole" if client.recv(10) == b"done" else "short"] += 1
    except TimeoutError:
        ends["silent"] += 1
    except OSError as error:
        ends[errno.errorcode[error.errno]] += 1
    client.close()
for end, count in sorted(ends.items()):
    print(end, count)
