"""Speaks with services that do not speak HTTP."""
import email.message, json, smtplib, socket, ssl, time

meter = socket.create_connection(("meter", 7000))
lines = meter.makefile("rwb", buffering=0)
print(lines.readline())
lines.write(b"LOGIN ann\r\n")
print(lines.readline())
start = time.monotonic()
lines.write(b"READ\nREAD\n")
print(lines.readline(), lines.readline(), 2 <= time.monotonic() - start < 4.1)
lines.write(b"QUIT\n")
print(lines.readline(), lines.readline())

crash = socket.create_connection(("meter", 7000))
crash.sendall(b"LOGIN bob\nCRASH\n")
try:
    while crash.recv(100):
        pass
except ConnectionResetError:
    print("reset")
wrong = socket.create_connection(("meter", 7000))
wrong.sendall(b"HELP\n")
print(wrong.recv(100), wrong.recv(100))

plain = socket.create_connection(("meter", 7001))
with ssl.create_default_context().wrap_socket(plain, server_hostname="meter") as blocks:
    blocks.sendall(b"PINGmore")
    print(blocks.recv(3))
    blocks.sendall(b" words;")
    print(blocks.recv(100))

clock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
clock.connect(("time.test", 1123))
for _ in range(2):
    start = time.monotonic()
    clock.send(b'{"want": "time", "from": "here"}')
    answer = json.loads(clock.recv(1000))
    print(abs(answer["second"] - time.time()) < 2, answer["number"], 0.25 <= time.monotonic() - start < 0.3)

mail = email.message.EmailMessage()
mail["From"], mail["To"], mail["Subject"] = "shop@shop.test", "ann@home.test", "Welcome, Ännchen"
mail.set_content("Your code is 1234.\n.\nGood bye\n")
with smtplib.SMTP("mail.test", 587) as server:
    server.starttls(context=ssl.create_default_context())
    server.login("shop", "secret")
    print(server.send_message(mail), server.noop()[0])
    try:
        server.sendmail("shop@shop.test", ["x@nowhere.test"], "Subject: no\n\n")
    except smtplib.SMTPRecipientsRefused as error:
        print(error.recipients["x@nowhere.test"][0])
with smtplib.SMTP("mail.test") as server:
    print(server.sendmail("shop@shop.test", ["bob@home.test"], "Subject: Bill\n\nPay!\n"))
