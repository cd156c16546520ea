// poll and select: what they report, when they give up, what they write back.
#include "show.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int p[2];
static void *write_later(void *arg) {
    usleep(10000);
    write(p[1], "x", 1);
    return NULL;
}

static void polls(void) {
    int file = open("/etc/passwd", O_RDONLY), null = open("/dev/null", O_RDWR);
    int closed = dup(null);
    close(closed);
    struct pollfd fds[] = {
        {p[0], POLLIN, 77}, {p[1], POLLOUT, 77}, {file, POLLIN | POLLOUT, 77},
        {closed, POLLIN, 77}, {-1, POLLIN, 77}, {p[1], POLLIN, 77}, {p[1], 0, 77},
    };
    SHOW("poll", poll(fds, 7, -1));
    for (int i = 0; i < 7; i++) printf(" %x", fds[i].revents);
    printf("\n");
    long long start = now();
    SHOW("time out", poll(fds, 1, 30));
    long long passed = now() - start;
    printf("took its time: %d\n", passed >= 30000000 && passed < 80000000);
    SHOW("nothing", poll(NULL, 0, 5));
    SHOW("at once", poll(fds, 1, 0));
    SHOW("bad place", poll((void *)8, 2, 0));
    SHOW("too many", poll(fds, 1 << 30, 0));
    struct timespec left = {5, 0};
    pthread_t thread;
    pthread_create(&thread, NULL, write_later, NULL);
    SHOW("ppoll", syscall(SYS_ppoll, fds, 1, &left, NULL, 8));
    printf("revents %x, left %d\n", fds[0].revents, left.tv_sec == 4 && left.tv_nsec > 900000000);
    pthread_join(thread, NULL);
    left = (struct timespec){0, 1000000000};
    SHOW("bad time", syscall(SYS_ppoll, fds, 1, &left, NULL, 8));
    sigset_t none;
    sigemptyset(&none);
    left = (struct timespec){0, 1000000};
    SHOW("bad mask size", syscall(SYS_ppoll, fds, 0, &left, &none, 4));
    SHOW("mask", ppoll(fds, 0, &left, &none));
    char c;
    read(p[0], &c, 1);
    close(file);
    close(null);
}

static void selects(void) {
    fd_set reads, writes, errors;
    struct timeval left = {5, 0};
    FD_ZERO(&reads);
    FD_ZERO(&writes);
    FD_ZERO(&errors);
    FD_SET(p[0], &reads);
    FD_SET(p[1], &writes);
    FD_SET(p[0], &errors);
    SHOW("select", select(p[1] + 1, &reads, &writes, &errors, &left));
    printf("%d %d %d\n", FD_ISSET(p[0], &reads), FD_ISSET(p[1], &writes), FD_ISSET(p[0], &errors));
    FD_SET(p[0], &reads);
    left = (struct timeval){0, 20000};
    long long start = now();
    SHOW("time out", select(p[0] + 1, &reads, NULL, NULL, &left));
    printf("%d, left %ld, took its time: %d\n", FD_ISSET(p[0], &reads), (long)left.tv_usec, now() - start >= 20000000);
    FD_SET(p[0], &reads);
    left = (struct timeval){5, 0};
    pthread_t thread;
    pthread_create(&thread, NULL, write_later, NULL);
    SHOW("later", select(p[0] + 1, &reads, NULL, NULL, &left));
    pthread_join(thread, NULL);
    printf("%d, left %d\n", FD_ISSET(p[0], &reads), left.tv_sec == 4);
    FD_SET(60, &reads);
    SHOW("bad descriptor", select(61, &reads, NULL, NULL, &left));
    SHOW("negative", select(-1, &reads, NULL, NULL, &left));
    left = (struct timeval){-1, 0};
    SHOW("bad time", select(0, NULL, NULL, NULL, &left));
    left = (struct timeval){0, 3000000};
    start = now();
    FD_ZERO(&reads);
    FD_SET(p[0], &reads);
    SHOW("many microseconds", select(p[0] + 1, &reads, NULL, NULL, &left));
    struct timespec wait = {0, 2000000};
    sigset_t none;
    sigemptyset(&none);
    SHOW("pselect", pselect(0, NULL, NULL, NULL, &wait, &none));
    SHOW("bad place", select(8, (void *)8, NULL, NULL, &left));
    char c;
    read(p[0], &c, 1);
    close(p[1]);
    FD_ZERO(&reads);
    FD_ZERO(&errors);
    FD_SET(p[0], &reads);
    FD_SET(p[0], &errors);
    SHOW("end", select(p[0] + 1, &reads, NULL, &errors, NULL));
    printf("%d %d\n", FD_ISSET(p[0], &reads), FD_ISSET(p[0], &errors));
}

int main(void) {
    pipe(p);
    polls();
    selects();
    return 0;
}
