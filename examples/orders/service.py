"""Takes orders over TCP, a line each, and writes them into its book."""
import socketserver
import sys


class Orders(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            order = line.decode().strip()
            with open(self.server.book, 'a') as book:
                print(order, file=book)
            self.wfile.write(b'ok\n')


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that is gone is no error."""


if __name__ == '__main__':
    server = Server(('127.0.0.1', int(sys.argv[1])), Orders)
    server.book = sys.argv[2]
    server.serve_forever()
