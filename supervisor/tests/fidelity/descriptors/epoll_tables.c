// Level, edge, one-shot, exclusive and nested interests, and what becomes of closed descriptors.
#include "show.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int ctl(int ep, int op, int fd, uint32_t events, uint64_t data) {
    struct epoll_event event = {events, {.u64 = data}};
    return epoll_ctl(ep, op, fd, &event);
}

static void wait_show(const char *what, int ep, int max) {
    struct epoll_event events[16];
    int n = epoll_wait(ep, events, max, 0);
    printf("%s: %d", what, n);
    for (int i = 0; i < n; i++) printf(" [%lu %x]", (unsigned long)events[i].data.u64, events[i].events);
    printf("%s\n", n < 0 ? strerror(errno) : "");
}

static void level_and_edge(void) {
    int ep = epoll_create1(0), p[2];
    pipe2(p, O_NONBLOCK);
    char buffer[70000] = {0};
    SHOW("add reader", ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 1));
    SHOW("add again", ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 1));
    SHOW("add writer", ctl(ep, EPOLL_CTL_ADD, p[1], EPOLLOUT | EPOLLET, 2));
    wait_show("empty", ep, 16);
    wait_show("writer's edge is past", ep, 16);
    write(p[1], "x", 1);
    wait_show("byte", ep, 16);
    wait_show("byte, still", ep, 16);
    SHOW("to edge", ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET, 3));
    wait_show("edge after mod", ep, 16);
    wait_show("edge past", ep, 16);
    write(p[1], "y", 1);
    wait_show("new edge on data that was not read", ep, 16);
    read(p[0], buffer, 1);
    wait_show("reading makes no edge", ep, 16);
    while (write(p[1], buffer, 4096) > 0) {}
    wait_show("full", ep, 16);
    read(p[0], buffer, 10);
    wait_show("ten bytes less", ep, 16);
    read(p[0], buffer, 4096);
    wait_show("a page less", ep, 16);
    SHOW("to one-shot", ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT, 4));
    wait_show("shot", ep, 16);
    write(p[1], "z", 1);
    wait_show("no second shot", ep, 16);
    SHOW("rearm", ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT, 5));
    wait_show("shot again", ep, 16);
    SHOW("mod", ctl(ep, EPOLL_CTL_MOD, p[0], 0, 6));
    close(p[1]);
    wait_show("hang-up is always wanted", ep, 16);
    SHOW("del", ctl(ep, EPOLL_CTL_DEL, p[0], 0, 0));
    SHOW("del again", ctl(ep, EPOLL_CTL_DEL, p[0], 0, 0));
    SHOW("mod deleted", ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN, 0));
    close(p[0]);
    close(ep);
}

static void order(void) {
    int ep = epoll_create1(0), fds[5];
    for (int i = 0; i < 5; i++) {
        fds[i] = eventfd(0, EFD_NONBLOCK);
        ctl(ep, EPOLL_CTL_ADD, fds[i], EPOLLIN, i);
    }
    uint64_t one = 1;
    int sequence[] = {3, 1, 4, 0};
    for (int i = 0; i < 4; i++) write(fds[sequence[i]], &one, 8);
    wait_show("in order", ep, 16);
    wait_show("two at a time", ep, 2);
    wait_show("two at a time", ep, 2);
    wait_show("two at a time", ep, 2);
    read(fds[4], &one, 8);
    wait_show("one less", ep, 16);
    close(fds[1]);
    wait_show("one closed", ep, 16);
    int copy = dup(fds[3]);
    close(fds[3]);
    wait_show("closed but for a copy", ep, 16);
    SHOW("mod by the old number", ctl(ep, EPOLL_CTL_MOD, fds[3], EPOLLIN, 9));
    SHOW("mod by the copy", ctl(ep, EPOLL_CTL_MOD, copy, EPOLLIN, 9));
    close(copy);
    wait_show("copy closed", ep, 16);
    for (int i = 0; i < 5; i++) close(fds[i]);
    close(ep);
}

static void nested(void) {
    int eps[8], p[2];
    uint64_t one = 1;
    for (int i = 0; i < 8; i++) eps[i] = epoll_create1(EPOLL_CLOEXEC);
    SHOW("itself", ctl(eps[0], EPOLL_CTL_ADD, eps[0], EPOLLIN, 0));
    for (int i = 0; i < 6; i++) SHOW("nest", ctl(eps[i + 1], EPOLL_CTL_ADD, eps[i], EPOLLIN, 10 + i));
    SHOW("circle", ctl(eps[0], EPOLL_CTL_ADD, eps[2], EPOLLIN, 0));
    p[0] = eventfd(0, EFD_NONBLOCK);
    SHOW("leaf", ctl(eps[0], EPOLL_CTL_ADD, p[0], EPOLLIN, 7));
    wait_show("quiet", eps[2], 16);
    write(p[0], &one, 8);
    wait_show("outer", eps[2], 16);
    wait_show("middle", eps[1], 16);
    wait_show("inner", eps[0], 16);
    read(p[0], &one, 8);
    wait_show("outer, after the leaf was read", eps[2], 16);
    for (int i = 0; i < 8; i++) close(eps[i]);
    close(p[0]);
}

static void errors(void) {
    int ep = epoll_create1(0), event = eventfd(0, 0), file = open("/etc/passwd", O_RDONLY);
    struct epoll_event one;
    SHOW("size zero", epoll_create(0));
    SHOW("size", close(epoll_create(1)));
    SHOW("bad flag", epoll_create1(1));
    SHOW("regular file", ctl(ep, EPOLL_CTL_ADD, file, EPOLLIN, 0));
    SHOW("bad descriptor", ctl(ep, EPOLL_CTL_ADD, 99, EPOLLIN, 0));
    SHOW("bad instance", ctl(99, EPOLL_CTL_ADD, event, EPOLLIN, 0));
    SHOW("no instance", ctl(event, EPOLL_CTL_ADD, ep, EPOLLIN, 0));
    SHOW("bad operation", ctl(ep, 77, event, EPOLLIN, 0));
    SHOW("bad event", epoll_ctl(ep, EPOLL_CTL_ADD, event, (void *)8));
    SHOW("exclusive one-shot", ctl(ep, EPOLL_CTL_ADD, event, EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT, 0));
    SHOW("exclusive", ctl(ep, EPOLL_CTL_ADD, event, EPOLLIN | EPOLLEXCLUSIVE, 0));
    SHOW("mod exclusive", ctl(ep, EPOLL_CTL_MOD, event, EPOLLIN, 0));
    SHOW("max zero", epoll_wait(ep, &one, 0, 0));
    SHOW("max negative", epoll_wait(ep, &one, -1, 0));
    SHOW("wait on no instance", epoll_wait(event, &one, 1, 0));
    SHOW("wait on nothing", epoll_wait(99, &one, 1, 0));
    close(ep);
    close(event);
    close(file);
}

static int shared_ep;
static void *waiter(void *arg) {
    struct epoll_event event;
    long n = epoll_wait(shared_ep, &event, 1, -1);
    return (void *)(n == 1 ? (long)event.data.u64 : -1);
}

static void threads(void) {
    shared_ep = epoll_create1(0);
    int event = eventfd(0, EFD_NONBLOCK);
    pthread_t thread;
    void *result;
    pthread_create(&thread, NULL, waiter, NULL);
    usleep(1000);
    ctl(shared_ep, EPOLL_CTL_ADD, event, EPOLLIN, 21);
    usleep(1000);
    uint64_t one = 1;
    write(event, &one, 8);
    pthread_join(thread, &result);
    printf("added while waited for: %ld\n", (long)result);
    if (fork() == 0) {
        // The child's copy keeps the description open and followed.
        usleep(5000);
        _exit(0);
    }
    close(event);
    wait_show("closed here, open in a child", shared_ep, 1);
    wait(NULL);
    wait_show("closed everywhere", shared_ep, 1);
    close(shared_ep);
}

int main(void) {
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    level_and_edge();
    order();
    nested();
    errors();
    fflush(stdout);
    threads();
    return 0;
}
