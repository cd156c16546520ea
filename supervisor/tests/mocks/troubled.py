"""Speaks with services that go wrong and do not speak HTTP."""
import smtplib, socket, time


def connect():
    meter = socket.create_connection(("meter", 7000))
    meter.settimeout(20)
    assert meter.makefile("rb", buffering=0).readline() == b"meter ready\n"
    return meter


def ask(what):
    start, meter, got = time.monotonic(), connect(), b""
    meter.sendall(what.encode() + b"\n")
    try:
        while (more := meter.recv(1000)):
            got += more
            if got.endswith(b"\n"):
                break
        how = "whole" if got.endswith(b"\n") else "end"
    except OSError as error:
        how = type(error).__name__
    print(what, got if len(got) < 50 else len(got), how, round(time.monotonic() - start), flush=True)


for what in ["LATE", "DRIP", "HALF", "EMPTY", "RESET", "SILENCE", "GARBAGE", "FINE"]:
    ask(what)
for _ in range(2):
    orders = socket.create_connection(("meter", 7001))
    orders.sendall(b"ORDER\n")
    try:
        print(orders.recv(100), flush=True)
    except ConnectionResetError:
        print("reset", flush=True)

clock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
clock.connect(("time.test", 1123))
clock.settimeout(1)
for _ in range(4):
    clock.send(b"TIME")
    try:
        print(clock.recv(100), flush=True)
    except TimeoutError:
        print("silence", flush=True)

for _ in range(4):
    start = time.monotonic()
    try:
        with smtplib.SMTP("mail.test") as server:
            said = server.sendmail("a@shop.test", ["b@home.test"], "Subject: Hello\n\nYour password is hunter2\n")
    except smtplib.SMTPDataError as error:
        said = error.smtp_code
    except (smtplib.SMTPServerDisconnected, ConnectionResetError):
        said = "reset"
    print(said, round(time.monotonic() - start), flush=True)
