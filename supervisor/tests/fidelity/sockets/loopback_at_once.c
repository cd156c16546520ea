// What is sent over the loopback device is there for the next call of whoever looks, without waiting.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int readiness(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};
    poll(&p, 1, 0);
    return p.revents;
}

static const char *outcome(ssize_t n) { return n < 0 ? strerror(errno) : "fine"; }

static void stream(void) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int l = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    bind(l, (void *)&a, sizeof a);
    getsockname(l, (void *)&a, &len);
    listen(l, 5);
    int c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int n = connect(c, (void *)&a, sizeof a);
    printf("connect %d %s\n", n, outcome(n));
    printf("connecting %x\n", readiness(c));
    n = connect(c, (void *)&a, sizeof a);
    printf("again %d %s\n", n, outcome(n));
    n = connect(c, (void *)&a, sizeof a);
    printf("and again %d %s\n", n, outcome(n));
    printf("listener %x\n", readiness(l));
    int s = accept4(l, NULL, NULL, SOCK_NONBLOCK);
    printf("accepted %s\n", outcome(s));
    char buffer[16];
    n = recv(s, buffer, sizeof buffer, 0);
    printf("nothing %d %s\n", n, outcome(n));
    printf("sent %zd\n", send(c, "hello", 5, 0));
    n = recv(s, buffer, sizeof buffer, 0);
    printf("received %d %s\n", n, outcome(n));
    shutdown(c, SHUT_WR);
    printf("after fin %x\n", readiness(s));
    n = recv(s, buffer, sizeof buffer, 0);
    printf("end %d %s\n", n, outcome(n));
    send(s, "back", 4, 0);
    close(s);
    n = recv(c, buffer, sizeof buffer, 0);
    printf("back %d %s\n", n, outcome(n));
    n = recv(c, buffer, sizeof buffer, 0);
    printf("end %d %s\n", n, outcome(n));
    close(c);

    c = socket(AF_INET, SOCK_STREAM, 0);
    n = connect(c, (void *)&a, sizeof a);
    printf("blocking connect %d %s\n", n, outcome(n));
    s = accept4(l, NULL, NULL, SOCK_NONBLOCK);
    struct linger hard = {1, 0};
    setsockopt(c, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(c);
    printf("after reset %x\n", readiness(s));
    n = recv(s, buffer, sizeof buffer, 0);
    printf("reset %d %s\n", n, outcome(n));
    close(s);
    close(l);
    c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    n = connect(c, (void *)&a, sizeof a);
    printf("nobody %d %s\n", n, outcome(n));
    int error = 0;
    len = sizeof error;
    getsockopt(c, SOL_SOCKET, SO_ERROR, &error, &len);
    printf("error %s\n", strerror(error));
    close(c);
}

static void datagrams(void) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int r = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), s = socket(AF_INET, SOCK_DGRAM, 0);
    bind(r, (void *)&a, sizeof a);
    getsockname(r, (void *)&a, &len);
    connect(s, (void *)&a, sizeof a);
    char buffer[16];
    for (int i = 0; i < 3; i++) send(s, "datagram", 8 - i, 0);
    for (int i = 0; i < 4; i++) {
        int n = recv(r, buffer, sizeof buffer, 0);
        printf("datagram %d %s\n", n, outcome(n));
    }
    close(r);
    int n = send(s, "x", 1, 0);
    printf("to nobody %d\n", n);
    n = send(s, "x", 1, 0);
    printf("told %d %s\n", n, outcome(n));
    close(s);
}

int main(void) {
    stream();
    datagrams();
    return 0;
}
