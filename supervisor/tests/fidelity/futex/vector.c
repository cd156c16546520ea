// Waiting on several futexes at a time.
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../descriptors/show.h"

struct waiter {
    uint64_t value, address;
    uint32_t flags, reserved;
};
#define SIZE_32 2
#define PRIVATE 128

static uint32_t words[4];
static struct waiter list[200];

static long wait_any(int count, struct timespec *until, int clock) {
    return syscall(449, list, count, 0, until, clock);
}

static long wake(uint32_t *word, int count, int flags) { return syscall(SYS_futex, word, FUTEX_WAKE | flags, count, 0, 0, 0); }

static void prepare(uint32_t *at, int flags) {
    for (int i = 0; i < 3; i++) list[i] = (struct waiter){at[i], (uint64_t)&at[i], SIZE_32 | flags, 0};
}

static void pass(long milliseconds) {
    struct timespec t = {0, milliseconds * 1000000};
    nanosleep(&t, 0);
}

static void *in_thread(void *unused) {
    (void)unused;
    return (void *)wait_any(3, 0, 0);
}

static void on_signal(int signal) { (void)signal; }

int main(void) {
    setvbuf(stdout, 0, _IOFBF, 1 << 16);
    prepare(words, PRIVATE);
    SHOW("none", wait_any(0, 0, 0));
    SHOW("too many", wait_any(129, 0, 0));
    SHOW("flags", syscall(449, list, 3, 1, 0, 0));
    SHOW("nowhere", syscall(449, 0, 3, 0, 0, 0));
    list[1].flags = 0;
    SHOW("no size", wait_any(3, 0, 0));
    prepare(words, PRIVATE);
    list[2].reserved = 1;
    SHOW("reserved", wait_any(3, 0, 0));
    prepare(words, PRIVATE);
    list[1].value = 5;
    SHOW("another value", wait_any(3, 0, 0));
    prepare(words, PRIVATE);
    list[2].address++;
    SHOW("unaligned", wait_any(3, 0, 0));
    prepare(words, PRIVATE);
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    SHOW("clock", wait_any(3, &until, CLOCK_BOOTTIME));
    SHOW("time is over", wait_any(3, &until, CLOCK_MONOTONIC));
    until.tv_nsec = 1000000000;
    SHOW("bad time", wait_any(3, &until, CLOCK_MONOTONIC));
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 0, until.tv_nsec += 20000000;
    if (until.tv_nsec >= 1000000000) until.tv_nsec -= 1000000000, until.tv_sec++;
    SHOW("time-out", wait_any(3, &until, CLOCK_REALTIME));
    for (int i = 0; i < 3; i++) {
        pthread_t thread;
        void *result;
        pthread_create(&thread, 0, in_thread, 0);
        while (wake(&words[2 - i], 5, FUTEX_PRIVATE_FLAG) == 0) pass(1);
        pthread_join(thread, &result);
        printf("woken by %ld, nobody waits %ld\n", (long)result, wake(&words[i], 5, FUTEX_PRIVATE_FLAG));
    }
    // Between processes.
    uint32_t *shared = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    prepare(shared, 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) _exit(wait_any(3, 0, 0) + 10);
    while (wake(&shared[1], 1, 0) == 0) pass(1);
    int status;
    waitpid(pid, &status, 0);
    printf("child %x\n", status);
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGALRM, &action, 0);
    ualarm(20000, 0);
    SHOW("interrupted", wait_any(3, 0, 0));
    return 0;
}
