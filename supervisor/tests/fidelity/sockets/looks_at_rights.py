# What is seen of descriptors that come with bytes of a stream, by reading less, nothing, or only looking; what messages
# take up; and which error comes first.
import array, fcntl, os, socket, struct, termios

NOW, PEEK = socket.MSG_DONTWAIT, socket.MSG_PEEK


def with_control(end, length, room=256, flags=0):
    data, ancillary, shown, _ = end.recvmsg(length, room, flags | NOW)
    passed = [list(array.array("i", data)) for _, _, data in ancillary]
    for fd in sum(passed, []):
        os.close(fd)
    return len(data), shown & ~socket.MSG_CMSG_CLOEXEC, [len(some) for some in passed]


LOOKS = {
    "recv": lambda end, length: len(end.recv(length, NOW)),
    "peek": lambda end, length: len(end.recv(length, NOW | PEEK)),
    "recvmsg": with_control,
    "recvmsg without room": lambda end, length: with_control(end, length, 0),
    "look without room": lambda end, length: with_control(end, length, 0, PEEK),
    "look": lambda end, length: with_control(end, length, 256, PEEK),
}


def told(act, *arguments):
    try:
        return act(*arguments)
    except OSError as error:
        return error.strerror


for before in 0, 5:
    for look in LOOKS:
        for length in 0, 4, 5, 6, 9:
            one, other = socket.socketpair()
            if before:
                one.send(b"x" * before)
            socket.send_fds(one, [b"y" * 3], [0])
            first = told(LOOKS[look], other, length)
            print(before, look, length, first, told(with_control, other, 9))

for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET:
    for length in 1, 192, 193, 705, 3777, 8000, 16065, 20000, 36545, 60000, 100000:
        one, other = socket.socketpair(socket.AF_UNIX, kind)
        sent = told(one.send, b"x" * length, NOW)
        waiting = struct.unpack("i", fcntl.ioctl(one, termios.TIOCOUTQ, b"\0" * 4))[0]
        print(kind, length, sent, waiting)
    one, other = socket.socketpair(socket.AF_UNIX, kind)
    print(told(one.send, b"x" * 1000000, NOW))
    other.send(b"unread")
    one.send(b"unread", NOW) if kind != socket.SOCK_STREAM else None
    other.close()
    for passed in [], [77777]:
        print(told(lambda: socket.send_fds(one, [b"z"], passed, NOW)))
