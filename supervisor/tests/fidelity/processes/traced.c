// ptrace(2): what a tracer is told of a child and its threads, in which order, and what it can change.
#define _GNU_SOURCE 1
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../show.h"

static volatile long word = 41;

static void status(const char *what, int status) {
    printf("  %s: ", what);
    if (WIFEXITED(status)) printf("exited %d\n", WEXITSTATUS(status));
    else if (WIFSIGNALED(status)) printf("killed %d\n", WTERMSIG(status));
    else printf("stopped %d, event %d\n", WSTOPSIG(status), status >> 16);
}

static int next(pid_t pid, const char *what) {
    int how = 0;
    if (waitpid(pid, &how, __WALL) < 0) printf("  %s: %s\n", what, strerror(errno));
    else status(what, how);
    return how;
}

static void handler(int signal) { printf("  child: handler of %d\n", signal); }

static void *thread(void *nothing) {
    syscall(SYS_getppid);
    return nothing;
}

// Calls and signals of a child that asks to be traced.
static void asked(void) {
    pid_t child = fork();
    if (child == 0) {
        signal(SIGUSR1, handler);
        signal(SIGWINCH, SIG_IGN);
        SHOW(ptrace(PTRACE_TRACEME, 0, 0, 0));
        raise(SIGSTOP);
        syscall(SYS_getppid);
        printf("  child: %ld\n", syscall(SYS_getppid));
        raise(SIGUSR1);
        raise(SIGWINCH);
        raise(SIGTERM);
        printf("  child: lives, word is %ld\n", word);
        _exit(word == 43 ? 5 : 6);
    }
    next(child, "begin");
    SHOW(ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL));
    SHOW(ptrace(PTRACE_SETOPTIONS, child, 0, 1 << 10));
    struct user_regs_struct registers;
    for (int i = 0; i < 4; i++) {
        ptrace(PTRACE_SYSCALL, child, 0, 0);
        next(child, "call");
        ptrace(PTRACE_GETREGS, child, 0, &registers);
        struct __ptrace_syscall_info info = {0};
        long size = ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info);
        printf("  %lld, result %s, kind %d of %ld bytes\n", registers.orig_rax,
               (long long)registers.rax == -ENOSYS ? "none" : "there", info.op, size);
        if (i == 3) {
            registers.rax = 1234;
            SHOW(ptrace(PTRACE_SETREGS, child, 0, &registers));
        }
        if (i == 2) {
            // Another call instead.
            SHOW(ptrace(PTRACE_POKEUSER, child, offsetof(struct user_regs_struct, orig_rax), SYS_getpid));
        }
    }
    // Not shown: the child says something meanwhile.
    ptrace(PTRACE_CONT, child, 0, 0);
    siginfo_t signal;
    next(child, "signal");
    SHOW(ptrace(PTRACE_GETSIGINFO, child, 0, &signal));
    printf("  %d by %s\n", signal.si_signo, signal.si_pid == child ? "itself" : "somebody");
    ptrace(PTRACE_CONT, child, 0, SIGUSR1);
    next(child, "ignored");
    SHOW(ptrace(PTRACE_CONT, child, 0, SIGWINCH));
    next(child, "deadly");
    errno = 0;
    printf("  word %ld\n", ptrace(PTRACE_PEEKDATA, child, &word, 0));
    SHOW(ptrace(PTRACE_POKEDATA, child, &word, 43));
    SHOW(ptrace(PTRACE_PEEKDATA, child, 8, 0));
    long other = 0;
    struct iovec here = {&other, sizeof other}, there = {(void *)&word, sizeof word};
    SHOW(process_vm_readv(child, &here, 1, &there, 1, 0));
    printf("  word %ld\n", other);
    other = 44;
    SHOW(process_vm_writev(child, &here, 1, &there, 1, 0));
    there.iov_base = "constant";
    SHOW(process_vm_writev(child, &here, 1, &there, 1, 0));
    SHOW(ptrace(PTRACE_POKEDATA, child, &word, 43));
    ptrace(PTRACE_CONT, child, 0, 0);
    next(child, "end");
    SHOW(ptrace(PTRACE_CONT, child, 0, 0));
}

// One that is killed where it has stopped.
static void killed(void) {
    for (int calls = 1; calls < 5; calls++) {
        pid_t child = fork();
        if (child == 0) {
            ptrace(PTRACE_TRACEME, 0, 0, 0);
            raise(SIGSTOP);
            for (;;) syscall(SYS_getppid);
        }
        int how;
        waitpid(child, &how, 0);
        for (int i = 0; i < calls; i++) {
            ptrace(PTRACE_SYSCALL, child, 0, 0);
            waitpid(child, &how, 0);
        }
        if (calls % 2) SHOW(kill(child, SIGKILL));
        else SHOW(ptrace(PTRACE_CONT, child, 0, SIGKILL));
        next(child, "killed");
    }
}

// Steps of one instruction.
static void stepped(void) {
    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        _exit(0);
    }
    next(child, "begin");
    struct user_regs_struct registers;
    unsigned long last = 0;
    int moved = 0;
    for (int i = 0; i < 20; i++) {
        ptrace(PTRACE_SINGLESTEP, child, 0, 0);
        int how = 0;
        waitpid(child, &how, 0);
        ptrace(PTRACE_GETREGS, child, 0, &registers);
        moved += WIFSTOPPED(how) && WSTOPSIG(how) == SIGTRAP && registers.rip != last;
        last = registers.rip;
    }
    printf("  %d steps, trap flag %llx\n", moved, registers.eflags & 0x100);
    SHOW(ptrace(PTRACE_KILL, child, 0, 0));
    next(child, "end");
}

// What it makes, and what it executes.
static void followed(void) {
    int begin[2];
    if (pipe(begin)) return;
    pid_t child = fork();
    if (child == 0) {
        char byte;
        if (read(begin[0], &byte, 1) != 1) _exit(8);
        pthread_t id;
        pthread_create(&id, 0, thread, 0);
        pthread_join(id, 0);
        if (fork() == 0) _exit(3);
        int how;
        wait(&how);
        execl("/bin/true", "true", (char *)0);
        _exit(9);
    }
    int how, options = PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT;
    SHOW(ptrace(PTRACE_SEIZE, child, 0, options));
    SHOW(ptrace(PTRACE_SEIZE, child, 0, options));
    if (write(begin[1], "x", 1) != 1) return;
    // Each thread and process is shown apart, as they may come in any order.
    pid_t known[4] = {child};
    char told[4][400] = {""};
    int count = 1;
    for (;;) {
        pid_t pid = waitpid(-1, &how, __WALL);
        if (pid < 0) break;
        int which = 0;
        while (which < count && known[which] != pid) which++;
        if (which == count) known[count++] = pid;
        char line[64];
        if (WIFSTOPPED(how)) {
            int event = how >> 16, is_news = WSTOPSIG(how) != SIGTRAP;
            snprintf(line, sizeof line, " %d/%d", WSTOPSIG(how), event);
            unsigned long message = 0;
            ptrace(PTRACE_GETEVENTMSG, pid, 0, &message);
            if (event == PTRACE_EVENT_EXIT) snprintf(line, sizeof line, " exit(%lx)", message);
            ptrace(PTRACE_CONT, pid, 0, is_news && !event ? WSTOPSIG(how) : 0);
            // How often it is told to go on is not said.
            if (event == PTRACE_EVENT_STOP) continue;
        } else {
            snprintf(line, sizeof line, " end(%x)", how);
        }
        strcat(told[which], line);
    }
    for (int i = 0; i < count; i++) printf("  %s:%s\n", i == 0 ? "child" : "another", told[i]);
}

// One that waits in a call.
static void interrupted(void) {
    int pipes[2];
    if (pipe(pipes)) return;
    pid_t child = fork();
    if (child == 0) {
        char byte;
        close(pipes[1]);
        long got = read(pipes[0], &byte, 1);
        _exit((int)got + 10);
    }
    SHOW(ptrace(PTRACE_INTERRUPT, child, 0, 0));
    SHOW(ptrace(PTRACE_SEIZE, child, 0, PTRACE_O_TRACESYSGOOD));
    nanosleep(&(struct timespec){0, 20000000}, 0);
    SHOW(ptrace(PTRACE_GETEVENTMSG, child, 0, &pipes));
    SHOW(ptrace(PTRACE_INTERRUPT, child, 0, 0));
    next(child, "interrupted");
    struct user_regs_struct registers;
    struct iovec vector = {&registers, sizeof registers};
    SHOW(ptrace(PTRACE_GETREGSET, child, 1, &vector));
    printf("  call %lld, %zu bytes\n", registers.orig_rax, vector.iov_len);
    SHOW(ptrace(PTRACE_SYSCALL, child, 0, 0));
    next(child, "again");
    if (write(pipes[1], "x", 1) != 1) return;
    SHOW(ptrace(PTRACE_SYSCALL, child, 0, 0));
    next(child, "read");
    ptrace(PTRACE_GETREGS, child, 0, &registers);
    printf("  result %lld\n", registers.rax);
    SHOW(ptrace(PTRACE_DETACH, child, 0, 0));
    next(child, "end");
}

int main(void) {
    setbuf(stdout, 0);
    SHOW(ptrace(PTRACE_ATTACH, getpid(), 0, 0));
    SHOW(ptrace(PTRACE_CONT, getppid(), 0, 0));
    SHOW(ptrace(PTRACE_ATTACH, -1, 0, 0));
    asked();
    killed();
    stepped();
    followed();
    interrupted();
    return 0;
}
