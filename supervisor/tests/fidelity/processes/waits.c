// wait4 and waitid in their forms: by process, group, pidfd; looking without collecting; errors.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHOW(call)                                   \
    do {                                             \
        errno = 0;                                   \
        long result_ = (call);                       \
        printf("%s: %s %s\n", #call, result_ < 0 ? "failed" : result_ ? "positive" : "zero", strerror(errno)); \
    } while (0)

static pid_t child(int status, int delay) {
    pid_t pid = fork();
    if (pid == 0) {
        usleep(delay);
        _exit(status);
    }
    return pid;
}

static void show(const char *what, siginfo_t *info, pid_t pid) {
    printf("%s: signal %d code %d status %d own %d\n", what, info->si_signo, info->si_code, info->si_status,
           info->si_pid == pid);
}

int main(void) {
    setbuf(stdout, 0);
    siginfo_t info;
    int status;
    struct rusage usage;
    SHOW(wait(&status));
    SHOW(waitpid(-1, &status, 0x1000));
    SHOW(syscall(SYS_wait4, -2147483648L, 0, 0, 0));
    SHOW(waitid(P_ALL, 0, &info, 0));
    SHOW(waitid(9, 0, &info, WEXITED));
    SHOW(waitid(P_PID, 0, &info, WEXITED));

    pid_t a = child(5, 20000);
    SHOW(waitpid(a, &status, WNOHANG));
    memset(&info, 0xff, sizeof info);
    SHOW(waitid(P_PID, a, &info, WEXITED | WNOHANG));
    printf("nothing yet: %d %d\n", info.si_signo, info.si_pid);
    SHOW(waitpid(a + 1000, &status, 0));
    SHOW(waitid(P_PID, a, &info, WEXITED | WNOWAIT));
    show("left", &info, a);
    SHOW(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT | WNOHANG));
    show("left", &info, a);
    SHOW(waitpid(a, 0, __WCLONE));
    printf("collected %d, exited %d with %d\n", wait4(a, &status, __WALL, &usage) == a, WIFEXITED(status),
           WEXITSTATUS(status));
    SHOW(waitpid(a, &status, 0));

    int fd = syscall(SYS_pidfd_open, (a = child(7, 10000)), 0);
    SHOW(waitid(P_PIDFD, fd, &info, WEXITED));
    show("pidfd", &info, a);
    SHOW(waitid(P_PIDFD, fd, &info, WEXITED));
    SHOW(waitid(P_PIDFD, 1, &info, WEXITED));
    SHOW(waitid(P_PIDFD, 99, &info, WEXITED));
    close(fd);

    pid_t b = child(1, 40000), c = child(2, 20000);
    setpgid(b, b);
    setpgid(c, b);
    SHOW(waitpid(0, 0, WNOHANG));
    printf("later child first: %d\n", waitpid(-b, &status, 0) == c);
    SHOW(waitid(P_PGID, b, &info, WEXITED));
    show("group", &info, b);
    SHOW(waitpid(-b, &status, 0));

    // Children of any thread belong to the process; both have ended, the older one is found first.
    b = child(1, 20000), c = child(2, 10000);
    usleep(100000);
    printf("older first: %d %d\n", wait(0) == b, wait(0) == c);
    return 0;
}
