// Ways to name a process to a call: an open /proc/PID sends signals as a pidfd does; numbers there cannot be.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHOW(call) show(#call, (call))

static void show(const char *call, long result) {
    printf("%s: %s\n", call, result < 0 ? strerror(errno) : "done");
}

static void on_signal(int number) { printf("got signal %d\n", number); }

static long send_to(int fd, int number) { return syscall(SYS_pidfd_send_signal, fd, number, 0, 0); }

int main(void) {
    setbuf(stdout, 0);
    signal(SIGINT, on_signal);
    char path[32];
    snprintf(path, sizeof path, "/proc/%d", getpid());
    int own = open(path, O_DIRECTORY);
    SHOW(send_to(own, SIGINT));
    int proc = open("/proc", O_DIRECTORY), other = open("/", O_DIRECTORY);
    SHOW(send_to(proc, SIGINT));
    SHOW(send_to(other, SIGINT));
    SHOW(send_to(99, SIGINT));
    pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    snprintf(path, sizeof path, "/proc/%d", child);
    int of_child = open(path, O_DIRECTORY);
    SHOW(send_to(of_child, SIGTERM));
    int status;
    waitpid(child, &status, 0);
    printf("ended by %d\n", WTERMSIG(status));
    SHOW(send_to(of_child, SIGTERM));

    cpu_set_t set;
    struct sched_param none;
    SHOW(sched_getaffinity(0, sizeof set, &set));
    SHOW(sched_setaffinity(-1, sizeof set, &set));
    SHOW(sched_getaffinity(-1, sizeof set, &set));
    SHOW(sched_getscheduler(-1));
    SHOW(sched_getparam(-1, &none));
    SHOW(sched_getparam(99999, &none));
    return 0;
}
