"""Writes sixty values, and looks whether those that were acknowledged are there in the end."""
import json
import os
import socket
import sys
import time

STORES = sys.argv[1].split(',')
ME = int(os.environ['SIMRUN_CLIENT_ID'])
START = time.monotonic()


def ask(store, **request):
    try:
        host, port = store.rsplit(':', 1)
        with socket.create_connection((host, int(port)), timeout=2) as connection:
            connection.sendall(json.dumps(request).encode() + b'\n')
            return json.loads(connection.makefile().readline())
    except (OSError, ValueError):
        return {'ok': False}


kept, at = [], ME % len(STORES)
for number in range(60):
    value = f'{ME}-{number}'
    for attempt in range(len(STORES)):
        if ask(STORES[at], do='write', value=value)['ok']:
            kept.append(value)
            break
        at = (at + 1) % len(STORES)
    time.sleep(0.5)

# Whatever happened is over by then.
time.sleep(max(0, 50 - (time.monotonic() - START)))
while True:
    found = next((ok for ok in (ask(store, do='read') for store in STORES) if ok['ok']), None)
    if found:
        break
    time.sleep(0.2)
lost = [value for value in kept if value not in found['values']]
print('INVARIANT', 1, 'acknowledged-writes-are-kept', 'FAIL' if lost else 'PASS',
      f'client {ME}: {len(kept)} acknowledged, {len(lost)} lost', flush=True)
sys.exit(1 if lost else 0)
