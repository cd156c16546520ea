# http.server with urllib, in one process and in two.
import http.server
import subprocess
import sys
import threading
import time
import urllib.request


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"you asked for {self.path}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
for i in range(5):
    with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/{i}") as answer:
        print(answer.status, answer.read().decode())
server.shutdown()

open("page.txt", "w").write("a page\n")
child = subprocess.Popen([sys.executable, "-m", "http.server", "8473", "--bind", "127.0.0.1"], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
for _ in range(200):
    try:
        print(urllib.request.urlopen("http://127.0.0.1:8473/page.txt").read())
        break
    except OSError:
        time.sleep(0.05)
child.terminate()
print(child.wait())
