"""Reads and writes the register by any of its nodes, for some minutes, and looks whether it ever goes back.

Whatever a read or a write of this client has found or made, no later read of it may find less.
"""

import json
import os
import random
import socket
import sys
import time

with open(os.environ["SIMRUN_TOPOLOGY"]) as file:
    STORES = [machine["name"] for machine in json.load(file)["machines"] if machine["role"] == "node"]
CLIENT = os.environ["SIMRUN_CLIENT_ID"]
OPERATIONS, PAUSE_MAX, RETRIES_MAX = 25, 60, 200


def ask(request):
    """The answer of any node; nobody knows whether a write that had none has been made."""
    for _ in range(RETRIES_MAX):
        try:
            with socket.create_connection((random.choice(STORES), 80), timeout=5) as connection:
                connection.sendall(json.dumps(request).encode() + b"\n")
                answer = json.loads(connection.makefile().readline())
                if "stamp" in answer:
                    return answer
        except (OSError, ValueError):
            pass
        time.sleep(1)
    return None


known, is_late = (0, ""), False
for number in range(OPERATIONS):
    time.sleep(random.uniform(0, PAUSE_MAX))
    writes = random.random() < 0.3
    request = {"do": "write", "value": f"{CLIENT}-{number}"} if writes else {"do": "read"}
    answer = ask(request)
    if answer is None:
        is_late = True
        continue
    stamp = tuple(answer["stamp"])
    if not writes and stamp < known:
        print(f"INVARIANT 1 never-back FAIL client {CLIENT} read {stamp} after {known}", flush=True)
        sys.exit(1)
    known = max(known, stamp)

print(f"INVARIANT 1 never-back PASS client {CLIENT} ends with {known}", flush=True)
print(f"INVARIANT 2 answers-in-time {'FAIL' if is_late else 'PASS'} client {CLIENT}", flush=True)
