// Asynchronous I/O as the kernel has it, without a library.
#include "show.h"
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CALL(call) SHOW(#call, call)

struct sigset_argument {
    const void *mask;
    size_t size;
};

static long setup(unsigned count, aio_context_t *context) {
    return syscall(SYS_io_setup, count, context);
}
static long destroy(aio_context_t context) { return syscall(SYS_io_destroy, context); }
static long submit(aio_context_t context, long count, struct iocb **list) {
    return syscall(SYS_io_submit, context, count, list);
}
static long get(aio_context_t context, long min, long max, struct io_event *to, struct timespec *timeout) {
    return syscall(SYS_io_getevents, context, min, max, to, timeout);
}
static long pget(aio_context_t context, long min, long max, struct io_event *to, struct timespec *timeout,
                 struct sigset_argument *mask) {
    return syscall(SYS_io_pgetevents, context, min, max, to, timeout, mask);
}
static long cancel(aio_context_t context, struct iocb *request) {
    struct io_event event;
    return syscall(SYS_io_cancel, context, request, &event);
}

static struct timespec at_once = {0, 0};
static struct timespec soon = {0, 20000000};

static struct iocb request(int opcode, int fd, const void *buffer, size_t len, long long offset) {
    static unsigned long number;
    struct iocb r;
    memset(&r, 0, sizeof r);
    r.aio_data = ++number;
    r.aio_key = 77;
    r.aio_lio_opcode = opcode;
    r.aio_fildes = fd;
    r.aio_buf = (uintptr_t)buffer;
    r.aio_nbytes = len;
    r.aio_offset = offset;
    return r;
}

// Submits a request and shows what it comes to; the bits that it was asked for, if it waits for readiness.
static void one(const char *name, aio_context_t context, struct iocb r) {
    struct iocb *list[] = {&r};
    errno = 0;
    long submitted = submit(context, 1, list);
    printf("%s: submitted %ld %s", name, submitted, strerror(errno));
    if (submitted == 1) {
        struct io_event e;
        long got = get(context, 1, 1, &e, NULL);
        printf(", got %ld: own request %d, own data %d, key %u, result ", got, e.obj == (uintptr_t)&r,
               e.data == r.aio_data, r.aio_key);
        if (e.res < 0)
            printf("%s", strerror(-e.res));
        else
            printf("%lld", r.aio_lio_opcode == IOCB_CMD_POLL ? (long long)(e.res & r.aio_buf) : (long long)e.res);
        printf(", %lld", (long long)e.res2);
    }
    printf("\n");
}

static void contexts(void) {
    aio_context_t context = 0, other = 0, busy = 1;
    struct io_event e[4];
    struct iocb r = request(IOCB_CMD_PREAD, 0, NULL, 0, 0), *list[] = {&r};
    CALL(setup(0, &context));
    CALL(setup(1, &busy));
    CALL(setup(1, NULL));
    CALL(setup(1, (aio_context_t *)-8));
    CALL(setup(UINT32_MAX, &context));
    CALL(setup(0x7ffffff, &context));
    CALL(setup(1000000, &context));
    printf("untouched: %d\n", context == 0);
    CALL(setup(8, &context));
    CALL(setup(8, &context));
    CALL(setup(1, &other));
    printf("two of them: %d\n", context != other && context % 4096 == 0 && other % 4096 == 0);
    CALL(destroy(0));
    CALL(destroy(context + 64));
    CALL(submit(0, 0, NULL));
    CALL(submit(context, 0, NULL));
    CALL(submit(context, -1, list));
    CALL(submit(context, 1, NULL));
    CALL(submit(context, 1, (struct iocb **)list - 0x100000000));
    list[0] = (struct iocb *)8;
    CALL(submit(context, 1, list));
    CALL(get(0, 0, 1, e, NULL));
    CALL(get(context, 0, 1, e, NULL));
    CALL(get(context, 0, 0, NULL, NULL));
    CALL(get(context, -1, 1, e, NULL));
    CALL(get(context, 2, 1, e, NULL));
    CALL(get(context, -2, -1, e, NULL));
    CALL(get(context, 1, 1, e, (struct timespec *)8));
    CALL(get(context, 1, 1, e, &at_once));
    CALL(get(context, 1, 1, e, &soon));
    struct timespec long_one = {0, 1000000001};
    CALL(get(context, 0, 1, e, &long_one));
    CALL(cancel(context, (struct iocb *)8));
    CALL(cancel(context, &r));
    r.aio_key = 0;
    CALL(cancel(context, &r));
    CALL(cancel(0, &r));
    pid_t child = fork();
    if (child == 0) {
        CALL(get(context, 0, 1, e, NULL));
        CALL(destroy(context));
        aio_context_t own = 0;
        CALL(setup(1, &own));
        fflush(stdout);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    CALL(destroy(context));
    CALL(destroy(context));
    CALL(destroy(other));
}

static void files(void) {
    aio_context_t context = 0;
    setup(16, &context);
    char bytes[64] = "", more[64] = "";
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600), reader = open("file", O_RDONLY);
    int writer = open("file", O_WRONLY), folder = open(".", O_RDONLY), place = open("file", O_PATH);
    struct iovec parts[] = {{bytes, 4}, {more, 8}};
    one("write", context, request(IOCB_CMD_PWRITE, fd, "abcdefgh", 8, 4));
    one("read", context, request(IOCB_CMD_PREAD, fd, bytes, 64, 2));
    printf("%d %d %.8s, offset %ld\n", bytes[0], bytes[1], bytes + 2, (long)lseek(fd, 0, SEEK_CUR));
    one("vector read", context, request(IOCB_CMD_PREADV, fd, parts, 2, 5));
    printf("%.4s %s\n", bytes, more);
    one("vector write", context, request(IOCB_CMD_PWRITEV, fd, parts, 2, 20));
    one("no vector", context, request(IOCB_CMD_PREADV, fd, NULL, 0, 0));
    one("bad vector", context, request(IOCB_CMD_PREADV, fd, (void *)8, 1, 0));
    one("long vector", context, request(IOCB_CMD_PREADV, fd, parts, 1025, 0));
    one("behind the end", context, request(IOCB_CMD_PREAD, fd, bytes, 8, 1000));
    one("nothing", context, request(IOCB_CMD_PREAD, fd, bytes, 0, 0));
    one("bad buffer", context, request(IOCB_CMD_PREAD, fd, (void *)8, 8, 0));
    one("the kernel's", context, request(IOCB_CMD_PREAD, fd, (void *)-4096, 8, 0));
    one("negative length", context, request(IOCB_CMD_PREAD, fd, bytes, -1, 0));
    one("negative offset", context, request(IOCB_CMD_PREAD, fd, bytes, 1, -1));
    one("too far", context, request(IOCB_CMD_PWRITE, fd, bytes, 8, INT64_MAX - 4));
    one("not for reading", context, request(IOCB_CMD_PREAD, writer, bytes, 8, 0));
    one("not for writing", context, request(IOCB_CMD_PWRITE, reader, bytes, 8, 0));
    one("folder", context, request(IOCB_CMD_PREAD, folder, bytes, 8, 0));
    one("place", context, request(IOCB_CMD_PREAD, place, bytes, 8, 0));
    one("no descriptor", context, request(IOCB_CMD_PREAD, -1, bytes, 8, 0));
    one("closed", context, request(IOCB_CMD_PREAD, 99, bytes, 8, 0));
    one("fsync", context, request(IOCB_CMD_FSYNC, fd, NULL, 0, 0));
    one("fdsync", context, request(IOCB_CMD_FDSYNC, fd, NULL, 0, 0));
    one("fsync of a folder", context, request(IOCB_CMD_FSYNC, folder, NULL, 0, 0));
    one("fsync of a part", context, request(IOCB_CMD_FSYNC, fd, NULL, 1, 0));
    one("nothing to do", context, request(IOCB_CMD_NOOP, fd, NULL, 0, 0));
    one("unknown", context, request(4, fd, bytes, 8, 0));
    struct iocb r = request(IOCB_CMD_PREAD, fd, bytes, 4, 0);
    r.aio_reserved2 = 1;
    one("reserved", context, r);
    r = request(IOCB_CMD_PREAD, fd, bytes, 4, 0);
    r.aio_flags = 0xf0;
    one("flags that nobody knows", context, r);
    r.aio_flags = IOCB_FLAG_IOPRIO;
    r.aio_reqprio = 2 << 13 | 4;
    one("priority", context, r);
    r.aio_reqprio = 4 << 13;
    one("bad priority", context, r);
    r = request(IOCB_CMD_PREAD, fd, bytes, 4, 0);
    r.aio_rw_flags = 1u << 31;
    one("bad transfer flags", context, r);
    r = request(IOCB_CMD_PWRITE, fd, "end", 3, 0);
    r.aio_rw_flags = 0x10;
    one("append", context, r);
    printf("size %ld\n", (long)lseek(fd, 0, SEEK_END));
    one("zeroes", context, request(IOCB_CMD_PREAD, open("/dev/zero", O_RDONLY), bytes, 8, 7));
    one("full", context, request(IOCB_CMD_PWRITE, open("/dev/full", O_WRONLY), bytes, 8, 7));
    destroy(context);
}

static void several(void) {
    aio_context_t context = 0;
    setup(8, &context);
    int fd = open("several", O_RDWR | O_CREAT | O_TRUNC, 0600);
    struct iocb r[5], *list[5];
    struct io_event e[8];
    for (int i = 0; i < 5; i++) {
        r[i] = request(IOCB_CMD_PWRITE, i == 3 ? -1 : fd, "0123456789" + i, 1, i);
        list[i] = &r[i];
    }
    printf("submitted %ld of 5\n", submit(context, 5, list));
    CALL(submit(context, 2, list + 3));
    CALL(get(context, 1, 2, e, NULL));
    printf("data %d %d\n", e[0].data == r[0].aio_data, e[1].data == r[1].aio_data);
    CALL(get(context, 1, 2, (struct io_event *)8, NULL));
    CALL(get(context, 0, 8, e, &at_once));
    printf("data %d\n", e[0].data == r[2].aio_data);
    CALL(get(context, 1, 8, e, &soon));
    submit(context, 2, list);
    CALL(get(context, 3, 8, e, &soon));
    destroy(context);

    context = 0;
    setup(1, &context);
    long all = 0, now = 0;
    r[0] = request(IOCB_CMD_PREAD, fd, e, 1, 0);
    while (all < 100000 && (now = submit(context, 1, list)) == 1)
        all++;
    printf("full: %s after more than one %d\n", strerror(errno), all > 1);
    get(context, 1, 1, e, NULL);
    long left = 0;
    while ((now = get(context, 0, 8, e, &at_once)) > 0)
        left += now;
    printf("none is lost: %d\n", left == all - 1);
    CALL(submit(context, 1, list));
    destroy(context);
}

static void events(void) {
    aio_context_t context = 0;
    setup(8, &context);
    int fd = open("several", O_RDWR), counter = eventfd(0, EFD_NONBLOCK), epoll = epoll_create1(0);
    char bytes[8];
    uint64_t count = 0;
    struct epoll_event wanted = {.events = EPOLLIN}, ready;
    epoll_ctl(epoll, EPOLL_CTL_ADD, counter, &wanted);
    struct iocb r = request(IOCB_CMD_PREAD, fd, bytes, 4, 0);
    r.aio_flags = IOCB_FLAG_RESFD;
    r.aio_resfd = counter;
    one("told", context, r);
    one("told again", context, r);
    printf("ready %d\n", epoll_wait(epoll, &ready, 1, 1000));
    CALL(read(counter, &count, 8));
    printf("count %lu\n", (unsigned long)count);
    r.aio_resfd = fd;
    one("no counter", context, r);
    r.aio_resfd = 99;
    one("nothing there", context, r);
    r.aio_resfd = counter;
    r.aio_fildes = -1;
    one("no descriptor", context, r);
    count = UINT64_MAX - 1;
    r.aio_fildes = fd;
    CALL(write(counter, &count, 8));
    one("one too many", context, r);
    struct pollfd p = {counter, POLLIN | POLLOUT, 0};
    poll(&p, 1, 0);
    printf("ready %x\n", p.revents);
    count = 1;
    CALL(write(counter, &count, 8));
    CALL(read(counter, &count, 8));
    printf("all %d\n", count == UINT64_MAX);
    destroy(context);
}

static void streams(void) {
    aio_context_t context = 0;
    setup(8, &context);
    char bytes[16] = "";
    int ends[2], pair[2], counter = eventfd(5, EFD_NONBLOCK), epoll = epoll_create1(0);
    pipe2(ends, O_NONBLOCK);
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
    one("empty pipe", context, request(IOCB_CMD_PREAD, ends[0], bytes, 8, 0));
    one("pipe write", context, request(IOCB_CMD_PWRITE, ends[1], "through", 7, 0));
    one("pipe read", context, request(IOCB_CMD_PREAD, ends[0], bytes, 4, 12));
    printf("%s\n", bytes);
    one("wrong end", context, request(IOCB_CMD_PREAD, ends[1], bytes, 4, 0));
    one("fsync of a pipe", context, request(IOCB_CMD_FSYNC, ends[0], NULL, 0, 0));
    one("socket write", context, request(IOCB_CMD_PWRITE, pair[0], "socket", 6, 0));
    one("socket write somewhere", context, request(IOCB_CMD_PWRITE, pair[0], "socket", 6, 5));
    one("socket read", context, request(IOCB_CMD_PREAD, pair[1], bytes, 8, 0));
    one("socket read somewhere", context, request(IOCB_CMD_PREAD, pair[1], bytes, 8, 1));
    one("empty socket", context, request(IOCB_CMD_PREAD, pair[1], bytes, 8, 0));
    one("counter read", context, request(IOCB_CMD_PREAD, counter, bytes, 8, 0));
    one("counter at zero", context, request(IOCB_CMD_PREAD, counter, bytes, 8, 0));
    one("counter write", context, request(IOCB_CMD_PWRITE, counter, bytes, 8, 0));
    one("epoll read", context, request(IOCB_CMD_PREAD, epoll, bytes, 8, 0));
    signal(SIGPIPE, SIG_IGN);
    close(ends[0]);
    one("broken pipe", context, request(IOCB_CMD_PWRITE, ends[1], "x", 1, 0));
    destroy(context);
}

static void *write_later(void *arg) {
    usleep(5000);
    write(*(int *)arg, "later", 5);
    return NULL;
}

static void blocking(void) {
    aio_context_t context = 0;
    setup(8, &context);
    char bytes[16] = "";
    int ends[2];
    pipe(ends);
    pthread_t thread;
    pthread_create(&thread, NULL, write_later, &ends[1]);
    struct iocb a = request(IOCB_CMD_PREAD, ends[0], bytes, 8, 0), b = request(IOCB_CMD_PWRITE, ends[1], "!", 1, 0);
    struct iocb *list[] = {&a, &b};
    struct io_event e[2];
    CALL(submit(context, 2, list));
    pthread_join(thread, NULL);
    CALL(get(context, 2, 2, e, NULL));
    printf("%lld %s, %lld\n", (long long)e[0].res, bytes, (long long)e[1].res);
    destroy(context);
}

static void ignore(int number) { (void)number; }

static void *interrupt_later(void *arg) {
    usleep(10000);
    pthread_kill(*(pthread_t *)arg, SIGUSR1);
    return NULL;
}

static void *destroy_later(void *arg) {
    usleep(10000);
    destroy(*(aio_context_t *)arg);
    return NULL;
}

static void readiness(void) {
    aio_context_t context = 0;
    setup(8, &context);
    int ends[2], fd = open("several", O_RDWR), counter = eventfd(0, EFD_NONBLOCK);
    pipe(ends);
    struct io_event e[4];
    one("file", context, request(IOCB_CMD_POLL, fd, (void *)POLLIN, 0, 0));
    one("file's urgent data", context, request(IOCB_CMD_POLL, fd, (void *)POLLPRI, 0, 0));
    one("room", context, request(IOCB_CMD_POLL, ends[1], (void *)POLLOUT, 0, 0));
    one("too much", context, request(IOCB_CMD_POLL, ends[1], (void *)0x10000, 0, 0));
    one("a length", context, request(IOCB_CMD_POLL, ends[1], (void *)POLLOUT, 1, 0));
    one("an offset", context, request(IOCB_CMD_POLL, ends[1], (void *)POLLOUT, 0, 1));
    pthread_t thread;
    pthread_create(&thread, NULL, write_later, &ends[1]);
    one("data that comes", context, request(IOCB_CMD_POLL, ends[0], (void *)POLLIN, 0, 0));
    pthread_join(thread, NULL);
    char bytes[8];
    read(ends[0], bytes, 8);

    struct iocb r = request(IOCB_CMD_POLL, ends[0], (void *)POLLIN, 0, 0), *list[] = {&r};
    r.aio_flags = IOCB_FLAG_RESFD;
    r.aio_resfd = counter;
    CALL(submit(context, 1, list));
    CALL(get(context, 1, 1, e, &soon));
    CALL(cancel(context, &r));
    CALL(get(context, 1, 1, e, NULL));
    printf("result %lld, own %d\n", (long long)e[0].res, e[0].data == r.aio_data);
    CALL(cancel(context, &r));
    uint64_t count = 0;
    CALL(read(counter, &count, 8));

    CALL(submit(context, 1, list));
    close(ends[1]);
    CALL(get(context, 1, 1, e, NULL));
    printf("hang-up %llx\n", (long long)e[0].res & POLLHUP);
    CALL(read(counter, &count, 8));
    close(ends[0]);

    // A request keeps its file open: the reader sees no end.
    pipe(ends);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    r = request(IOCB_CMD_POLL, ends[1], (void *)POLLPRI, 0, 0);
    CALL(submit(context, 1, list));
    close(ends[1]);
    CALL(read(ends[0], bytes, 1));
    CALL(cancel(context, &r));
    get(context, 1, 1, e, NULL);
    struct pollfd end = {ends[0], POLLIN, 0};
    CALL(poll(&end, 1, 10000));
    CALL(read(ends[0], bytes, 1));

    pipe(ends);
    r = request(IOCB_CMD_POLL, ends[0], (void *)POLLIN, 0, 0);
    r.aio_flags = IOCB_FLAG_RESFD;
    r.aio_resfd = counter;
    CALL(submit(context, 1, list));
    pthread_create(&thread, NULL, destroy_later, &context);
    CALL(get(context, 1, 1, e, NULL));
    pthread_join(thread, NULL);
    CALL(read(counter, &count, 8));
    CALL(get(context, 1, 1, e, NULL));
}

static void interruption(void) {
    aio_context_t context = 0;
    setup(8, &context);
    struct sigaction action = {.sa_handler = ignore, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    pthread_t thread, self = pthread_self();
    struct io_event e[4];
    pthread_create(&thread, NULL, interrupt_later, &self);
    CALL(get(context, 1, 1, e, NULL));
    pthread_join(thread, NULL);
    pthread_create(&thread, NULL, interrupt_later, &self);
    CALL(pget(context, 1, 1, e, NULL, NULL));
    pthread_join(thread, NULL);

    int fd = open("several", O_RDWR), ends[2];
    struct iocb a = request(IOCB_CMD_PWRITE, fd, "x", 1, 0), *list[] = {&a};
    submit(context, 1, list);
    pthread_create(&thread, NULL, interrupt_later, &self);
    CALL(get(context, 2, 4, e, NULL));
    pthread_join(thread, NULL);

    pipe(ends);
    char bytes[8];
    struct iocb b = request(IOCB_CMD_PREAD, ends[0], bytes, 8, 0), *both[] = {&b, &a};
    pthread_create(&thread, NULL, interrupt_later, &self);
    CALL(submit(context, 2, both));
    pthread_join(thread, NULL);
    CALL(get(context, 2, 4, e, NULL));
    printf("%s, %lld\n", strerror(-e[0].res), (long long)e[1].res);

    sigset_t blocked, none;
    sigemptyset(&blocked);
    sigemptyset(&none);
    sigaddset(&blocked, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &blocked, NULL);
    struct sigset_argument masks = {&none, 8}, wrong = {&none, 7}, null = {NULL, 7}, bad = {(void *)8, 8};
    CALL(pget(context, 0, 1, e, NULL, &wrong));
    CALL(pget(context, 0, 1, e, NULL, &null));
    CALL(pget(context, 0, 1, e, NULL, &bad));
    CALL(pget(context, 0, 1, e, NULL, (struct sigset_argument *)8));
    CALL(pget(context, 1, 1, e, &soon, NULL));
    raise(SIGUSR1);
    CALL(pget(context, 1, 1, e, &soon, NULL));
    CALL(pget(context, 1, 1, e, NULL, &masks));
    sigset_t after;
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    printf("still blocked: %d\n", sigismember(&after, SIGUSR1));
    CALL(destroy(context));
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    contexts();
    files();
    several();
    events();
    streams();
    blocking();
    readiness();
    interruption();
    return 0;
}
