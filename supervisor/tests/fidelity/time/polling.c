// Threads that wait for time to pass by looking at a clock do not keep others from being woken in time.

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

enum { SLEEPS = 100, SLEEP_NS = 1000000, SPAN_MAX_MS = 1000 };

static atomic_int done;

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void *reads_clock(void *unused) {
    while (!done) now_ns();
    return unused;
}

static void *yields(void *unused) {
    while (!done) sched_yield();
    return unused;
}

static void *reads_counter(void *unused) {
    while (!done) __rdtsc();
    return unused;
}

static void sleep_beside(const char *what, void *(*poller)(void *)) {
    pthread_t thread;
    done = 0;
    pthread_create(&thread, 0, poller, 0);
    int64_t start = now_ns();
    for (int i = 0; i < SLEEPS; i++) nanosleep(&(struct timespec){.tv_nsec = SLEEP_NS}, 0);
    int64_t span_ms = (now_ns() - start) / 1000000;
    done = 1;
    pthread_join(thread, 0);
    int fine = span_ms >= SLEEPS * (SLEEP_NS / 1000000) && span_ms <= SPAN_MAX_MS;
    printf("%s: %s\n", what, fine ? "in time" : "late");
    if (!fine) fprintf(stderr, "%s: %lld ms\n", what, (long long)span_ms);
}

int main(void) {
    sleep_beside("clock", reads_clock);
    sleep_beside("yield", yields);
    sleep_beside("counter", reads_counter);
    return 0;
}
