"""One of several stores that keep the same list: one of them leads, and copies what it takes to the others."""
import json
import socket
import sys
import threading
import time

NAME, NUMBER, PEERS = sys.argv[1], int(sys.argv[2]), sys.argv[3].split(',')
BEAT, PATIENCE = 0.5, 0.3

lock = threading.RLock()
term, leader, log = 0, None, []
heard = time.monotonic()


def ask(peer, **request):
    """What another store answers, or None if it cannot be reached."""
    try:
        host, port = peer.rsplit(':', 1)
        with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
            connection.sendall(json.dumps(request).encode() + b'\n')
            return json.loads(connection.makefile().readline())
    except (OSError, ValueError):
        return None


def all_agree(answers):
    """Whether what was asked of all others is settled."""
    # Whoever cannot be reached is dead and has no say.
    return all(answer['ok'] for answer in answers if answer)


def ask_all(**request):
    global term, leader
    answers = [ask(peer, term=term, **request) for peer in PEERS]
    newest = max([answer['term'] for answer in answers if answer], default=0)
    if newest > term:
        term, leader = newest, None
    return all_agree(answers)


def copy_to_all():
    return ask_all(do='copy', leader=NAME, log=log) and leader == NAME


def last(entries):
    """How new a list is."""
    return [entries[-1][0] if entries else 0, len(entries)]


def answer(request):
    global term, leader, log, heard
    if request['do'] == 'write':
        if leader != NAME:
            return {'ok': False}
        log.append([term, request['value']])
        return {'ok': copy_to_all()}
    if request['do'] == 'read':
        return {'ok': leader == NAME, 'values': [value for _, value in log]}
    ok = request['term'] >= term
    if request['do'] == 'vote':
        ok = request['term'] > term and request['last'] >= last(log)
    elif ok and request['term'] == term and leader == request['leader']:
        ok = len(request['log']) >= len(log)
    if request['term'] > term:
        term, leader = request['term'], None
    if ok:
        heard = time.monotonic()
        if request['do'] == 'copy':
            leader, log = request['leader'], request['log']
    return {'ok': ok, 'term': term}


def lead():
    """Tells the others that it leads, or tries to if nobody does."""
    global term, leader, heard
    while True:
        time.sleep(BEAT)
        with lock:
            if leader == NAME:
                copy_to_all()
            elif time.monotonic() - heard > 2 + NUMBER / 2:
                heard = time.monotonic()
                term, leader = term + 1, None
                mine = term
                if ask_all(do='vote', last=last(log)) and term == mine:
                    leader = NAME
                    print('leads in term', term, flush=True)


def serve(connection):
    with connection:
        try:
            request = json.loads(connection.makefile().readline())
            with lock:
                reply = answer(request)
            connection.sendall(json.dumps(reply).encode() + b'\n')
        except (OSError, ValueError):
            pass


listener = socket.create_server(('', 80), backlog=50)
print('up', flush=True)


def begin():
    for peer in PEERS:
        while ask(peer, do='read') is None:
            time.sleep(0.05)
    lead()


threading.Thread(target=begin, daemon=True).start()
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
