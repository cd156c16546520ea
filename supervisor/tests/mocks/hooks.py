"""Subscribes to news, fails at the first two, and takes the third."""
import http.server, ssl, subprocess, sys, time, urllib.request

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
scheme = sys.argv[1]
if scheme == "https":
    subprocess.run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=own -keyout key -out certificate",
        shell=True, check=True, cwd="/tmp", stderr=subprocess.DEVNULL,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("/tmp/certificate", "/tmp/key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
start = time.monotonic()
urllib.request.urlopen("http://news:8000/", data=f"scheme={scheme}&host=simrun".encode())
for _ in range(3):
    server.handle_request()
