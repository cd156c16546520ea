// Signals read from a descriptor, with poll and epoll.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

static void *later(void *argument) {
    usleep(10000);
    union sigval value = {.sival_int = 7};
    sigqueue(getpid(), SIGRTMIN, value);
    return argument;
}

int main(void) {
    sigset_t set;
    sigfillset(&set);
    sigdelset(&set, SIGSEGV);
    sigprocmask(SIG_SETMASK, &set, 0);
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    struct signalfd_siginfo info[4];
    long got = read(fd, info, sizeof info);
    printf("nothing: %ld %s\n", got, strerror(errno));
    printf("too small: %zd %s\n", read(fd, info, 100), strerror(errno));
    raise(SIGUSR1);
    kill(getpid(), SIGUSR2);
    union sigval value = {.sival_int = 42};
    sigqueue(getpid(), SIGRTMIN + 1, value);
    struct pollfd poller = {fd, POLLIN, 0};
    printf("poll %d %x\n", poll(&poller, 1, 0), poller.revents);
    got = read(fd, info, sizeof info);
    printf("read %ld\n", got / (long)sizeof *info);
    for (int i = 0; i < got / (long)sizeof *info; i++)
        printf("signal %d code %d int %d pid %d uid %d\n", info[i].ssi_signo < 32 ? (int)info[i].ssi_signo : (int)info[i].ssi_signo - SIGRTMIN + 100,
               info[i].ssi_code, info[i].ssi_int, (int)info[i].ssi_pid == getpid(), info[i].ssi_uid == getuid());
    printf("poll %d\n", poll(&poller, 1, 0));

    fcntl(fd, F_SETFL, 0);
    pthread_t thread;
    pthread_create(&thread, 0, later, 0);
    got = read(fd, info, sizeof info);
    printf("blocking read %ld int %d\n", got / (long)sizeof *info, info[0].ssi_int);
    pthread_join(thread, 0);

    int epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = 5};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    pid_t child = fork();
    if (!child) _exit(9);
    event.data.u32 = 0;
    int ready = epoll_wait(epoll, &event, 1, 5000);
    printf("epoll %d data %u\n", ready, event.data.u32);
    got = read(fd, info, sizeof info);
    printf("child: signal %d code %d status %d pid %d\n", info[0].ssi_signo, info[0].ssi_code, info[0].ssi_status, (int)info[0].ssi_pid == child);
    waitpid(child, 0, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    printf("changed %d\n", signalfd(fd, &set, 0) == fd);
    raise(SIGUSR1);
    printf("poll %d", poll(&poller, 1, 0));
    raise(SIGHUP);
    printf(" then %d\n", poll(&poller, 1, 0));
    printf("bad %d %s\n", signalfd(1, &set, 0), strerror(errno));
    return 0;
}
