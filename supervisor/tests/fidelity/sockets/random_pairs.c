// Calls on pairs of unix sockets, drawn from a seed; each says what came of it.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ROUNDS = 200, STEPS = 400, LOWEST = 3, HIGHEST = 14, LENGTH_MAX = 1 << 13 };

#include "../drawn.h"

static size_t length(void) {
    static const size_t most[] = {2, 20, 300, LENGTH_MAX};
    return draw(most[draw(4)]);
}

static void put(int fd) {
    size_t len = length();
    for (size_t i = 0; i < len; i++) bytes[i] = draw(256);
    if (draw(3)) return show("send", fd, len, send(fd, bytes, len, MSG_DONTWAIT));
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(2 * sizeof(int))];
    } control = {0};
    int passed[2] = {descriptor(), descriptor()};
    int count = 1 + draw(2);
    struct iovec part = {bytes, len};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control};
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    control.header = (struct cmsghdr){CMSG_LEN(count * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.header), passed, count * sizeof(int));
    // A socket that is passed through itself would never be closed, but collected at a time of the kernel's own.
    for (int i = 0; i < count; i++) {
        int domain = 0;
        socklen_t size = sizeof domain;
        if (getsockopt(passed[i], SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0) return;
    }
    show("sendmsg", fd, len, sendmsg(fd, &message, MSG_DONTWAIT));
}

static void take(int fd) {
    size_t len = length();
    int flags = MSG_DONTWAIT | (draw(4) ? 0 : MSG_PEEK) | (draw(4) ? 0 : MSG_TRUNC);
    if (draw(3)) {
        ssize_t done = recv(fd, bytes, len, flags);
        show(flags & MSG_PEEK ? "peek" : "recv", fd, len, done);
        if (done > 0) printf("  %08x\n", sum(done < (ssize_t)len ? done : (ssize_t)len));
        return;
    }
    char control[64];
    struct iovec part = {bytes, len};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control};
    message.msg_controllen = draw(3) ? sizeof control : 0;
    ssize_t done = recvmsg(fd, &message, flags | (draw(2) ? MSG_CMSG_CLOEXEC : 0));
    show("recvmsg", fd, len, done);
    if (done < 0) return;
    printf("  %08x flags %x control %zu:", sum(done < (ssize_t)len ? done : (ssize_t)len),
           message.msg_flags & ~MSG_CMSG_CLOEXEC, message.msg_controllen);
    struct cmsghdr *header = message.msg_controllen ? CMSG_FIRSTHDR(&message) : NULL;
    for (size_t i = 0; header && i < (header->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++)
        printf(" %d", ((int *)CMSG_DATA(header))[i]);
    printf("\n");
}

static void ask(int fd) {
    int value = -1;
    socklen_t size = sizeof value;
    switch (draw(4)) {
    case 0: return show("FIONREAD", fd, 0, ioctl(fd, FIONREAD, &value) ? -1 : value);
    case 1: return show("SO_ERROR", fd, 0, getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &size) ? -1 : value);
    case 2: return show("SO_TYPE", fd, 0, getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &size) ? -1 : value);
    default: return show("F_GETFL", fd, 0, fcntl(fd, F_GETFL));
    }
}

static void look(void) {
    struct pollfd polled[HIGHEST - LOWEST + 1];
    for (int i = 0; i <= HIGHEST - LOWEST; i++)
        polled[i] = (struct pollfd){LOWEST + i, POLLIN | POLLOUT | POLLRDHUP};
    printf("poll %d:", poll(polled, HIGHEST - LOWEST + 1, 0));
    for (int i = 0; i <= HIGHEST - LOWEST; i++) printf(" %x", polled[i].revents);
    printf("\n");
}

static void make(void) {
    static const int kinds[] = {SOCK_STREAM, SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
    int ends[2] = {-1, -1}, kind = kinds[draw(4)];
    int result = draw(5) ? socketpair(AF_UNIX, kind | SOCK_NONBLOCK, 0, ends) : pipe2(ends, O_NONBLOCK);
    show("pair", kind, ends[0] * 100 + ends[1], result);
}

static void step(void) {
    int a = descriptor(), b = descriptor(), how = draw(3);
    switch (draw(16)) {
    case 0:
    case 1: return make();
    case 2: return show("close", a, 0, close(a));
    case 3:
        if (a != b) show("dup2", a, b, dup2(a, b));
        return;
    case 4: return draw(3) ? (void)0 : show("shutdown", a, how, shutdown(a, how));
    case 5: return ask(a);
    case 6: return look();
    case 7:
    case 8:
    case 9:
    case 10: return put(a);
    default: return take(a);
    }
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    rounds(argv, ROUNDS, STEPS, close_all, step);
    return 0;
}
