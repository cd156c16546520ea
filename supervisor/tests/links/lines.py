"""Sends COUNT numbered lines over a connection, one with each write. Prints the lines as they arrive."""

import socket
import sys
import threading
import time

listener = socket.create_server(("127.0.0.1", 7000))


def send():
    connection, _ = listener.accept()
    for number in range(int(sys.argv[1])):
        connection.sendall(b"line %06d\n" % number)
        time.sleep(0.001)
    connection.close()


threading.Thread(target=send).start()
client = socket.create_connection(("127.0.0.1", 7000))
data = b""
while more := client.recv(65536):
    data += more
for line in data.split(b"\n")[:-1]:
    number = line.removeprefix(b"line ")
    print(int(number) if len(number) == 6 and number.isdigit() else "bad", 0)
