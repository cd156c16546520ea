// Descriptors as such: duplicates, flags, ranges, limits, owners.
#include "show.h"
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static void open_list(const char *what) {
    printf("%s:", what);
    for (int fd = 3; fd < 40; fd++) {
        int flags = fcntl(fd, F_GETFD);
        if (flags >= 0) printf(" %d%s", fd, flags ? "x" : "");
    }
    printf("\n");
}

static int p[2];
static void *read_byte(void *arg) {
    char c = 0;
    long n = read(p[0], &c, 1);
    return (void *)(n * 256 + c);
}

int main(void) {
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    for (int fd = 3; fd < 100; fd++) close(fd);
    pipe(p);
    SHOW("dup", dup(p[0]));
    SHOW("dupfd", fcntl(p[0], F_DUPFD, 10));
    SHOW("dupfd again", fcntl(p[0], F_DUPFD_CLOEXEC, 10));
    SHOW("dup2", dup2(p[0], 20));
    SHOW("dup2 itself", dup2(p[0], p[0]));
    SHOW("dup2 closed", dup2(30, 31));
    SHOW("dup2 closed to itself", dup2(30, 30));
    SHOW("dup2 negative", dup2(p[0], -1));
    SHOW("dup2 beyond", dup2(p[0], 1 << 20));
    SHOW("dup3", syscall(SYS_dup3, p[0], 21, O_CLOEXEC));
    SHOW("dup3 itself", syscall(SYS_dup3, p[0], p[0], O_CLOEXEC));
    SHOW("dup3 flags", syscall(SYS_dup3, p[0], 22, O_APPEND));
    SHOW("dupfd negative", fcntl(p[0], F_DUPFD, -1));
    SHOW("dupfd beyond", fcntl(p[0], F_DUPFD, 1 << 30));
    open_list("open");
    SHOW("on exec", fcntl(20, F_SETFD, FD_CLOEXEC));
    SHOW("mark range", syscall(SYS_close_range, 3, 4, 4));
    open_list("marked");
    SHOW("close range", syscall(SYS_close_range, 5, 19, 0));
    open_list("closed");
    SHOW("backwards", syscall(SYS_close_range, 9, 8, 0));
    SHOW("bad flags", syscall(SYS_close_range, 9, 10, 1));
    SHOW("rest", syscall(SYS_close_range, 20, ~0u, 0));
    open_list("rest closed");
    SHOW("close closed", close(20));
    SHOW("close negative", close(-1));

    printf("flags %x %x\n", fcntl(p[0], F_GETFL), fcntl(p[1], F_GETFL));
    SHOW("nonblock", fcntl(p[0], F_SETFL, O_NONBLOCK | O_RDWR | O_CREAT));
    int copy = dup(p[0]);
    printf("shared flags %x\n", fcntl(copy, F_GETFL));
    char c;
    SHOW("empty", read(copy, &c, 1));
    fcntl(copy, F_SETFL, 0);
    close(copy);
    SHOW("size", fcntl(p[1], F_GETPIPE_SZ));
    SHOW("set size", fcntl(p[1], F_SETPIPE_SZ, 5000));
    SHOW("set size zero", fcntl(p[1], F_SETPIPE_SZ, 0));
    char page[4096] = {0};
    fcntl(p[1], F_SETPIPE_SZ, 16384);
    for (int i = 0; i < 3; i++) write(p[1], page, 4096);
    SHOW("too small", fcntl(p[1], F_SETPIPE_SZ, 4096));
    for (int i = 0; i < 3; i++) read(p[0], page, 4096);
    int event = eventfd(0, 0);
    SHOW("no pipe", fcntl(event, F_GETPIPE_SZ));
    SHOW("no seals", fcntl(event, F_GET_SEALS));
    SHOW("own", fcntl(p[0], F_SETOWN, getpid()));
    printf("owner is me %d\n", fcntl(p[0], F_GETOWN) == getpid());
    SHOW("signal", fcntl(p[0], F_SETSIG, SIGUSR1));
    SHOW("signal is", fcntl(p[0], F_GETSIG));
    SHOW("bad signal", fcntl(p[0], F_SETSIG, 99));
    SHOW("bad command", fcntl(p[0], 12345));
    SHOW("bad descriptor", fcntl(99, F_GETFL));

    // Closing or replacing a descriptor leaves a read that waits on it alone.
    pthread_t thread;
    void *result;
    pthread_create(&thread, NULL, read_byte, NULL);
    usleep(300000);
    int keep = dup(p[0]);
    close(p[0]);
    dup2(event, p[0]);
    write(p[1], "q", 1);
    pthread_join(thread, &result);
    printf("read went on: %lx\n", (long)result);
    dup2(keep, p[0]);
    close(keep);

    struct iovec parts[3] = {{"ab", 2}, {NULL, 0}, {"cde", 3}};
    char x[2], y[8] = {0};
    SHOW("writev", writev(p[1], parts, 3));
    struct iovec into[2] = {{x, 2}, {y, 7}};
    SHOW("readv", readv(p[0], into, 2));
    printf("%.2s %s\n", x, y);
    SHOW("preadv", preadv(p[0], into, 2, 0));
    SHOW("pwritev", pwritev(p[1], parts, 3, 0));
    SHOW("pwrite negative", pwrite(p[1], "x", 1, -1));
    SHOW("pread wrong end", pread(p[1], y, 1, 0));
    SHOW("too many parts", writev(p[1], parts, 2000));
    parts[1].iov_len = -1;
    SHOW("bad length", writev(p[1], parts, 3));
    volatile long bad = 8;
    SHOW("bad place", write(p[1], (void *)bad, 3));
    SHOW("bad place, nothing", write(p[1], (void *)bad, 0));

    struct rlimit limit = {12, 12};
    setrlimit(RLIMIT_NOFILE, &limit);
    int last = -1, fd;
    while ((fd = dup(p[0])) >= 0) last = fd;
    printf("last %d, %s\n", last, strerror(errno));
    int q[2];
    close(last);
    SHOW("pipe with room for one", pipe(q));
    SHOW("room is still there", dup(p[0]));

    // Writing where nobody reads.
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < 12; i++)
        if (i != p[1] && i > 2) close(i);
    SHOW("nobody reads", write(p[1], "x", 1));
    SHOW("nothing to nobody", write(p[1], "x", 0));
    fflush(stdout);
    if (fork() == 0) {
        signal(SIGPIPE, SIG_DFL);
        write(p[1], "x", 1);
        _exit(0);
    }
    int status;
    wait(&status);
    printf("killed %d by %d\n", WIFSIGNALED(status), WTERMSIG(status));
    return 0;
}
