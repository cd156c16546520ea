// Children that are made, stopped, continued, grouped, ended and waited for, drawn from a seed.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 40, STEPS = 120, LOWEST = 3, HIGHEST = 5, LENGTH_MAX = 64, CHILDREN = 5 };

#include "../drawn.h"

// What was in a place before it was another's is nobody's.
static pid_t children[CHILDREN];
static int fds[CHILDREN];

static int any(void) { return draw(CHILDREN); }

// The place of a process or group, for its number differs between worlds.
static int place(pid_t pid) {
    for (int i = 0; i < CHILDREN; i++) if (pid > 0 && children[i] == pid) return i;
    return pid == getpid() ? 50 : pid > 0 ? 51 : pid;
}

// Until none is on its way any more.
static void settle(void) {
    for (int i = 0; i < CHILDREN; i++)
        while (children[i] && strchr("RDW", state_of(children[i]))) usleep(100);
}

static void ended(int signal) { _exit(signal); }

static void make(void) {
    int to = any();
    if (children[to]) return;
    pid_t pid = fork();
    if (pid == 0) {
        sigset_t none;
        sigemptyset(&none);
        signal(SIGUSR1, ended);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        sigprocmask(SIG_SETMASK, &none, NULL);
        for (;;) pause();
    }
    children[to] = pid;
    fds[to] = syscall(SYS_pidfd_open, pid, 0);
    printf("fork as %d\n", to);
}

static void forget(pid_t pid) {
    int at = place(pid);
    if (at < 0 || at >= CHILDREN) return;
    close(fds[at]);
    children[at] = 0;
}

static void show_news(void) {
    struct timespec now = {0, 0};
    sigset_t set;
    siginfo_t info;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    while (sigtimedwait(&set, &info, &now) > 0)
        printf("  news of %d: code %d status %d\n", place(info.si_pid), info.si_code, info.si_status);
}

static void send(void) {
    static const int signals[] = {SIGSTOP, SIGSTOP, SIGCONT, SIGCONT, SIGTERM, SIGUSR1, SIGKILL, SIGTSTP, SIGTTIN, SIGURG, 0, 65};
    int to = any(), signal = signals[draw(12)];
    if (!children[to]) return;
    switch (draw(4)) {
    case 0:
        show("pidfd_send_signal", to, signal, syscall(SYS_pidfd_send_signal, fds[to], signal, NULL, 0));
        break;
    case 1:
        // Of several at once the news come in any order.
        if (getpgid(children[to]) == getpgrp() || getpgid(children[to]) != children[to]) return;
        show("kill group", to, signal, kill(-children[to], signal));
        settle();
        sigset_t none;
        sigpending(&none);
        if (sigismember(&none, SIGCHLD)) { siginfo_t info; sigemptyset(&none); sigaddset(&none, SIGCHLD); sigwaitinfo(&none, &info); }
        return;
    default:
        show("kill", to, signal, kill(children[to], signal));
    }
    settle();
    if (draw(2)) show_news();
}

static void group(void) {
    int one = any(), other = any();
    pid_t into = draw(3) ? children[other] : draw(2) ? 0 : getpgrp();
    if (!children[one]) return;
    show("setpgid", one, place(into), setpgid(children[one], into));
    show("getpgid", one, 0, place(getpgid(children[one])));
}

static void show_status(int status) {
    printf("  exited %d:%d signaled %d:%d stopped %d:%d continued %d\n", WIFEXITED(status), WIFEXITED(status) ? WEXITSTATUS(status) : 0,
           WIFSIGNALED(status), WIFSIGNALED(status) ? WTERMSIG(status) : 0, WIFSTOPPED(status), WIFSTOPPED(status) ? WSTOPSIG(status) : 0,
           WIFCONTINUED(status));
}

static void await(void) {
    static const int more[] = {0, WUNTRACED, WCONTINUED, WUNTRACED | WCONTINUED, __WALL, __WCLONE, __WNOTHREAD};
    int whom = any(), status = 0, options = WNOHANG | more[draw(7)];
    pid_t pid = children[whom];
    if (draw(2) == 0) pid = draw(3) ? -1 : draw(2) ? 0 : -pid;
    if (pid == 0 && draw(2)) return;
    pid_t got = draw(2) ? waitpid(pid, &status, options) : wait4(pid, &status, options, &(struct rusage){0});
    show("waitpid", pid > 0 ? place(pid) : pid < -1 ? 60 + place(-pid) : pid, options, got < 0 ? -1 : place(got));
    if (got <= 0) return;
    show_status(status);
    if (WIFEXITED(status) || WIFSIGNALED(status)) forget(got);
}

static void await_in_detail(void) {
    static const int events[] = {WEXITED, WSTOPPED, WCONTINUED, WEXITED | WSTOPPED, WEXITED | WSTOPPED | WCONTINUED, 0};
    static const int types[] = {P_PID, P_PID, P_ALL, P_PGID, P_PIDFD};
    int whom = any(), type = types[draw(5)], options = WNOHANG | events[draw(6)] | (draw(2) ? WNOWAIT : 0);
    if (!children[whom] && type != P_ALL) return;
    siginfo_t info;
    memset(&info, 0, sizeof info);
    int result = waitid(type, type == P_PIDFD ? fds[whom] : children[whom], &info, options);
    show("waitid", type * 100 + whom, options, result);
    if (result < 0 || !info.si_pid) return;
    printf("  %d code %d status %d\n", place(info.si_pid), info.si_code, info.si_status);
    if (!(options & WNOWAIT) && (info.si_code == CLD_EXITED || info.si_code == CLD_KILLED)) forget(info.si_pid);
}

static void look(void) {
    printf("states");
    for (int i = 0; i < CHILDREN; i++) printf(" %c", children[i] ? state_of(children[i]) : '-');
    printf("\n");
}

static void step(void) {
    switch (draw(12)) {
    case 0: case 1: make(); break;
    case 2: case 3: case 4: case 5: send(); break;
    case 6: group(); break;
    case 7: case 8: await(); break;
    case 9: await_in_detail(); break;
    case 10: look(); break;
    default: show_news();
    }
    settle();
    fflush(stdout);
}

static void begin(void) {
    sigset_t news;
    sigemptyset(&news);
    sigaddset(&news, SIGCHLD);
    for (int i = 0; i < CHILDREN; i++) {
        if (!children[i]) continue;
        kill(children[i], SIGKILL);
        waitpid(children[i], NULL, 0);
        forget(children[i]);
    }
    while (sigtimedwait(&news, NULL, &(struct timespec){0}) > 0) {}
}

int main(int argc, char **argv) {
    sigset_t news;
    // In a session of its own nobody's group has a parent outside of it.
    if (fork()) return wait(NULL) < 0;
    setsid();
    sigemptyset(&news);
    sigaddset(&news, SIGCHLD);
    sigprocmask(SIG_BLOCK, &news, NULL);
    rounds(argv, ROUNDS, STEPS, begin, step);
    begin();
    return 0;
}
