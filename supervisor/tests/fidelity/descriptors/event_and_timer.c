// Counters and timers behind descriptors.
#include "show.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static int ready(int fd) {
    struct pollfd p = {fd, POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM, 0};
    poll(&p, 1, 0);
    return p.revents;
}

static void put(int fd, uint64_t value) { SHOW("write", write(fd, &value, 8)); }
static void get(int fd) {
    uint64_t value = 0;
    SHOW("read", read(fd, &value, 8));
    printf("value %lu, ready %x\n", (unsigned long)value, ready(fd));
}

static void *add_later(void *arg) {
    usleep(2000);
    uint64_t value = 5;
    write(*(int *)arg, &value, 8);
    return NULL;
}

static void counters(void) {
    int fd = eventfd(3, EFD_NONBLOCK);
    char small[4];
    get(fd);
    get(fd);
    put(fd, 7);
    put(fd, UINT64_MAX - 1 - 7);
    printf("full: %x\n", ready(fd));
    put(fd, 1);
    put(fd, UINT64_MAX);
    put(fd, 0);
    get(fd);
    SHOW("short read", read(fd, small, 4));
    SHOW("short write", write(fd, small, 4));
    SHOW("seek", lseek(fd, 0, SEEK_SET));
    SHOW("pread", pread(fd, small, 4, 0));
    close(fd);
    fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);
    get(fd);
    get(fd);
    get(fd);
    printf("flags %x, on exec %d\n", fcntl(fd, F_GETFL), fcntl(fd, F_GETFD));
    struct stat st;
    fstat(fd, &st);
    printf("mode %o\n", st.st_mode);
    close(fd);
    SHOW("bad flags", eventfd(0, 0x10000));
    fd = eventfd(0, 0);
    pthread_t thread;
    pthread_create(&thread, NULL, add_later, &fd);
    get(fd);
    pthread_join(thread, NULL);
    close(fd);
}

static long long now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void timers(clockid_t clock) {
    int fd = timerfd_create(clock, TFD_CLOEXEC);
    struct itimerspec setting = {{0, 0}, {0, 20000000}}, old;
    uint64_t ticks;
    long long start = now(clock);
    SHOW("set", timerfd_settime(fd, 0, &setting, NULL));
    SHOW("not yet", ready(fd));
    read(fd, &ticks, 8);
    long long passed = now(clock) - start;
    printf("once: %lu, on time %d\n", (unsigned long)ticks, passed >= 20000000 && passed < 60000000);
    timerfd_gettime(fd, &old);
    printf("left %ld.%ld\n", (long)old.it_value.tv_sec, old.it_value.tv_nsec);

    setting = (struct itimerspec){{0, 10000000}, {0, 10000000}};
    start = now(clock);
    timerfd_settime(fd, 0, &setting, NULL);
    usleep(55000);
    SHOW("ready", ready(fd));
    read(fd, &ticks, 8);
    printf("missed some: %d\n", ticks >= 5 && ticks < 9);
    read(fd, &ticks, 8);
    timerfd_gettime(fd, &old);
    printf("interval %ld, left %d\n", old.it_interval.tv_nsec, old.it_value.tv_nsec > 0 && old.it_value.tv_nsec <= 10000000);

    long long due = now(clock) + 15000000;
    setting = (struct itimerspec){{0, 0}, {due / 1000000000, due % 1000000000}};
    SHOW("absolute", timerfd_settime(fd, TFD_TIMER_ABSTIME, &setting, &old));
    printf("old interval %ld\n", old.it_interval.tv_nsec);
    read(fd, &ticks, 8);
    printf("after its time: %d, %lu\n", now(clock) >= due, (unsigned long)ticks);
    setting = (struct itimerspec){{0, 0}, {1, 0}};
    timerfd_settime(fd, TFD_TIMER_ABSTIME, &setting, NULL);
    SHOW("past at once", read(fd, &ticks, 8));
    setting = (struct itimerspec){{0, 0}, {100, 0}};
    timerfd_settime(fd, 0, &setting, NULL);
    setting = (struct itimerspec){{5, 0}, {0, 0}};
    timerfd_settime(fd, 0, &setting, &old);
    printf("had %d\n", (int)(old.it_value.tv_sec + (old.it_value.tv_nsec > 0)));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    SHOW("unset", read(fd, &ticks, 8));
    SHOW("write", write(fd, &ticks, 8));
    setting.it_value.tv_nsec = 1000000000;
    SHOW("bad time", timerfd_settime(fd, 0, &setting, NULL));
    SHOW("bad flags", timerfd_settime(fd, 8, &old, NULL));
    SHOW("short", read(fd, &ticks, 4));
    close(fd);
}

int main(void) {
    counters();
    timers(CLOCK_MONOTONIC);
    timers(CLOCK_REALTIME);
    timers(CLOCK_BOOTTIME);
    SHOW("bad clock", timerfd_create(CLOCK_THREAD_CPUTIME_ID, 0));
    SHOW("bad flags", timerfd_create(CLOCK_MONOTONIC, 1));
    int fd = eventfd(0, 0);
    struct itimerspec setting = {{0, 0}, {1, 0}};
    SHOW("no timer", timerfd_settime(fd, 0, &setting, NULL));
    return 0;
}
