// What a signal does to calls that wait: EINTR, restart, partial results, remaining time, masks for one call.
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile int hits;
static int saved_blocked;
static void hit(int signal, siginfo_t *info, void *context) {
    hits++;
    saved_blocked = sigismember(&((ucontext_t *)context)->uc_sigmask, SIGUSR1);
}

static void on(int signal, int flags) {
    struct sigaction action = {.sa_sigaction = hit, .sa_flags = SA_SIGINFO | flags};
    sigaction(signal, &action, 0);
}

static pthread_t first;
static int pipes[2];

// Sends SIGUSR1 to the first thread after 100 ms; after another 100 ms does what `then` says.
struct plan { int write; int times; };
static void *disturb(void *argument) {
    struct plan *plan = argument;
    for (int i = 0; i < plan->times; i++) {
        usleep(100000);
        pthread_kill(first, SIGUSR1);
    }
    usleep(100000);
    if (plan->write && write(pipes[1], "x", 1) != 1) return 0;
    return 0;
}

static pthread_t start(struct plan *plan) {
    pthread_t thread;
    hits = 0;
    pthread_create(&thread, 0, disturb, plan);
    return thread;
}

static void show(const char *what, long result) {
    printf("%s: %ld %s, %d hits\n", what, result, result < 0 ? strerror(errno) : "-", hits);
}

static long futex(int *word, int op, int value, struct timespec *timeout) {
    return syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, timeout, 0, 0);
}

static void waits(int flags) {
    char byte;
    struct plan write_later = {1, 1}, once = {0, 1}, thrice = {1, 3};
    on(SIGUSR1, flags);
    pthread_t thread = start(&write_later);
    long result = read(pipes[0], &byte, 1);
    show("read", result);
    pthread_join(thread, 0);
    if (result < 0 && read(pipes[0], &byte, 1) != 1) printf("lost\n");
    thread = start(&thrice);
    result = read(pipes[0], &byte, 1);
    show("read thrice", result);
    pthread_join(thread, 0);
    if (result < 0 && read(pipes[0], &byte, 1) != 1) printf("lost\n");

    struct timespec time = {0, 250000000}, left = {9, 9};
    thread = start(&once);
    result = nanosleep(&time, &left);
    show("nanosleep", result);
    printf("left %d\n", left.tv_sec == 0 && left.tv_nsec > 1000000 && left.tv_nsec < 200000000);
    pthread_join(thread, 0);

    int word = 5;
    thread = start(&once);
    time = (struct timespec){0, 250000000};
    show("futex with a limit", futex(&word, FUTEX_WAIT, 5, &time));
    pthread_join(thread, 0);

    struct pollfd fd = {pipes[0], POLLIN, 0};
    thread = start(&once);
    show("poll", poll(&fd, 1, 5000));
    pthread_join(thread, 0);
    thread = start(&once);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    show("sigwaitinfo", sigwaitinfo(&set, 0));
    pthread_join(thread, 0);
    thread = start(&once);
    show("pause", pause());
    pthread_join(thread, 0);
}

static void call_masks(void) {
    sigset_t block, none, now;
    sigemptyset(&none);
    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    sigprocmask(SIG_BLOCK, &block, 0);
    on(SIGUSR1, SA_RESTART);
    hits = 0;
    raise(SIGUSR1);
    printf("blocked, %d hits\n", hits);
    show("sigsuspend", sigsuspend(&none));
    printf("frame had it blocked %d\n", saved_blocked);
    sigprocmask(SIG_SETMASK, 0, &now);
    printf("blocked again %d\n", sigismember(&now, SIGUSR1));
    raise(SIGUSR1);
    struct timespec limit = {1, 0};
    show("ppoll", ppoll(0, 0, &limit, &none));
    hits = 0;
    raise(SIGUSR1);
    if (write(pipes[1], "y", 1) != 1) return;
    struct pollfd fd = {pipes[0], POLLIN, 0};
    show("ppoll that is ready", ppoll(&fd, 1, 0, &none));
    sigprocmask(SIG_UNBLOCK, &block, 0);
    printf("then %d hits\n", hits);
}

static void *stay(void *word) {
    long result = futex(word, FUTEX_WAIT, 5, 0);
    printf("futex without a limit: %ld\n", result);
    return 0;
}

static void ignored(void) {
    pthread_t thread;
    int word = 5;
    signal(SIGUSR2, SIG_IGN);
    pthread_create(&thread, 0, stay, &word);
    usleep(50000);
    pthread_kill(thread, SIGUSR2);
    pthread_kill(thread, SIGWINCH);
    usleep(50000);
    // It may not wait yet.
    long woken;
    while ((woken = futex(&word, FUTEX_WAKE, 1, 0)) == 0) usleep(1000);
    pthread_join(thread, 0);
    printf("woken %ld\n", woken);
}

int main(void) {
    first = pthread_self();
    setbuf(stdout, 0);
    if (pipe(pipes)) return 1;
    waits(0);
    waits(SA_RESTART);
    call_masks();
    ignored();
    return 0;
}
