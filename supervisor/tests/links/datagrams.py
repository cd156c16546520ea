"""Sends COUNT numbered datagrams of 1000 bytes to a server, one each INTERVAL milliseconds. Prints the numbers that arrive and
when, in milliseconds after they were sent; `bad` for one that is not what was sent."""

import socket
import sys
import threading
import time

COUNT, INTERVAL = int(sys.argv[1]), float(sys.argv[2])
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 7001))
server.settimeout(5)
sent = {}


def send():
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for number in range(COUNT):
        sent[number] = time.monotonic()
        client.sendto(number.to_bytes(4, "big") * 250, ("127.0.0.1", 7001))
        time.sleep(INTERVAL / 1000)


threading.Thread(target=send).start()
try:
    while True:
        data = server.recv(2000)
        number = int.from_bytes(data[:4], "big")
        if data == data[:4] * 250 and number in sent:
            print(number, round((time.monotonic() - sent[number]) * 1000, 3))
        else:
            print("bad")
except TimeoutError:
    pass
