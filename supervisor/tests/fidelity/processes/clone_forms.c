// clone(2) in its forms: shared memory with and without waiting, descriptors and directory shared or not, process
// descriptors, what does not go together.
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../show.h"

static volatile int seen;
static char stack[65536];

static int body(void *argument) {
    usleep(10000);
    seen = (int)(long)argument;
    close(7);
    if (chdir("/usr")) return 1;
    return 3;
}

static void form(const char *name, int flags) {
    int status;
    char directory[4096];
    seen = 0;
    dup2(1, 7);
    if (chdir("/")) return;
    int pid = clone(body, stack + sizeof stack, flags, (void *)5L);
    int at_once = seen;
    printf("%s: waited %d", name, waitpid(pid, &status, __WALL) == pid);
    printf(", status %x, seen %d then %d, descriptor %d, directory %s\n", status, at_once, seen, fcntl(7, F_GETFD) >= 0,
           getcwd(directory, sizeof directory));
}

static long raw(unsigned long flags) {
    return syscall(SYS_clone, flags, 0, 0, 0, 0);
}

extern char **environ;

int main(void) {
    setbuf(stdout, 0);
    form("plain", SIGCHLD);
    form("memory", CLONE_VM | SIGCHLD);
    form("memory, waiting", CLONE_VM | CLONE_VFORK | SIGCHLD);
    form("waiting", CLONE_VFORK | SIGCHLD);
    form("descriptors", CLONE_FILES | SIGCHLD);
    form("directory", CLONE_FS | SIGCHLD);
    form("no signal", 0);
    form("all", CLONE_VM | CLONE_FILES | CLONE_FS | CLONE_SIGHAND | SIGCHLD);

    SHOW(raw(CLONE_THREAD));
    SHOW(raw(CLONE_SIGHAND));
    SHOW(raw(CLONE_THREAD | CLONE_SIGHAND));
    SHOW(raw(CLONE_NEWNS | CLONE_FS));
    SHOW(raw(CLONE_PIDFD | CLONE_PARENT_SETTID));

    int fd = -1, status;
    int pid = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &fd, 0, 0);
    if (pid == 0) {
        usleep(20000);
        _exit(fcntl(fd, F_GETFD) >= 0);
    }
    struct pollfd wanted = {fd, POLLIN, 0};
    printf("before %d", poll(&wanted, 1, 0));
    printf(", after %d %d\n", poll(&wanted, 1, 1000), wanted.revents);
    SHOW(syscall(SYS_pidfd_send_signal, fd, 0, 0, 0));
    waitpid(pid, &status, 0);
    SHOW(syscall(SYS_pidfd_send_signal, fd, 0, 0, 0));
    SHOW(read(fd, &status, 1));
    printf("inherited %d, close on exec %d\n", WEXITSTATUS(status), fcntl(fd, F_GETFD));

    pid = fork();
    if (pid == 0) pause();
    fd = syscall(SYS_pidfd_open, pid, 0);
    SHOW(syscall(SYS_pidfd_open, 99999, 0));
    SHOW(syscall(SYS_pidfd_open, pid, 5));
    SHOW(syscall(SYS_pidfd_send_signal, fd, SIGTERM, 0, 0));
    waitpid(pid, &status, 0);
    printf("ended by %d\n", WTERMSIG(status));

    char *arguments[] = {"sh", "-c", "exit 4", 0}, *missing[] = {"none", 0};
    printf("spawn %d", posix_spawnp(&pid, "sh", 0, 0, arguments, environ));
    waitpid(pid, &status, 0);
    printf(", status %d\n", WEXITSTATUS(status));
    printf("spawn %s\n", strerror(posix_spawn(&pid, "/none", 0, 0, missing, environ)));
    SHOW(wait(0));

    SHOW(unshare(CLONE_FILES | CLONE_FS));
    SHOW(unshare(CLONE_PIDFD));

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (fork() == 0) {
        if (fork() == 0) {
            usleep(20000);
            _exit(9);
        }
        _exit(0);
    }
    wait(0);
    wait(&status);
    printf("adopted %d\n", WEXITSTATUS(status));
    return 0;
}
