// Signals that a thread sends to itself and to its process, blocked, awaited, read and handled, drawn from a seed.
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 200, STEPS = 300, LOWEST = 3, HIGHEST = 6, LENGTH_MAX = 4096, DEPTH_MAX = 6 };

#include "../drawn.h"

static const int numbers[] = {SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD, SIGURG, SIGWINCH, SIGALRM, SIGCONT, 34, 35, 40, 64};
static char other_stack[1 << 16];
static int depth;

static int number(void) { return numbers[draw(12)]; }

static void show_set(const char *what, const sigset_t *set) {
    uint64_t bits;
    memcpy(&bits, set, sizeof bits);
    printf("%s %llx\n", what, (unsigned long long)bits);
}

static sigset_t some(void) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = draw(6); i > 0; i--) sigaddset(&set, number());
    return set;
}

static void show_info(const siginfo_t *info) {
    printf(" %d code %d errno %d", info->si_signo, info->si_code, info->si_errno);
    if (info->si_code == SI_QUEUE || info->si_code == SI_TIMER) printf(" value %d", info->si_value.sival_int);
    if (info->si_code <= 0) printf(" own %d", info->si_code == SI_TIMER || info->si_pid == getpid());
    printf("\n");
}

static void step(void);

static void on_signal(int signal, siginfo_t *info, void *context) {
    ucontext_t *interrupted = context;
    stack_t stack;
    sigset_t now;
    sigaltstack(NULL, &stack);
    printf("> handler of %d depth %d stack %d", signal, depth, stack.ss_flags);
    show_info(info);
    show_set("  interrupted", &interrupted->uc_sigmask);
    sigprocmask(SIG_BLOCK, NULL, &now);
    show_set("  now", &now);
    if (depth < DEPTH_MAX && draw(3) == 0) {
        depth++;
        for (int i = draw(4); i > 0; i--) step();
        depth--;
    }
    if (draw(5) == 0) sigaddset(&interrupted->uc_sigmask, number());
    if (draw(5) == 0) sigdelset(&interrupted->uc_sigmask, number());
    printf("< %d\n", signal);
}

static void set_action(void) {
    static const int flags[] = {0, SA_RESTART, SA_NODEFER, SA_RESETHAND, SA_ONSTACK, SA_NODEFER | SA_RESETHAND, SA_ONSTACK | SA_NODEFER};
    int signal = number(), kind = draw(8);
    struct sigaction action = {.sa_mask = some(), .sa_flags = flags[draw(7)] | SA_SIGINFO}, before;
    action.sa_sigaction = on_signal;
    // What ends the process by default is handled or ignored.
    if (kind == 0 || signal == SIGALRM) action = (struct sigaction){.sa_handler = SIG_IGN};
    if (action.sa_flags & SA_RESETHAND && signal != SIGCHLD && signal != SIGURG && signal != SIGWINCH && signal != SIGCONT)
        action.sa_flags &= ~SA_RESETHAND;
    show("sigaction", signal, action.sa_flags, sigaction(signal, &action, &before));
    printf("  was %d %x\n", before.sa_handler == SIG_IGN ? 1 : before.sa_handler == SIG_DFL ? 0 : 2, before.sa_flags & ~0x04000000);
}

static void mask(void) {
    int how = draw(3);
    sigset_t set = some(), before;
    show("sigprocmask", how, 0, sigprocmask(how, &set, &before));
    show_set("  was", &before);
}

static void send(void) {
    int signal = draw(20) ? number() : draw(2) ? 0 : 65 + draw(3);
    union sigval value = {.sival_int = draw(1000)};
    switch (draw(5)) {
    case 0: return show("kill", signal, 0, kill(getpid(), signal));
    case 1: return show("tkill", signal, 0, syscall(SYS_tkill, getpid(), signal));
    case 2: return show("tgkill", signal, 0, syscall(SYS_tgkill, getpid(), getpid(), signal));
    case 3: return show("sigqueue", signal, value.sival_int, sigqueue(getpid(), signal, value));
    default: {
        siginfo_t info = {.si_signo = signal, .si_code = -(int)draw(9) - 1, .si_value = value};
        info.si_pid = getpid();
        // Since Linux 6.13 what says that it is of a timer, and is not, is not delivered.
        if (info.si_code == SI_TIMER) info.si_code = SI_QUEUE;
        return show("rt_tgsigqueueinfo", signal, info.si_code, syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), signal, &info));
    }
    }
}

static void await(void) {
    sigset_t set = some();
    struct timespec now = {0, 0};
    siginfo_t info;
    memset(&info, 0, sizeof info);
    int got = sigtimedwait(&set, &info, &now);
    show("sigtimedwait", 0, 0, got);
    if (got > 0) show_info(&info);
}

static void read_signals(void) {
    int fd = descriptor();
    struct signalfd_siginfo infos[4];
    if (draw(4) == 0) {
        sigset_t set = some();
        return show("signalfd", fd, 0, signalfd(draw(2) ? fd : -1, &set, SFD_NONBLOCK));
    }
    size_t room = draw(4) ? sizeof infos : draw(300);
    ssize_t got = read(fd, infos, room);
    show("read", fd, room, got);
    for (int i = 0; i < got / (ssize_t)sizeof *infos; i++)
        printf("  %u code %d value %d own %d\n", infos[i].ssi_signo, infos[i].ssi_code, infos[i].ssi_int, infos[i].ssi_pid == (uint32_t)getpid());
}

static void stack(void) {
    size_t size = draw(5) ? sizeof other_stack : draw(1000);
    stack_t other = {.ss_sp = other_stack, .ss_size = size, .ss_flags = draw(3) ? 0 : SS_DISABLE}, before = {0};
    show("sigaltstack", other.ss_size, other.ss_flags, sigaltstack(&other, &before));
    printf("  was %d %zu\n", before.ss_flags, before.ss_size);
}

static void step(void) {
    sigset_t set;
    switch (draw(12)) {
    case 0: case 1: return set_action();
    case 2: case 3: return mask();
    case 4: case 5: case 6: case 7: return send();
    case 8: return await();
    case 9: return read_signals();
    case 10: return stack();
    default:
        sigpending(&set);
        show_set("pending", &set);
    }
}

static void begin(void) {
    sigset_t none;
    close_all();
    for (int i = 0; i < 12; i++) signal(numbers[i], SIG_IGN);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

int main(int argc, char **argv) {
    rounds(argv, ROUNDS, STEPS, begin, step);
    return 0;
}
