"""One node of a replicated register: reads and writes of any node go to a majority of all.

Each value has a stamp, (number, node), and the highest wins. Whoever reads writes back what it has found, so that no later
read can find less (Attiya, Bar-Noy, Dolev 1995). A value is on the disk before it counts.

usage: store.py NAME PEERS      PEERS with commas, as HOST:PORT
"""

import json
import os
import random
import socket
import socketserver
import sys
import threading

NAME, PEERS = sys.argv[1], [peer.rsplit(":", 1) for peer in sys.argv[2].split(",")]
# Two majorities have a node in common; with fewer, a read may meet none that knows of the last write.
MAJORITY = int(os.environ.get("MAJORITY", (len(PEERS) + 1) // 2 + 1))
FILE = "/var/tmp/register"
# One change of the file at a time, and one write of a client: no two of a node have the same stamp.
CHANGING, WRITING = threading.Lock(), threading.Lock()


def load():
    try:
        with open(FILE) as file:
            return tuple(json.load(file))
    except FileNotFoundError:
        return ((0, ""), None)


def keep(stamp, value):
    """Puts a value on the disk, as a whole or not at all."""
    with open(FILE + ".new", "w") as file:
        json.dump((stamp, value), file)
        file.flush()
        os.fsync(file.fileno())
    os.rename(FILE + ".new", FILE)
    folder = os.open(os.path.dirname(FILE), os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def local(request):
    """What this node does for another one."""
    with CHANGING:
        if request["do"] == "store" and tuple(request["stamp"]) > tuple(load()[0]):
            keep(request["stamp"], request["value"])
        stamp, value = load()
    return {"stamp": stamp, "value": value}


def ask(peer, request):
    with socket.create_connection((peer[0], int(peer[1])), timeout=0.5) as connection:
        connection.sendall(json.dumps(request).encode() + b"\n")
        return json.loads(connection.makefile().readline())


def majority(request):
    """What a majority answers; fails when too few do."""
    answers = [local(request)]
    for peer in random.sample(PEERS, len(PEERS)):
        if len(answers) == MAJORITY:
            break
        try:
            answers.append(ask(peer, request))
        except (OSError, ValueError):
            pass
    if len(answers) < MAJORITY:
        raise TimeoutError("too few nodes answer")
    return answers


def newest():
    return max(majority({"do": "load"}), key=lambda answer: tuple(answer["stamp"]))


def serve(request):
    if request["do"] in ("load", "store"):
        return local(request)
    if request["do"] == "read":
        found = newest()
        majority({"do": "store", **found})
        return found
    with WRITING:
        stamp = (newest()["stamp"][0] + 1, NAME)
        majority({"do": "store", "stamp": stamp, "value": request["value"]})
    return {"stamp": stamp, "value": request["value"]}


class Handler(socketserver.StreamRequestHandler):
    timeout = 5

    def handle(self):
        try:
            answer = serve(json.loads(self.rfile.readline()))
        except (OSError, ValueError) as error:
            answer = {"error": str(error)}
        try:
            self.wfile.write(json.dumps(answer).encode() + b"\n")
        except OSError:
            pass


class Server(socketserver.TCPServer):
    allow_reuse_address = True
    request_queue_size = 64


class ThreadingServer(socketserver.ThreadingMixIn, Server):
    daemon_threads = True


ThreadingServer(("", 80), Handler).serve_forever()
