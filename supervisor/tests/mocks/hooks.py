"""Subscribes to news, fails at the first two, and takes the third."""
import http.server, time, urllib.request

class Hooks(http.server.BaseHTTPRequestHandler):
    count = 0

    def do_POST(self):
        Hooks.count += 1
        body = self.rfile.read(int(self.headers["content-length"]))
        print(f"{time.monotonic() - start:.1f}", self.path, body.decode(), flush=True)
        self.send_response(204 if Hooks.count == 3 else 500)
        self.end_headers()

    def log_message(self, *_):
        pass

server = http.server.HTTPServer(("", 9000), Hooks)
start = time.monotonic()
urllib.request.urlopen("http://news:8000/", data=b"host=simrun")
for _ in range(3):
    server.handle_request()
