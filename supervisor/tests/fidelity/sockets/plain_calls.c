// read, write and their vector forms on sockets: time-outs, credentials, broken pipes, large transfers.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static const char *outcome(ssize_t n) { return n < 0 ? strerror(errno) : "fine"; }

static void tcp_pair(int pair[2]) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int l = socket(AF_INET, SOCK_STREAM, 0);
    bind(l, (void *)&a, sizeof a);
    getsockname(l, (void *)&a, &len);
    listen(l, 1);
    pair[0] = socket(AF_INET, SOCK_STREAM, 0);
    connect(pair[0], (void *)&a, sizeof a);
    pair[1] = accept(l, NULL, NULL);
    close(l);
}

static void timeouts(const char *name, int fd) {
    struct timeval limit = {0, 20000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    char byte;
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    ssize_t n = read(fd, &byte, 1);
    printf("%s read %zd %s\n", name, n, outcome(n));
    struct iovec v = {&byte, 1};
    n = readv(fd, &v, 1);
    printf("%s readv %zd %s\n", name, n, outcome(n));
    clock_gettime(CLOCK_MONOTONIC, &after);
    long ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
    printf("%s waited %d\n", name, ms >= 40 && ms < 2000);
    static char bulk[1 << 20];
    int rounds = 0;
    while ((n = write(fd, bulk, sizeof bulk)) > 0 && rounds < 64) rounds++;
    printf("%s write %zd %s\n", name, n, outcome(n));
    n = read(fd, &byte, 0);
    printf("%s empty read %zd\n", name, n);
}

static void credentials(void) {
    int pair[2], one = 1;
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof one);
    ssize_t n = write(pair[0], "hi", 2);
    char buffer[8], space[CMSG_SPACE(sizeof(struct ucred))];
    struct iovec v = {buffer, sizeof buffer};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
    n = recvmsg(pair[1], &m, 0);
    struct ucred *who = (void *)CMSG_DATA(CMSG_FIRSTHDR(&m));
    printf("credentials %zd %d %d %d\n", n, who->pid == getpid(), who->uid == getuid(), who->gid == getgid());
}

enum { BULK = 3 << 20 };

static void *sender(void *fd) {
    char *bytes = malloc(BULK);
    for (int i = 0; i < BULK; i++) bytes[i] = (char)(i * 7 + i / 251);
    struct iovec v[2] = {{bytes, BULK / 3}, {bytes + BULK / 3, BULK - BULK / 3}};
    ssize_t n = writev(*(int *)fd, v, 2);
    printf("wrote %zd\n", n);
    shutdown(*(int *)fd, SHUT_WR);
    free(bytes);
    return NULL;
}

static void bulk(const char *name, int pair[2]) {
    pthread_t thread;
    pthread_create(&thread, NULL, sender, &pair[0]);
    static char buffer[10007];
    long total = 0, wrong = 0;
    ssize_t n;
    while ((n = read(pair[1], buffer, sizeof buffer)) > 0) {
        for (int i = 0; i < n; i++) wrong += buffer[i] != (char)((total + i) * 7 + (total + i) / 251);
        total += n;
    }
    pthread_join(thread, NULL);
    printf("%s %ld bytes, %ld wrong\n", name, total, wrong);
}

static void on_pipe(int signal) { (void)!write(1, signal == SIGPIPE ? "SIGPIPE\n" : "?\n", 8); }

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    int pair[2];
    tcp_pair(pair);
    timeouts("tcp", pair[0]);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    timeouts("unix", pair[0]);
    credentials();
    tcp_pair(pair);
    bulk("tcp", pair);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    bulk("unix", pair);
    signal(SIGPIPE, on_pipe);
    close(pair[1]);
    ssize_t n = write(pair[0], "x", 1);
    printf("broken %zd %s\n", n, outcome(n));
    n = send(pair[0], "x", 1, MSG_NOSIGNAL);
    printf("quiet %zd %s\n", n, outcome(n));
    return 0;
}
