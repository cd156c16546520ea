"""A print shop: takes orders over HTTP and prints them one after the other."""

import json
import queue
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn

PRINTING_S = 0.1


class Shop(ThreadingMixIn, TCPServer):
    daemon_threads = True

    def __init__(self, port):
        super().__init__(("127.0.0.1", port), Handler)
        self.orders = []
        self.waiting = queue.Queue()
        threading.Thread(target=self.print_all, daemon=True).start()

    def take(self, text):
        order = {"text": text, "state": "waiting"}
        self.orders.append(order)
        self.waiting.put(order)
        return order

    def print_all(self):
        while True:
            order = self.waiting.get()
            time.sleep(PRINTING_S)
            order["state"] = "printed"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.answer(201, self.server.take(text))

    def do_GET(self):
        self.answer(200, self.server.orders)

    def answer(self, status, what):
        body = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    Shop(int(sys.argv[1])).serve_forever()
