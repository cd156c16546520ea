// Calls on connections of TCP, drawn from a seed; each says what came of it.
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ROUNDS = 24, STEPS = 400, LOWEST = 3, HIGHEST = 14, LISTENER = 400, LENGTH_MAX = 1 << 13 };

#include "../drawn.h"

static size_t length(void) {
    static const size_t most[] = {2, 20, 300, LENGTH_MAX};
    return draw(most[draw(4)]);
}

static void put(int fd) {
    size_t len = length();
    for (size_t i = 0; i < len; i++) bytes[i] = draw(256);
    show("send", fd, len, send(fd, bytes, len, MSG_DONTWAIT));
}

static void take(int fd) {
    size_t len = length();
    int flags = MSG_DONTWAIT | (draw(4) ? 0 : MSG_PEEK) | (draw(6) ? 0 : MSG_TRUNC);
    ssize_t done = recv(fd, bytes, len, flags);
    show(flags & MSG_PEEK ? "peek" : "recv", fd, len, done);
    if (done > 0 && !(flags & MSG_TRUNC)) printf("  %08x\n", sum(done));
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

static struct sockaddr_in address;

static void make(void) {
    int kind = draw(4);
    if (kind == 0) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        return show("socket", 0, 0, fd);
    }
    int client = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(client, (void *)&address, sizeof address)) printf("no connection\n");
    // Small writes would wait for acknowledgements, which take their time.
    fcntl(client, F_SETFL, O_NONBLOCK);
    int server = accept4(LISTENER, 0, 0, SOCK_NONBLOCK), yes = 1;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (kind == 1) {
        struct linger linger = {1, 0};
        setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    }
    show("connection", client, server, kind);
}

static void try_connect(int fd) {
    struct sockaddr_in to = address;
    if (draw(2)) to.sin_family = AF_UNSPEC;
    else to.sin_port = htons(1);
    show("connect", fd, to.sin_family, connect(fd, (void *)&to, sizeof to));
}

static void step(void) {
    int a = descriptor(), b = descriptor(), how = draw(3);
    switch (draw(17)) {
    case 16: return draw(3) ? (void)0 : try_connect(a);
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

static void begin(void) {
    syscall(SYS_close_range, LOWEST, LISTENER - 1, 0);
    syscall(SYS_close_range, LISTENER + 1, ~0u, 0);
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t size = sizeof address;
    address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    bind(listener, (void *)&address, size);
    listen(listener, 10);
    getsockname(listener, (void *)&address, &size);
    dup2(listener, LISTENER);
    rounds(argv, ROUNDS, STEPS, begin, step);
    return 0;
}
