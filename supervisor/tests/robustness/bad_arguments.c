// Every system call with arguments that make no sense, from children that may die of it. The parent must live to sum up.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CALLS = 470, ROUNDS = 150, PAGE = 4096 };

// These end processes, or make some, as they should.
static int is_left_out(int call)
{
    switch (call) {
    case SYS_exit: case SYS_exit_group: case SYS_kill: case SYS_tkill: case SYS_tgkill:
    case SYS_rt_sigqueueinfo: case SYS_rt_tgsigqueueinfo: case SYS_pidfd_send_signal:
    case SYS_fork: case SYS_vfork: case SYS_clone:
        return 1;
    default:
        return 0;
    }
}

static uint64_t state;

static uint64_t next(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return state >> 33;
}

static uint64_t values[64];
static int count;

static void add(uint64_t value) { values[count++] = value; }

static void prepare(void)
{
    uint8_t *pages = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(pages + PAGE, PAGE, PROT_NONE);
    mprotect(pages + 3 * PAGE, PAGE, PROT_NONE);
    memset(pages + 2 * PAGE, 0xff, PAGE);
    uint64_t odd[] = {
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 16, 64, 100, 0xfff, 0x1000, 0x1001, 0x10000, 0x7fffffff, 0x80000000,
        0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000, (uint64_t)-1, (uint64_t)-100,
        (uint64_t)-4096, 0xffffffff81000000, 0x7ffffffff000, 0x7fffffffffff, 0x800000000000,
        // simrun's own.
        0x550000000000, 0x550000001001, 0x551000000000, 0x551000000123, 0x553ffffffff8,
    };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        add(odd[i]);
    add((uint64_t)pages);
    add((uint64_t)pages + PAGE);
    add((uint64_t)pages + PAGE - 4);
    add((uint64_t)pages + 2 * PAGE);
    add((uint64_t)pages + 3 * PAGE - 4);
    add((uint64_t)pages + 3 * PAGE - 1);
    add((uint64_t)pages + 3);
    add((uint64_t)"/no/such/file");
    add((uint64_t)"/proc/self/maps");
    add((uint64_t)"/dev/null");
}

// Descriptors 0 to 11 are one of each kind.
static void open_some(void)
{
    int pair[2], tcp = socket(AF_INET, SOCK_STREAM, 0);
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    int null = open("/dev/null", O_RDWR);
    int epoll = epoll_create1(0), event = eventfd(1, EFD_NONBLOCK);
    int timer = timerfd_create(CLOCK_MONOTONIC, 0), dir = open("/proc/self", O_RDONLY);
    int memory = memfd_create("memory", 0);
    int kinds[] = { tcp, udp, epoll, event, timer, dir, memory };
    for (int fd = 0; fd < 3; fd++)
        dup2(null, fd);
    for (int i = 0; i < 7; i++)
        dup2(kinds[i], 100 + i);
    pipe(pair);
    dup2(pair[0], 110);
    dup2(pair[1], 111);
    close_range(3, 99, 0);
    for (int i = 0; i < 7; i++)
        dup2(100 + i, 3 + i);
    dup2(110, 10);
    dup2(111, 11);
    close_range(12, ~0u, 0);
}

static void try_call(int call)
{
    const char *seed = getenv("SIMRUN_SEED");
    state = (uint64_t)call + 1 + 1000 * (seed ? strtoull(seed, NULL, 10) : 0);
    open_some();
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t a[6];
        for (int i = 0; i < 6; i++)
            a[i] = values[next() % count];
        // What blocks is woken by a timer; the call itself may have taken it away.
        struct sigevent wake = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
        timer_t timer;
        if (timer_create(CLOCK_MONOTONIC, &wake, &timer) == 0) {
            struct itimerspec soon = { { 0, 1000000 }, { 0, 1000000 } };
            timer_settime(timer, 0, &soon, NULL);
        }
        syscall(call, a[0], a[1], a[2], a[3], a[4], a[5]);
        timer_delete(timer);
    }
}

static void ignore(int signal) { (void)signal; }

int main(int argc, char **argv)
{
    int first = argc > 1 ? atoi(argv[1]) : 0, last = argc > 1 ? first : CALLS;
    int exited = 0, died = 0;
    prepare();
    for (int call = first; call <= last; call++) {
        if (is_left_out(call))
            continue;
        pid_t child = fork();
        if (child == 0) {
            struct sigaction action = { .sa_handler = ignore };
            sigaction(SIGALRM, &action, NULL);
            sigaction(SIGPIPE, &action, NULL);
            try_call(call);
            _exit(0);
        }
        int status = 0;
        // A child that has blocked all signals may wait for good.
        struct timespec tick = { 0, 10000000 };
        for (int i = 0; waitpid(child, &status, WNOHANG) == 0; i++) {
            if (i == 1000)
                kill(child, SIGKILL);
            nanosleep(&tick, NULL);
        }
        if (WIFEXITED(status))
            exited++;
        else
            died++;
        if (argc > 2)
            fprintf(stderr, "%d: %x\n", call, status);
    }
    printf("survived: %d exited or died\n", exited + died);
    return 0;
}
