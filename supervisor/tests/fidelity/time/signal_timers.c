// Timers that send signals: alarm, interval timers, POSIX timers, clocks of threads and processes.
// link: -lrt
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t hits;
static siginfo_t last;
static void hit(int signal, siginfo_t *info, void *context) {
    hits++;
    last = *info;
}

static void on(int signal) {
    struct sigaction action = {.sa_sigaction = hit, .sa_flags = SA_SIGINFO};
    sigaction(signal, &action, 0);
    hits = 0;
}

static void block(int how, int signal) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    sigprocmask(how, &set, 0);
}

static void alarms(void) {
    on(SIGALRM);
    printf("none before %u\n", alarm(10));
    printf("left %u\n", alarm(1));
    int result = pause();
    printf("pause %d %s, hits %d code %d\n", result, strerror(errno), hits, last.si_code);
    alarm(100);
    printf("cancelled, left %u then %u\n", alarm(0), alarm(0));
    struct itimerval timer = {{0, 20000}, {0, 30000}}, old;
    hits = 0;
    setitimer(ITIMER_REAL, &timer, 0);
    while (hits < 5) pause();
    getitimer(ITIMER_REAL, &old);
    printf("5 hits, interval %ld, left %d\n", old.it_interval.tv_usec, old.it_value.tv_sec == 0 && old.it_value.tv_usec > 0 && old.it_value.tv_usec <= 20000);
    timer = (struct itimerval){{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &timer, &old);
    printf("was set %d\n", old.it_interval.tv_usec == 20000);
    timer.it_value.tv_usec = 1000000;
    printf("bad %d\n", setitimer(ITIMER_REAL, &timer, 0));
}

static void processor(int which, int signal) {
    on(signal);
    struct itimerval timer = {{0, 5000}, {0, 5000}};
    setitimer(which, &timer, 0);
    while (hits < 3) getppid();
    timer = (struct itimerval){{0, 0}, {0, 0}};
    setitimer(which, &timer, 0);
    printf("signal %d came, code %d\n", signal, last.si_code);
}

static void posix(void) {
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 2, .sigev_value.sival_int = 42};
    on(SIGRTMIN + 2);
    printf("create %d\n", timer_create(CLOCK_MONOTONIC, &event, &timer));
    struct itimerspec spec = {{0, 10000000}, {0, 10000000}}, left;
    timer_settime(timer, 0, &spec, 0);
    while (hits < 3) pause();
    printf("code %d value %d overrun %d\n", last.si_code, last.si_value.sival_int, timer_getoverrun(timer));
    block(SIG_BLOCK, SIGRTMIN + 2);
    timer_settime(timer, 0, &spec, 0);
    hits = 0;
    struct timespec sleep = {0, 55000000};
    nanosleep(&sleep, 0);
    timer_gettime(timer, &left);
    printf("left %d interval %ld\n", left.it_value.tv_nsec > 0 && left.it_value.tv_nsec <= 10000000, left.it_interval.tv_nsec);
    block(SIG_UNBLOCK, SIGRTMIN + 2);
    printf("hits %d overrun about four %d\n", hits, last.si_overrun >= 4 && last.si_overrun <= 5);
    printf("delete %d", timer_delete(timer));
    printf(" again %d\n", timer_delete(timer));

    event.sigev_notify = SIGEV_NONE;
    timer_create(CLOCK_REALTIME, &event, &timer);
    spec = (struct itimerspec){{0, 0}, {0, 1000000}};
    timer_settime(timer, 0, &spec, 0);
    sleep.tv_nsec = 2000000;
    nanosleep(&sleep, 0);
    timer_gettime(timer, &left);
    printf("none: left %ld %ld\n", left.it_value.tv_sec, left.it_value.tv_nsec);
    timer_delete(timer);

    timer_create(CLOCK_REALTIME, 0, &timer);
    on(SIGALRM);
    clock_gettime(CLOCK_REALTIME, &spec.it_value);
    spec.it_value.tv_sec += 1;
    timer_settime(timer, TIMER_ABSTIME, &spec, 0);
    pause();
    printf("absolute: hits %d code %d\n", hits, last.si_code);
    timer_delete(timer);

    event = (struct sigevent){.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    on(SIGUSR1);
    timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &timer);
    spec = (struct itimerspec){{0, 0}, {0, 3000000}};
    timer_settime(timer, 0, &spec, 0);
    while (!hits) getppid();
    printf("processor time: hits %d code %d\n", hits, last.si_code);
}

static volatile int called;
static void call(union sigval value) { called = value.sival_int; }

static void threads(void) {
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = call, .sigev_value.sival_int = 17};
    printf("thread %d\n", timer_create(CLOCK_MONOTONIC, &event, &timer));
    struct itimerspec spec = {{0, 0}, {0, 1000000}};
    timer_settime(timer, 0, &spec, 0);
    while (!called) usleep(1000);
    printf("called with %d\n", called);
    timer_delete(timer);
}

static void clocks(void) {
    struct timespec time, own;
    clockid_t clock;
    pthread_getcpuclockid(pthread_self(), &clock);
    int result = clock_gettime(clock, &time);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &own);
    printf("thread clock %d near %d\n", result, own.tv_sec == time.tv_sec);
    clock_getcpuclockid(getpid(), &clock);
    printf("process clock %d\n", clock_gettime(clock, &time));
    clock_getres(CLOCK_MONOTONIC, &time);
    printf("resolution %ld %ld\n", time.tv_sec, time.tv_nsec);
    printf("bad clock %d", clock_gettime(77, &time));
    printf(" %s\n", strerror(errno));
    time = (struct timespec){0, 1000000000};
    printf("bad sleep %d %s\n", nanosleep(&time, 0), strerror(errno));
    printf("set monotonic %d %s\n", clock_settime(CLOCK_MONOTONIC, &own), strerror(errno));
}

int main(void) {
    setbuf(stdout, 0);
    alarms();
    processor(ITIMER_PROF, SIGPROF);
    processor(ITIMER_VIRTUAL, SIGVTALRM);
    posix();
    threads();
    clocks();
    return 0;
}
