// Calls on pipes and the descriptor table, drawn from a seed; each says what came of it.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ROUNDS = 200, STEPS = 400, LOWEST = 3, HIGHEST = 18, LENGTH_MAX = 1 << 17 };

#include "../drawn.h"

static size_t length(void) {
    static const size_t most[] = {2, 100, 5000, 70000, LENGTH_MAX};
    return draw(most[draw(5)]);
}

static void copy(int a, int b) {
    switch (draw(5)) {
    case 0: return show("dup", a, 0, dup(a));
    case 1: return show("dup2", a, b, dup2(a, b));
    case 2: return show("dup3", a, b, dup3(a, b, draw(2) ? O_CLOEXEC : 0));
    case 3: return show("F_DUPFD", a, b, fcntl(a, F_DUPFD, b));
    default: return show("F_DUPFD_CLOEXEC", a, b, fcntl(a, F_DUPFD_CLOEXEC, b));
    }
}

static void drop(int a, int b) {
    if (draw(8)) return show("close", a, 0, close(a));
    unsigned flags = draw(2) ? 4 /* CLOSE_RANGE_CLOEXEC */ : 0;
    show("close_range", a, b, syscall(SYS_close_range, a, a + (b - LOWEST) % 4, flags));
}

static void ask(int fd) {
    static const int sizes[] = {0, 4096, 5000, 16384, 65536, 200000};
    int waiting = -1, flags = 0;
    switch (draw(7)) {
    case 0: return show("F_GETFD", fd, 0, fcntl(fd, F_GETFD));
    case 1: return show("F_GETFL", fd, 0, fcntl(fd, F_GETFL));
    case 2:
        flags = O_NONBLOCK | (draw(3) ? 0 : O_DIRECT) | (draw(3) ? 0 : O_APPEND);
        return show("F_SETFL", fd, flags, fcntl(fd, F_SETFL, flags));
    case 3: return show("FIONREAD", fd, 0, ioctl(fd, FIONREAD, &waiting) ? -1 : waiting);
    case 4: return show("F_GETPIPE_SZ", fd, 0, fcntl(fd, F_GETPIPE_SZ));
    case 5:
        flags = sizes[draw(6)];
        return show("F_SETPIPE_SZ", fd, flags, fcntl(fd, F_SETPIPE_SZ, flags));
    default: return show("lseek", fd, 0, lseek(fd, 0, SEEK_CUR));
    }
}

static void move(int from, int to) {
    size_t len = length();
    switch (draw(8)) {
    case 0: return show("tee", from, to, tee(from, to, len, SPLICE_F_NONBLOCK));
    case 1: return show("splice", from, to, splice(from, 0, to, 0, len, SPLICE_F_NONBLOCK));
    case 2:
    case 3:
    case 4:
        for (size_t i = 0; i < len; i++) bytes[i] = draw(256);
        return show("write", to, len, write(to, bytes, len));
    default: break;
    }
    ssize_t done = read(from, bytes, len);
    show("read", from, len, done);
    if (done > 0) printf("  %08x\n", sum(done));
}

static void look(void) {
    struct pollfd polled[HIGHEST - LOWEST + 1];
    for (int i = 0; i <= HIGHEST - LOWEST; i++) polled[i] = (struct pollfd){LOWEST + i, POLLIN | POLLOUT};
    printf("poll %d:", poll(polled, HIGHEST - LOWEST + 1, 0));
    for (int i = 0; i <= HIGHEST - LOWEST; i++) printf(" %x", polled[i].revents);
    printf("\n");
}

static void step(void) {
    int a = descriptor(), b = descriptor();
    switch (draw(12)) {
    case 0: {
        int ends[2] = {-1, -1};
        int flags = O_NONBLOCK | (draw(2) ? O_CLOEXEC : 0) | (draw(6) ? 0 : O_DIRECT);
        int result = pipe2(ends, flags);
        return show("pipe2", flags, ends[0] * 100 + ends[1], result);
    }
    case 1:
        if (a != b) copy(a, b);
        return;
    case 2: return drop(a, b);
    case 3: return ask(a);
    case 4: return look();
    default: return move(a, b);
    }
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    rounds(argv, ROUNDS, STEPS, close_all, step);
    return 0;
}
