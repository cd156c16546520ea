// Sleeping until processor time has been used.
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../descriptors/show.h"

static volatile int done;

static void *work(void *unused) {
    (void)unused;
    while (!done) syscall(SYS_getppid);
    return 0;
}

static long long used(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void on_signal(int signal) { (void)signal; }

int main(void) {
    setvbuf(stdout, 0, _IOFBF, 1 << 16);
    struct timespec some = {0, 5000000}, bad = {0, 1000000000}, left = {9, 9};
    printf("own thread %d\n", clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &some, 0));
    printf("bad time %d\n", clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &bad, 0));
    printf("no time %d\n", clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &(struct timespec){0, 0}, 0));
    printf("passed %d\n", clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, TIMER_ABSTIME, &(struct timespec){0, 1}, 0));
    pthread_t thread;
    pthread_create(&thread, 0, work, 0);
    long long before = used(CLOCK_PROCESS_CPUTIME_ID);
    printf("more %d\n", clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &some, 0));
    printf("used %d\n", used(CLOCK_PROCESS_CPUTIME_ID) - before >= 5000000);
    before = used(CLOCK_PROCESS_CPUTIME_ID) + 5000000;
    struct timespec until = {before / 1000000000, before % 1000000000};
    printf("until %d\n", clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, TIMER_ABSTIME, &until, 0));
    printf("used %d\n", used(CLOCK_PROCESS_CPUTIME_ID) >= before);
    done = 1;
    pthread_join(thread, 0);
    // Nobody works: only a signal ends it.
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGALRM, &action, 0);
    ualarm(20000, 0);
    some.tv_sec = 100;
    printf("interrupted %d\n", clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &some, &left) == EINTR);
    printf("left %d\n", left.tv_sec > 90 && left.tv_sec <= 100);
    return 0;
}
