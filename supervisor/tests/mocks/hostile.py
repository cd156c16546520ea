"""Does to a service what no client should, and then asks as one should."""
import socket, urllib.request

HOST = "api.payments.test"
kept = []

def say(port, *pieces):
    connection = socket.create_connection((HOST, port))
    connection.settimeout(2)
    kept.append(connection)
    got = b""
    try:
        for piece in pieces:
            connection.sendall(piece)
        while piece := connection.recv(65536):
            got += piece
    except (OSError, TimeoutError):
        pass
    return got.split(b"\r\n")[0][:40]

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
print("long header", say(80, b"GET / HTTP/1.1\r\nhost: x\r\n", b"x-y: " + b"z" * 1_000_000 + b"\r\n\r\n"))
print("many fields", say(80, b"GET / HTTP/1.1\r\nhost: x\r\n", b"x: y\r\n" * 5000 + b"\r\n"))
print("no request", say(80, b"\x00\xff" * 1000))
print("half a body", say(80, b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nabc"))
print("bad chunk", say(80, b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"))
print("frame of no kind", bool(say(80, PREFACE, b"\x00\x00\x05\xfe\xff\x00\x00\x00\x01hello")))
print("frame too long", bool(say(80, PREFACE, b"\xff\xff\xff\x00\x00\x00\x00\x00\x01")))
print("headers that are none", bool(say(80, PREFACE, b"\x00\x00\x00\x04\x00\x00\x00\x00\x00", b"\x00\x00\x04\x01\x05\x00\x00\x00\x01\xff\xff\xff\xff")))
print("no handshake", say(443, b"GET / HTTP/1.1\r\n\r\n")[:1])
for _ in range(300):
    kept.append(socket.create_connection((HOST, 443)))
print(urllib.request.urlopen("https://api.payments.test/x").read(), urllib.request.urlopen("http://api.payments.test/x").read())
