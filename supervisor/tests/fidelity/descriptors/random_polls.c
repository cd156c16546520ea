// Readiness of pipes, sockets, counters and epoll instances, asked for in all ways and drawn from a seed.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ROUNDS = 200, STEPS = 400, LOWEST = 3, HIGHEST = 16, LENGTH_MAX = 1 << 17 };

#include "../drawn.h"

static uint32_t wanted(void) {
    static const uint32_t each[] = {EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLPRI, EPOLLET, EPOLLONESHOT, EPOLLHUP, EPOLLWAKEUP};
    uint32_t events = draw(3) ? EPOLLIN : 0;
    for (int i = draw(4); i > 0; i--) events |= each[draw(8)];
    return draw(40) ? events : events | EPOLLEXCLUSIVE;
}

static void make(void) {
    int ends[2] = {-1, -1};
    switch (draw(6)) {
    case 0: case 1: return show("epoll_create", 0, 0, epoll_create1(0));
    case 2: return show("eventfd", 0, 0, eventfd(draw(3), EFD_NONBLOCK | (draw(3) ? 0 : EFD_SEMAPHORE)));
    case 3: return show("socketpair", 0, 0, socketpair(AF_UNIX, (draw(3) ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK, 0, ends));
    default: return show("pipe", 0, 0, pipe2(ends, O_NONBLOCK));
    }
}

static void control(int instance) {
    static const int operations[] = {EPOLL_CTL_ADD, EPOLL_CTL_ADD, EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_MOD, EPOLL_CTL_DEL};
    int fd = descriptor(), operation = operations[draw(6)];
    struct epoll_event event = {.events = wanted(), .data.u64 = draw(1000)};
    printf("  %x %d ", event.events, (int)event.data.u64);
    show("epoll_ctl", operation, fd, epoll_ctl(instance, operation, fd, &event));
}

static void await(int instance) {
    struct epoll_event events[16];
    int most = draw(4) ? 16 : 1 + draw(3);
    int count = epoll_wait(instance, events, most, 0);
    show("epoll_wait", instance, most, count);
    for (int i = 0; i < count; i++) printf("  %x %d\n", events[i].events, (int)events[i].data.u64);
}

static void look(void) {
    if (draw(2)) {
        struct pollfd polled[HIGHEST - LOWEST + 1];
        for (int i = 0; i <= HIGHEST - LOWEST; i++)
            polled[i] = (struct pollfd){LOWEST + i, draw(3) ? POLLIN | POLLOUT : POLLRDHUP | POLLPRI};
        printf("poll %d:", poll(polled, HIGHEST - LOWEST + 1, 0));
        for (int i = 0; i <= HIGHEST - LOWEST; i++) printf(" %x", polled[i].revents);
        printf("\n");
        return;
    }
    fd_set sets[3];
    struct timeval now = {0, 0};
    memset(sets, 0, sizeof sets);
    for (int i = 0; i < 6; i++) FD_SET(descriptor(), &sets[draw(3)]);
    show("select", 0, 0, select(HIGHEST + 1, &sets[0], &sets[1], &sets[2], &now));
    for (int i = 0; i < 3; i++) printf("  %llx", *(unsigned long long *)&sets[i]);
    printf("\n");
}

static void use(int fd) {
    uint64_t count = draw(5);
    size_t len = draw(3) ? draw(20) : draw(LENGTH_MAX);
    switch (draw(6)) {
    case 0: case 1: return show("read", fd, len, read(fd, bytes, len));
    case 2: return show("write eight", fd, count, write(fd, &count, 8));
    default: return show("write", fd, len, write(fd, bytes, len));
    }
}

static void step(void) {
    int a = descriptor(), b = descriptor();
    switch (draw(20)) {
    case 0: case 1: return make();
    case 2: return draw(2) ? show("close", a, 0, close(a)) : (void)0;
    case 3:
        if (a != b && draw(3) == 0) show("dup2", a, b, dup2(a, b));
        return;
    case 4: return show("shutdown", a, 0, shutdown(a, draw(3)));
    case 5: return look();
    case 6: case 7: case 8: case 9: return control(a);
    case 10: case 11: case 12: case 13: case 14: return await(a);
    default: return use(a);
    }
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    rounds(argv, ROUNDS, STEPS, close_all, step);
    return 0;
}
