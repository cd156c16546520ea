// Whether processes share things, by kcmp.
#include "../show.h"
#include <fcntl.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int kcmp(pid_t one, pid_t other, int kind, unsigned long first, unsigned long second) {
    return syscall(SYS_kcmp, one, other, kind, first, second);
}

// Which of two different things comes first is Linux's own affair, but not that one of them does.
static void compare(const char *name, pid_t one, pid_t other, int kind, unsigned long first, unsigned long second) {
    errno = 0;
    int there = kcmp(one, other, kind, first, second), back = 0;
    if (kind != KCMP_EPOLL_TFD)
        back = kcmp(other, one, kind, second, first);
    const char *what = there < 0                     ? strerror(errno)
                       : there == 0 && back == 0     ? "the same"
                       : kind == KCMP_EPOLL_TFD      ? "another"
                       : there + back == 3           ? "in order"
                                                     : "without order";
    printf("%s: %s\n", name, what);
}

static const struct {
    const char *name;
    int kind;
} KINDS[] = {{"memory", KCMP_VM}, {"descriptors", KCMP_FILES}, {"place", KCMP_FS}, {"handlers", KCMP_SIGHAND},
             {"undo list", KCMP_SYSVSEM}};

static void all(const char *what, pid_t one, pid_t other) {
    printf("%s\n", what);
    for (unsigned i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        compare(KINDS[i].name, one, other, KINDS[i].kind, 0, 0);
}

static int ends[2];

static int wait_for_end(void *arg) {
    char byte;
    (void)arg;
    read(ends[0], &byte, 1);
    _exit(0);
}

static void with_child(const char *what, int flags) {
    static char stack[65536] __attribute__((aligned(16)));
    pipe(ends);
    pid_t own = getpid(), child = clone(wait_for_end, stack + sizeof stack, flags | SIGCHLD, NULL);
    all(what, own, child);
    compare("a descriptor", own, child, KCMP_FILE, ends[0], ends[0]);
    compare("two descriptors", own, child, KCMP_FILE, ends[0], ends[1]);
    write(ends[1], "x", 1);
    siginfo_t info;
    waitid(P_PID, child, &info, WEXITED | WNOWAIT);
    compare("a dead one's descriptor", own, child, KCMP_FILE, 0, 0);
    waitpid(child, NULL, 0);
    close(ends[0]);
    close(ends[1]);
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    pid_t own = getpid();
    int one = open("/dev/null", O_RDONLY), two = open("/dev/null", O_RDONLY), again = dup(one);
    all("itself", own, own);
    compare("a duplicate", own, own, KCMP_FILE, one, again);
    compare("opened twice", own, own, KCMP_FILE, one, two);
    compare("closed", own, own, KCMP_FILE, one, 99);
    compare("negative", own, own, KCMP_FILE, -1, one);
    compare("no process", own, 4000000, KCMP_VM, 0, 0);
    compare("zero", 0, own, KCMP_VM, 0, 0);
    compare("negative process", -1, own, KCMP_VM, 0, 0);
    compare("no kind", own, own, 99, 0, 0);

    int pair[2], epoll = epoll_create1(0);
    pipe(pair);
    struct epoll_event wanted = {.events = EPOLLIN};
    epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &wanted);
    int copy = dup(pair[0]);
    struct kcmp_epoll_slot slot = {epoll, pair[0], 0};
    compare("followed", own, own, KCMP_EPOLL_TFD, copy, (uintptr_t)&slot);
    compare("not followed", own, own, KCMP_EPOLL_TFD, pair[1], (uintptr_t)&slot);
    compare("bad slot", own, own, KCMP_EPOLL_TFD, copy, 8);
    slot.toff = 1;
    compare("none but one", own, own, KCMP_EPOLL_TFD, copy, (uintptr_t)&slot);
    slot = (struct kcmp_epoll_slot){epoll, pair[1], 0};
    compare("never added", own, own, KCMP_EPOLL_TFD, copy, (uintptr_t)&slot);
    slot = (struct kcmp_epoll_slot){pair[0], pair[0], 0};
    compare("no instance", own, own, KCMP_EPOLL_TFD, copy, (uintptr_t)&slot);
    slot = (struct kcmp_epoll_slot){99, pair[0], 0};
    compare("closed instance", own, own, KCMP_EPOLL_TFD, copy, (uintptr_t)&slot);

    with_child("a child", 0);
    with_child("a child that shares files and place", CLONE_FILES | CLONE_FS);
    with_child("a child that shares memory and handlers", CLONE_VM | CLONE_SIGHAND);
    with_child("a child that shares undo lists", CLONE_SYSVSEM);
    return 0;
}
