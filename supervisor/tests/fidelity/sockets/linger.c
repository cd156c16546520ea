// SO_LINGER: close waits for what was sent to arrive, for as long as it was told to.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../descriptors/show.h"

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void pair(int s[2]) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int l = socket(AF_INET, SOCK_STREAM, 0), small = 8192;
    setsockopt(l, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    bind(l, (struct sockaddr *)&a, sizeof a);
    listen(l, 1);
    getsockname(l, (struct sockaddr *)&a, &len);
    s[0] = socket(AF_INET, SOCK_STREAM, 0);
    connect(s[0], (struct sockaddr *)&a, len);
    s[1] = accept(l, 0, 0);
    close(l);
}

static int lingering(int s[2], int seconds) {
    static char data[1 << 16];
    struct linger linger = {1, seconds};
    int sent = 0;
    pair(s);
    setsockopt(s[0], SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    for (int n; (n = send(s[0], data, sizeof data, MSG_DONTWAIT)) > 0;) sent += n;
    return sent;
}

static void *reader(void *of) {
    char data[1 << 16];
    long got = 0;
    usleep(200000);
    for (int n; (n = recv(*(int *)of, data, sizeof data, 0)) > 0;) got += n;
    return (void *)got;
}

static void on_alarm(int signal) { (void)signal; }

int main(void) {
    setvbuf(stdout, 0, _IOFBF, 1 << 16);
    int s[2];
    struct linger linger = {1, 5};
    double start;
    pair(s);
    setsockopt(s[0], SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    start = now();
    SHOW("nothing sent", close(s[0]));
    printf("at once %d\n", now() - start < 0.5);
    close(s[1]);

    lingering(s, 1);
    start = now();
    SHOW("nobody reads", close(s[0]));
    printf("a second %d\n", now() - start > 0.9 && now() - start < 3);
    close(s[1]);

    long sent = lingering(s, 30);
    pthread_t thread;
    void *got;
    pthread_create(&thread, 0, reader, &s[1]);
    start = now();
    SHOW("somebody reads", close(s[0]));
    printf("not at once %d, but soon %d\n", now() - start > 0.1, now() - start < 15);
    pthread_join(thread, &got);
    printf("all of it %d\n", (long)got == sent);
    close(s[1]);

    // A copy keeps the socket: then there is nothing to wait for.
    lingering(s, 5);
    int copy = dup(s[0]);
    start = now();
    SHOW("a copy is left", close(s[0]));
    printf("at once %d\n", now() - start < 0.5);
    linger.l_linger = 0;
    setsockopt(copy, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    SHOW("reset", close(copy));
    close(s[1]);

    struct sigaction action = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &action, 0);
    lingering(s, 30);
    ualarm(100000, 0);
    start = now();
    SHOW("interrupted", close(s[0]));
    printf("before its time %d\n", now() - start < 15);
    close(s[1]);
    return 0;
}
