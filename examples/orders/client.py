"""Places orders, and tries again if one is not confirmed in time."""
import socket
import time


class Client:
    PATIENCE = 0.25  # Seconds; the service answers within a millisecond.

    def __init__(self, port):
        self.port = port
        self.connection = None

    def place(self, number, item):
        for attempt in range(20):
            try:
                if self.connection is None:
                    self.connect()
                self.connection.sendall(f'{number} {item}\n'.encode())
                self.wait_for_reply()
                return
            except TimeoutError:
                pass
            except OSError:
                self.connection = None
                time.sleep(0.05 * (attempt + 1))
        raise RuntimeError(f'order {number} cannot be placed')

    def connect(self):
        self.connection = socket.create_connection(('127.0.0.1', self.port), timeout=2)
        self.connection.settimeout(self.PATIENCE)
        self.replies = b''

    def wait_for_reply(self):
        while b'\n' not in self.replies:
            received = self.connection.recv(1000)
            if not received:
                raise ConnectionResetError
            self.replies += received
        reply, self.replies = self.replies.split(b'\n', 1)
        return reply.decode()
