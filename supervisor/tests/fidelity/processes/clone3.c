// clone3: what is refused, what a child of it is, stacks, descriptors of children, reset handlers, threads.
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../descriptors/show.h"

struct arguments {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup, more;
};

static long clone3(struct arguments *a, size_t size) { return syscall(SYS_clone3, a, size); }

static void refused(const char *what, struct arguments a, size_t size) {
    fflush(stdout);
    errno = 0;
    long result = clone3(&a, size);
    if (result == 0) _exit(0);
    printf("%s: %s\n", what, result < 0 ? strerror(errno) : "made");
    if (result > 0) waitpid(result, 0, __WALL);
}

static void on_signal(int signal) { (void)signal; }

static volatile int shared;
static int in_child(void) {
    shared += 7;
    return 3;
}

// A child in the same memory needs a stack of its own, and must not return from here.
static long on_stack(struct arguments *a) {
    long result = SYS_clone3;
    register int (*run)(void) __asm__("r12") = in_child;
    __asm__ volatile(
        "syscall\n\ttest %%rax, %%rax\n\tjnz 1f\n\txor %%ebp, %%ebp\n\tcall *%%r12\n\t"
        "mov %%eax, %%edi\n\tmov $60, %%eax\n\tsyscall\n1:"
        : "+a"(result)
        : "D"(a), "S"(64), "r"(run)
        : "rcx", "r11", "memory");
    return result;
}

int main(void) {
    setvbuf(stdout, 0, _IOFBF, 1 << 16);
    static char stack[65536] __attribute__((aligned(16)));
    struct arguments plain = {.exit_signal = SIGCHLD}, a;
    refused("plain", plain, 64);
    refused("longer", plain, 88);
    refused("with an unknown field of zero", plain, 96);
    a = plain, a.more = 1;
    refused("with an unknown field", a, 96);
    refused("too short", plain, 63);
    refused("huge", plain, 5000);
    SHOW("nowhere", clone3(0, 64));
    a = plain, a.flags = SIGCHLD;
    refused("signal among the flags", a, 64);
    a = plain, a.exit_signal = 65;
    refused("no such signal", a, 64);
    a = plain, a.flags = 1ull << 40;
    refused("unknown flag", a, 64);
    a = plain, a.stack = (uint64_t)stack;
    refused("stack without size", a, 64);
    a = plain, a.stack_size = 4096;
    refused("size without stack", a, 64);
    a = plain, a.flags = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM;
    refused("thread with a signal", a, 64);
    a = plain, a.flags = CLONE_SIGHAND | CLONE_VM | 0x100000000ull;
    refused("shared and reset handlers", a, 64);
    a = plain, a.flags = CLONE_DETACHED;
    refused("detached", a, 64);
    a = plain, a.flags = CLONE_SIGHAND;
    refused("handlers without memory", a, 64);
    a = plain, a.set_tid_size = 1;
    refused("number without place", a, 88);
    int fd = -1, tid = -1, child = -1;
    a = plain, a.flags = CLONE_PIDFD | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID;
    a.pidfd = (uint64_t)&fd, a.parent_tid = (uint64_t)&tid, a.child_tid = (uint64_t)&child;
    fflush(stdout);
    long pid = clone3(&a, 64);
    if (pid == 0) _exit(child == gettid() ? 5 : 1);
    siginfo_t info;
    SHOW("wait", waitid(P_PIDFD, fd, &info, WEXITED));
    printf("status %d, number %d, here %d\n", info.si_status, tid == pid, child);
    close(fd);
    // Handlers: those set are reset, those ignored stay so.
    struct sigaction action = {.sa_handler = on_signal}, seen;
    sigaction(SIGUSR1, &action, 0);
    signal(SIGUSR2, SIG_IGN);
    a = plain, a.flags = 0x100000000ull;
    pid = clone3(&a, 64);
    if (pid == 0) {
        sigaction(SIGUSR1, 0, &seen);
        int reset = seen.sa_handler == SIG_DFL;
        sigaction(SIGUSR2, 0, &seen);
        _exit(reset * 2 + (seen.sa_handler == SIG_IGN));
    }
    int status;
    waitpid(pid, &status, 0);
    printf("handlers %d\n", WEXITSTATUS(status));
    sigaction(SIGUSR1, 0, &seen);
    printf("own handler stays %d\n", seen.sa_handler == on_signal);
    // As posix_spawn does: the parent waits until the child is gone.
    a = plain, a.flags = CLONE_VM | CLONE_VFORK;
    a.stack = (uint64_t)stack, a.stack_size = sizeof stack;
    pid = on_stack(&a);
    printf("memory %d\n", shared);
    waitpid(pid, &status, 0);
    printf("status %d\n", WEXITSTATUS(status));
    a.flags = CLONE_VM;
    pid = on_stack(&a);
    waitpid(pid, &status, 0);
    printf("memory %d\n", shared);
    return 0;
}
