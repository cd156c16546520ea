"""Places thirty orders and compares the service's book with what was confirmed."""
import os
import socket
import subprocess
import sys
import time
from collections import Counter

from client import Client

PORT, BOOK = 9000, 'orders.book'
HERE = os.path.dirname(os.path.abspath(__file__))

open(BOOK, 'w').close()
service = subprocess.Popen([sys.executable, os.path.join(HERE, 'service.py'), str(PORT), BOOK])
while True:
    try:
        socket.create_connection(('127.0.0.1', PORT), timeout=1).close()
        break
    except OSError:
        time.sleep(0.05)

client = Client(PORT)
confirmed = []
for number in range(1, 31):
    client.place(number, 'tea')
    confirmed.append(number)
service.kill()
service.wait()

with open(BOOK) as book:
    written = Counter(int(line.split()[0]) for line in book)
lost = [number for number in confirmed if not written[number]]
doubled = [number for number in confirmed if written[number] > 1]
print('INVARIANT', 1, 'no-order-is-lost', 'FAIL' if lost else 'PASS', f'lost: {lost or "none"}')
print('INVARIANT', 2, 'no-order-is-doubled', 'FAIL' if doubled else 'PASS', f'doubled: {doubled or "none"}')
sys.exit(1 if lost or doubled else 0)
