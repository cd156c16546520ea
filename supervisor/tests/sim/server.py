# Says who it is to whoever connects.
import os, socket

listener = socket.create_server(("", 80))
print("up", flush=True)
while True:
    connection, (peer, _) = listener.accept()
    connection.sendall(f"{socket.gethostname()} to {peer}\n".encode())
    connection.close()
