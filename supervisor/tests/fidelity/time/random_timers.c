// Timers of all kinds, drawn from a seed: far ahead or long past, so that it makes no difference when they are looked at.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 60, STEPS = 120, LOWEST = 20, HIGHEST = 23, LENGTH_MAX = 64, TIMERS = 4 };

#include "../drawn.h"

// Seconds that pass for a long time, and between two expirations.
enum { FAR = 100000, APART = 1000 };

static int timers[TIMERS];

static int clock_drawn(void) {
    static const int clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME,
                                 CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
                                 CLOCK_MONOTONIC_COARSE, CLOCK_TAI, 10, 12, 99, -1, -6};
    return clocks[draw(draw(3) ? 5 : 16)];
}

static long now(int clock) {
    struct timespec time = {0, 0};
    clock_gettime(clock, &time);
    return time.tv_sec;
}

// What is left, to ten seconds; a century is for ever.
static long coarse(long seconds, long rest) {
    if (seconds > 3000000000) return -1;
    return seconds || rest ? (seconds + 5) / 10 * 10 + 1 : 0;
}

static void show_setting(const char *what, struct itimerspec *it) {
    printf("  %s: left %ld, every %ld.%09ld\n", what, coarse(it->it_value.tv_sec, it->it_value.tv_nsec), (long)it->it_interval.tv_sec, it->it_interval.tv_nsec);
}

// When: never, far ahead, or in the midst of an interval so many of which are past.
static struct itimerspec setting(int clock, int is_absolute) {
    struct itimerspec it = {{0, 0}, {0, 0}};
    static const long odd[][2] = {{-1, 0}, {0, -1}, {0, 1000000000}, {INT64_MAX, 0}, {INT64_MAX, 999999999}, {9223372036l, 854775807}};
    if (draw(2)) it.it_interval.tv_sec = draw(4) ? APART : FAR * 7l;
    if (!draw(15)) it.it_interval = (struct timespec){odd[draw(3)][0], odd[draw(3)][1]};
    switch (draw(8)) {
    case 0: break;
    case 1: {
        int which = draw(6);
        it.it_value = (struct timespec){odd[which][0], odd[which][1]};
        break;
    }
    case 2: case 3: case 4:
        if (is_absolute && (clock == CLOCK_REALTIME || clock == CLOCK_TAI)) {
            it.it_value.tv_sec = now(clock) - APART / 2 - (long)APART * draw(5);
            break;
        }
        if (is_absolute) {
            it.it_value.tv_nsec = 1;
            // How often it would have expired since the host has started is nobody's.
            if (it.it_interval.tv_sec > 0) it.it_interval.tv_sec = FAR * 100000l;
            break;
        }
    default: it.it_value.tv_sec = (is_absolute ? now(clock) : 0) + FAR; break;
    }
    return it;
}

static int clocks_of[HIGHEST + 1], clocks_of_timers[TIMERS];

static void on_descriptor(void) {
    int fd = descriptor();
    struct itimerspec it, old = {{7, 7}, {7, 7}};
    static const int settings[] = {0, TFD_TIMER_ABSTIME, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, TFD_TIMER_CANCEL_ON_SET, 4, -1};
    switch (draw(9)) {
    case 0: {
        static const int flags[] = {TFD_NONBLOCK, TFD_NONBLOCK | TFD_CLOEXEC, TFD_NONBLOCK | 1, -1};
        int clock = clock_drawn(), flag = flags[draw(draw(4) ? 2 : 4)];
        int made = timerfd_create(clock, flag);
        show("timerfd_create", clock, flag, made < 0 ? -1 : 0);
        if (made < 0) break;
        dup2(made, fd);
        close(made);
        clocks_of[fd] = clock;
        break;
    }
    case 1: case 2: case 3: case 4: {
        int flags = settings[draw(draw(4) ? 2 : 6)];
        it = setting(clocks_of[fd], flags & TFD_TIMER_ABSTIME);
        show("timerfd_settime", fd, flags, timerfd_settime(fd, flags, &it, draw(2) ? &old : NULL));
        show_setting("old", &old);
        usleep(500);
        break;
    }
    case 5: show("timerfd_gettime", fd, 0, timerfd_gettime(fd, &it)); break;
    case 6: case 7: {
        uint64_t count = 0;
        long len = draw(6) ? 8 : draw(20);
        unsigned char into[32] = {0};
        ssize_t got = read(fd, into, len);
        memcpy(&count, into, 8);
        show("read", fd, len, got);
        printf("  %lu times\n", (unsigned long)count);
        break;
    }
    default: {
        struct pollfd polled = {fd, POLLIN | POLLOUT | POLLPRI, 0};
        int news = poll(&polled, 1, 0);
        printf("poll %d = %d %x\n", fd, news, polled.revents);
        if (!timerfd_gettime(fd, &old)) show_setting("now", &old);
    }
    }
}

static void on_timer(void) {
    int at = draw(TIMERS), timer = timers[at] < 0 ? 1000000 : timers[at];
    struct itimerspec it, old = {{7, 7}, {7, 7}};
    switch (draw(8)) {
    case 0: {
        static const int signals[] = {SIGUSR1, SIGUSR2, 34, 35, 0, 65};
        static const int notes[] = {SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD_ID | SIGEV_SIGNAL, SIGEV_THREAD_ID, SIGEV_THREAD, 17};
        int clock = clock_drawn(), made = -1, note = notes[draw(draw(4) ? 3 : 6)], signal = signals[draw(draw(4) ? 4 : 6)];
        if (timers[at] >= 0) break;
        struct sigevent event = {.sigev_notify = note, .sigev_signo = signal, .sigev_value.sival_int = 100 + at};
        event._sigev_un._tid = draw(5) ? getpid() : 1;
        long done = syscall(SYS_timer_create, clock, draw(6) ? &event : NULL, &made);
        printf("note %d signal %d\n", note, signal);
        show("timer_create", at, clock, done);
        if (done == 0) timers[at] = made, clocks_of_timers[at] = clock;
        break;
    }
    case 1: case 2: case 3: {
        int flags = draw(8) ? draw(2) * TIMER_ABSTIME : draw(8);
        it = setting(clocks_of_timers[at], flags & TIMER_ABSTIME);
        show("timer_settime", at, flags, syscall(SYS_timer_settime, timer, flags, &it, draw(2) ? &old : NULL));
        show_setting("old", &old);
        usleep(500);
        break;
    }
    case 4:
        show("timer_gettime", at, 0, syscall(SYS_timer_gettime, timer, &old));
        show_setting("now", &old);
        break;
    case 5: show("timer_getoverrun", at, 0, syscall(SYS_timer_getoverrun, timer)); break;
    case 6:
        if (draw(3)) break;
        show("timer_delete", at, 0, syscall(SYS_timer_delete, timer));
        timers[at] = -1;
        break;
    default: {
        sigset_t set;
        siginfo_t info;
        struct timespec none = {0, 0};
        sigfillset(&set);
        int signal = sigtimedwait(&set, &info, &none);
        show("sigtimedwait", 0, 0, signal);
        if (signal <= 0) break;
        int of = -1;
        for (int i = 0; i < TIMERS; i++) if (timers[i] == info.si_timerid) of = i;
        if (info.si_code == SI_TIMER) printf("  timer %d overrun %d value %d\n", of, info.si_overrun, info.si_value.sival_int == info.si_timerid ? -7 : info.si_value.sival_int);
        else printf("  code %d\n", info.si_code);
    }
    }
}

static void show_interval(struct itimerval *it) {
    printf("  left %ld, every %ld.%06ld\n", coarse(it->it_value.tv_sec, it->it_value.tv_usec),
           it->it_interval.tv_sec, it->it_interval.tv_usec);
}

static void on_interval(void) {
    int which = draw(6) ? draw(3) : 3;
    struct itimerval it = {{0, 0}, {0, 0}}, old = {{7, 7}, {7, 7}};
    switch (draw(4)) {
    case 0: case 1:
        if (draw(3)) it.it_value.tv_sec = FAR;
        if (draw(2)) it.it_interval.tv_sec = APART;
        if (!draw(8)) it.it_value.tv_usec = draw(2) ? 1000000 : -1;
        if (!draw(8)) it.it_interval.tv_usec = draw(2) ? 1000000 : -1;
        if (!draw(8)) it.it_value.tv_sec = draw(2) ? 3000000000 + FAR : -5;
        show("setitimer", which, 0, syscall(SYS_setitimer, which, draw(12) ? &it : NULL, draw(2) ? &old : NULL));
        show_interval(&old);
        break;
    case 2:
        show("getitimer", which, 0, syscall(SYS_getitimer, which, &old));
        show_interval(&old);
        break;
    default: {
        unsigned seconds = draw(3) ? FAR : 0;
        printf("alarm %u = %u\n", seconds, (alarm(seconds) + 5) / 10);
    }
    }
}

static void on_sleep(void) {
    int clock = clock_drawn(), flags = draw(2) ? TIMER_ABSTIME : draw(3);
    static const struct timespec times[] = {{0, 0}, {0, 1}, {0, -1}, {0, 1000000000}, {-1, 0}, {-1, 999999999}, {0, 1000}};
    struct timespec time = times[draw(7)], left = {7, 7};
    switch (draw(4)) {
    case 0: {
        // Who sleeps uses no processor time.
        if (clock == CLOCK_PROCESS_CPUTIME_ID || clock == -6) break;
        int done = clock_nanosleep(clock, flags, &time, &left);
        printf("clock_nanosleep %d %d %ld.%ld = %d, %ld left\n", clock, flags, time.tv_sec, time.tv_nsec, done, left.tv_sec);
        break;
    }
    case 1: show("nanosleep", time.tv_sec, time.tv_nsec, nanosleep(&time, &left)); break;
    case 2:
        show("clock_getres", clock, 0, syscall(SYS_clock_getres, clock, draw(3) ? &left : NULL));
        printf("  %ld.%09ld\n", left.tv_sec, left.tv_nsec);
        break;
    default: show("clock_gettime", clock, 0, syscall(SYS_clock_gettime, clock, &left));
    }
}

static void step(void) {
    switch (draw(7)) {
    case 0: case 1: on_descriptor(); break;
    case 2: case 3: case 4: on_timer(); break;
    case 5: on_interval(); break;
    default: on_sleep();
    }
}

static void begin(void) {
    struct itimerval none = {{0, 0}, {0, 0}};
    struct timespec at_once = {0, 0};
    sigset_t all;
    for (int i = 0; i < TIMERS; i++) {
        if (timers[i] >= 0) syscall(SYS_timer_delete, timers[i]);
        timers[i] = -1;
    }
    for (int i = 0; i < 3; i++) setitimer(i, &none, NULL);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    while (sigtimedwait(&all, NULL, &at_once) > 0) {}
    close_all();
    for (int fd = LOWEST; fd <= HIGHEST; fd++) {
        clocks_of[fd] = CLOCK_REALTIME;
        int made = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
        dup2(made, fd);
        close(made);
    }
}

int main(int argc, char **argv) {
    for (int i = 0; i < TIMERS; i++) timers[i] = -1;
    rounds(argv, ROUNDS, STEPS, begin, step);
    return 0;
}
