"""What is under way is neither readable nor sent, and the end comes after it. The latency is 50 ms each way."""

import array
import fcntl
import select
import socket
import termios
import threading
import time


def count(what, request):
    number = array.array("i", [0])
    fcntl.ioctl(what, request, number)
    return number[0]


def ready(what, events, timeout=0):
    poll = select.poll()
    poll.register(what, events)
    return [bits for _, bits in poll.poll(timeout)]


listener = socket.create_server(("127.0.0.1", 7000))
client = socket.create_connection(("127.0.0.1", 7000))
server, _ = listener.accept()
time.sleep(1)
client.sendall(bytes(5000))
client.shutdown(socket.SHUT_WR)
assert count(server, termios.FIONREAD) == 0
assert count(client, termios.TIOCOUTQ) == 5000
assert ready(server, select.POLLIN) == []
start = time.monotonic()
assert ready(server, select.POLLIN, 1000) == [select.POLLIN]
assert 0.049 < time.monotonic() - start < 0.051
assert count(server, termios.FIONREAD) == 5000
assert len(server.recv(10000)) == 5000 and server.recv(1) == b""
# A buffer holds what is under way.
client = socket.socket()
client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 10000)
client.connect(("127.0.0.1", 7000))
server, _ = listener.accept()
client.setblocking(False)
sent = 0
try:
    while True:
        sent += client.send(bytes(1000))
except BlockingIOError:
    pass
assert sent == 20000, sent
assert ready(client, select.POLLOUT) == []
start = time.monotonic()
assert ready(client, select.POLLOUT, 1000) == [select.POLLOUT]
assert 0.049 < time.monotonic() - start < 0.051
# A reset overtakes nothing.
client.setblocking(True)
client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
client.close()
time.sleep(0.02)
assert len(server.recv(30000)) == 20000
try:
    server.recv(1)
    raise AssertionError("no reset")
except ConnectionResetError:
    pass
print("right")
