// link: -lutil
// Signals that tell of readiness: O_ASYNC with F_SETOWN and F_SETSIG on pipes, sockets and terminals; FIOASYNC; who is
// told, and what the signal says.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "show.h"

static volatile int count, code, band, of, number;
static void on_signal(int signal, siginfo_t *info, void *context) {
    (void)context;
    count++, number = signal, code = info->si_code, band = info->si_band, of = info->si_fd;
}

// Waits for one, at most so many milliseconds.
static void within(int milliseconds, const char *what, int fd) {
    struct timespec little = {0, 1000000};
    for (int i = 0; i < milliseconds && !count; i++) nanosleep(&little, 0);
    if (!count) printf("%s: not told\n", what);
    else if (code == SI_KERNEL) printf("%s: told by %d\n", what, number);
    else printf("%s: told by %s, code %d, band %x, descriptor %s\n", what, number == SIGIO ? "SIGIO" : "real-time", code,
                band, of == fd ? "it" : "another");
    count = 0;
}

static void told(const char *what, int fd) { within(10000, what, fd); }

// Waits long enough to say that none comes.
static void not_told(const char *what, int fd) { within(30, what, fd); }

static void set_async(int fd, int on) {
    int flags = fcntl(fd, F_GETFL);
    fcntl(fd, F_SETFL, on ? flags | O_ASYNC : flags & ~O_ASYNC);
}

static void pipes(void) {
    int p[2];
    char buffer[70000];
    pipe(p);
    set_async(p[0], 1);
    printf("flag %d\n", !!(fcntl(p[0], F_GETFL) & O_ASYNC));
    write(p[1], "x", 1);
    not_told("nobody owns it", p[0]);
    SHOW("own", fcntl(p[0], F_SETOWN, getpid()));
    write(p[1], "x", 1);
    told("written", p[0]);
    read(p[0], buffer, 10);
    not_told("read", p[0]);
    SHOW("signal", fcntl(p[0], F_SETSIG, SIGRTMIN + 1));
    write(p[1], "x", 1);
    told("written", p[0]);
    int copy = dup(p[0]);
    write(p[1], "x", 1);
    told("through a copy", p[0]);
    close(copy);
    SHOW("signal", fcntl(p[0], F_SETSIG, SIGIO));
    write(p[1], "x", 1);
    told("written", p[0]);
    set_async(p[0], 0);
    write(p[1], "x", 1);
    not_told("no longer", p[0]);
    int on = 1;
    SHOW("on by ioctl", ioctl(p[0], FIOASYNC, &on));
    write(p[1], "x", 1);
    told("written", p[0]);
    // The writing end is told of room.
    set_async(p[0], 0);
    fcntl(p[1], F_SETFL, O_NONBLOCK);
    while (write(p[1], buffer, 4096) > 0) {}
    fcntl(p[1], F_SETOWN, getpid());
    fcntl(p[1], F_SETSIG, SIGRTMIN);
    fcntl(p[1], F_SETFL, O_NONBLOCK | O_ASYNC);
    read(p[0], buffer, sizeof buffer);
    told("room", p[1]);
    close(p[0]);
    told("nobody reads", p[1]);
    close(p[1]);
    pipe(p);
    fcntl(p[0], F_SETOWN, getpid());
    fcntl(p[0], F_SETSIG, SIGRTMIN);
    set_async(p[0], 1);
    close(p[1]);
    told("nobody writes", p[0]);
    close(p[0]);
}

static void owners(void) {
    int p[2];
    pipe(p);
    SHOW("nobody of that number", fcntl(p[0], F_SETOWN, 4194303));
    SHOW("no group of that number", fcntl(p[0], F_SETOWN, -4194303));
    struct f_owner_ex owner = {F_OWNER_TID, gettid()}, seen;
    SHOW("a thread", fcntl(p[0], F_SETOWN_EX, &owner));
    fcntl(p[0], F_GETOWN_EX, &seen);
    printf("kind %d, me %d\n", seen.type, seen.pid == gettid());
    set_async(p[0], 1);
    write(p[1], "x", 1);
    told("thread", p[0]);
    fcntl(p[0], F_SETOWN, -getpgrp());
    printf("group %d\n", fcntl(p[0], F_GETOWN) == -getpgrp());
    write(p[1], "x", 1);
    told("group", p[0]);
    // A child that owns it.
    sigset_t set, old;
    sigemptyset(&set), sigaddset(&set, SIGIO);
    sigprocmask(SIG_BLOCK, &set, &old);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        int signal;
        _exit(sigwait(&set, &signal) == 0 && signal == SIGIO ? 3 : 1);
    }
    fcntl(p[0], F_SETOWN, pid);
    write(p[1], "x", 1);
    int status;
    waitpid(pid, &status, 0);
    printf("child %x\n", status);
    sigprocmask(SIG_SETMASK, &old, 0);
    not_told("not me", p[0]);
    int event = eventfd(0, 0), on = 1;
    fcntl(event, F_SETFL, O_ASYNC);
    printf("shown on an eventfd %d\n", !!(fcntl(event, F_GETFL) & O_ASYNC));
    SHOW("eventfd", ioctl(event, FIOASYNC, &on));
    int file = open("plain", O_RDWR | O_CREAT, 0600);
    fcntl(file, F_SETFL, O_ASYNC);
    printf("shown on a file %d\n", !!(fcntl(file, F_GETFL) & O_ASYNC));
    SHOW("file", ioctl(file, FIOASYNC, &on));
    close(p[0]), close(p[1]), close(event), close(file);
}

static void follow(int fd) {
    int me = getpid(), on = 1;
    ioctl(fd, FIOSETOWN, &me);
    ioctl(fd, SIOCGPGRP, &on);
    if (on != me) printf("owner %d\n", on);
    on = 1;
    ioctl(fd, FIOASYNC, &on);
    fcntl(fd, F_SETSIG, SIGRTMIN);
}

static void sockets(void) {
    int s[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    follow(s[0]);
    write(s[1], "x", 1);
    told("unix", s[0]);
    close(s[1]);
    told("unix closed", s[0]);
    close(s[0]);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int u = socket(AF_INET, SOCK_DGRAM, 0);
    bind(u, (struct sockaddr *)&a, sizeof a);
    getsockname(u, (struct sockaddr *)&a, &len);
    follow(u);
    sendto(u, "x", 1, 0, (struct sockaddr *)&a, len);
    told("datagram", u);
    close(u);
    int l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0);
    a.sin_port = 0;
    bind(l, (struct sockaddr *)&a, sizeof a);
    listen(l, 5);
    getsockname(l, (struct sockaddr *)&a, &len);
    follow(l);
    connect(c, (struct sockaddr *)&a, len);
    told("connection", l);
    int n = accept(l, 0, 0);
    printf("inherited %d\n", !!(fcntl(n, F_GETFL) & O_ASYNC));
    follow(c);
    write(n, "x", 1);
    told("stream", c);
    shutdown(n, SHUT_WR);
    told("end of stream", c);
    close(n), close(c), close(l);
}

static void terminals(void) {
    int master, slave;
    openpty(&master, &slave, 0, 0, 0);
    follow(slave);
    write(master, "line\n", 5);
    told("typed", slave);
    close(slave), close(master);
}

int main(void) {
    // Nobody else is told of what concerns the group.
    setpgid(0, 0);
    setvbuf(stdout, 0, _IOFBF, 1 << 16);
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(SIGIO, &action, 0);
    sigaction(SIGRTMIN, &action, 0);
    sigaction(SIGRTMIN + 1, &action, 0);
    pipes();
    owners();
    sockets();
    terminals();
    return 0;
}
