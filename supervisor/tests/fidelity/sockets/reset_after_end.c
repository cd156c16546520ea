// A connection that the other end has closed, written to all the same: the reset that comes back is told to writers and
// by SO_ERROR, while readers see the end that was there first.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void connected(int *near, int *far) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (void *)&a, len);
    listen(listener, 1);
    getsockname(listener, (void *)&a, &len);
    *near = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(*near, (void *)&a, len)) perror("connect");
    *far = accept(listener, NULL, NULL);
    close(listener);
}

// Waits until something of this has come.
static void await(int fd, short events) {
    struct pollfd p = {.fd = fd, .events = events};
    int ready = poll(&p, 1, 5000);
    printf("poll %d %x; ", ready, p.revents);
}

static void get(int fd) {
    char buffer[16];
    ssize_t n = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    printf("recv %zd %s; ", n, n < 0 ? strerror(errno) : "");
}

static void put(int fd) {
    ssize_t n = send(fd, "x", 1, MSG_NOSIGNAL);
    printf("send %zd %s; ", n, n < 0 ? strerror(errno) : "");
}

static void error(int fd) {
    int value = -1;
    socklen_t len = sizeof value;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &len);
    printf("SO_ERROR %s; ", strerror(value));
}

static void run(const char *what, const char *unread, const char *steps) {
    int near, far;
    connected(&near, &far);
    write(far, unread, strlen(unread));
    close(far);
    printf("%s: ", what);
    await(near, POLLRDHUP);
    for (; *steps; steps++) {
        switch (*steps) {
        case 'g': get(near); break;
        case 'p': put(near); break;
        case 'e': error(near); break;
        case 'h': await(near, POLLHUP); break;
        case 's': printf("shutdown %d; ", shutdown(near, SHUT_WR)); break;
        }
    }
    printf("\n");
    close(near);
}

static void reset_first(void) {
    int near, far;
    connected(&near, &far);
    struct linger now = {.l_onoff = 1};
    setsockopt(far, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(far);
    printf("reset: ");
    await(near, POLLHUP);
    get(near);
    get(near);
    put(near);
    error(near);
    printf("\n");
    close(near);
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    run("read", "", "gphggppe");
    run("write", "", "phppgge");
    run("error", "", "phegegpe");
    run("unread", "some", "phggep");
    run("both ended", "", "sggpge");
    reset_first();
    return 0;
}
