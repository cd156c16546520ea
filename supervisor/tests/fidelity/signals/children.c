// What parents hear of children, groups, stop and continue, default actions, what fork and exec keep.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t heard;
static siginfo_t last;
static void child_changed(int signal, siginfo_t *info, void *context) {
    last = *info;
    heard++;
}

static void hear(int flags) {
    struct sigaction action = {.sa_sigaction = child_changed, .sa_flags = SA_SIGINFO | SA_RESTART | flags};
    sigaction(SIGCHLD, &action, 0);
    heard = 0;
}

static void wait_until(int count) {
    while (heard < count) usleep(1000);
}

static void show(pid_t child) {
    int known = last.si_pid == child && last.si_uid == getuid();
    printf("heard: code %d status %d from child %d\n", last.si_code, last.si_status, known);
}

static void ends(void) {
    hear(0);
    pid_t child = fork();
    if (!child) _exit(7);
    int status;
    waitpid(child, &status, 0);
    printf("exit %d\n", WEXITSTATUS(status));
    show(child);
    int signals[] = {SIGTERM, SIGKILL, SIGSEGV, SIGRTMIN + 3, SIGABRT};
    for (int i = 0; i < 5; i++) {
        hear(0);
        child = fork();
        if (!child) {
            if (signals[i] == SIGABRT) abort();
            for (;;) pause();
        }
        usleep(1000);
        if (signals[i] != SIGABRT) kill(child, signals[i]);
        waitpid(child, &status, 0);
        printf("killed %d by %d core %d\n", WIFSIGNALED(status), WTERMSIG(status), WCOREDUMP(status));
        show(child);
    }
}

static void no_zombies(void) {
    for (int i = 0; i < 2; i++) {
        if (i) hear(SA_NOCLDWAIT);
        else signal(SIGCHLD, SIG_IGN);
        pid_t child = fork();
        if (!child) _exit(1);
        int status;
        pid_t result = waitpid(child, &status, 0);
        printf("no zombie: %d %s\n", result, strerror(errno));
    }
    printf("heard %d\n", heard);
    signal(SIGCHLD, SIG_DFL);
}

static void stops(void) {
    hear(0);
    int pipes[2];
    char byte = 0;
    if (pipe(pipes)) return;
    pid_t child = fork();
    if (!child) {
        int got = read(pipes[0], &byte, 1);
        usleep(20000);
        printf("child read %d %c\n", got, byte);
        _exit(3);
    }
    usleep(1000);
    kill(child, SIGSTOP);
    wait_until(1);
    show(child);
    if (write(pipes[1], "z", 1) != 1) return;
    usleep(10000);
    printf("still stopped\n");
    kill(child, SIGCONT);
    wait_until(2);
    int status;
    waitpid(child, &status, 0);
    wait_until(3);
    show(child);
    printf("exit %d\n", WEXITSTATUS(status));

    hear(SA_NOCLDSTOP);
    child = fork();
    if (!child) for (;;) pause();
    kill(child, SIGSTOP);
    waitpid(child, &status, WUNTRACED);
    kill(child, SIGCONT);
    waitpid(child, &status, WCONTINUED);
    kill(child, SIGSTOP);
    waitpid(child, &status, WUNTRACED);
    kill(child, SIGTERM);
    usleep(1000);
    printf("heard nothing of stops: %d\n", heard);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    printf("killed while stopped by %d\n", WTERMSIG(status));
    show(child);
}

static void inherited(const char *self) {
    sigset_t block;
    sigemptyset(&block);
    sigaddset(&block, SIGUSR2);
    sigprocmask(SIG_BLOCK, &block, 0);
    raise(SIGUSR2);
    signal(SIGUSR1, SIG_IGN);
    hear(0);
    fflush(stdout);
    pid_t child = fork();
    if (!child) {
        sigset_t pending;
        sigpending(&pending);
        printf("fork: usr2 pending %d\n", sigismember(&pending, SIGUSR2));
        raise(SIGUSR2);
        fflush(stdout);
        execl(self, self, "after", (char *)0);
    }
    int status;
    waitpid(child, &status, 0);
    printf("after exec %d\n", WEXITSTATUS(status));
}

static int after(void) {
    struct sigaction one, two;
    sigset_t pending, mask;
    sigaction(SIGUSR1, 0, &one);
    sigaction(SIGCHLD, 0, &two);
    sigpending(&pending);
    sigprocmask(SIG_BLOCK, 0, &mask);
    printf("exec: ignored %d default %d pending %d blocked %d\n", one.sa_handler == SIG_IGN, two.sa_handler == SIG_DFL,
           sigismember(&pending, SIGUSR2), sigismember(&mask, SIGUSR2));
    fflush(stdout);
    return 9;
}

static void errors(void) {
    int results[] = {kill(getpid(), 0), kill(999999, 0), kill(getpid(), 65), kill(-999999, SIGTERM)};
    for (int i = 0; i < 4; i++) printf("kill: %d\n", results[i]);
    printf("%s\n", strerror(errno));
}

int main(int count, char **arguments) {
    setvbuf(stdout, 0, _IOLBF, 0);
    if (count > 1) return after();
    ends();
    no_zombies();
    stops();
    inherited(arguments[0]);
    errors();
    return 0;
}
