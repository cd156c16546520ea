// What /proc/self/fdinfo says of descriptors that are no files, and waiting for the list of mounts.
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../show.h"

// The lines of which the beginning is this, up to a column if there is one.
static void tell(int fd, const char *wanted, const char *until) {
    char path[64], line[256];
    sprintf(path, "/proc/self/fdinfo/%d", fd);
    FILE *file = fopen(path, "r");
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, wanted, strlen(wanted))) continue;
        char *end = until ? strstr(line, until) : 0;
        if (end) strcpy(end, "\n");
        fputs(line, stdout);
    }
    fclose(file);
}

int main(void) {
    int counter = eventfd(300, EFD_SEMAPHORE);
    tell(counter, "eventfd-count", 0);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGRTMIN);
    tell(signalfd(-1, &set, 0), "sigmask", 0);
    int watcher = inotify_init();
    inotify_add_watch(watcher, "/tmp", IN_CREATE | IN_DELETE);
    inotify_add_watch(watcher, "/", IN_MODIFY);
    tell(watcher, "inotify wd:1", " ino:");
    tell(watcher, "inotify wd:2", " ino:");
    int poll = epoll_create1(0);
    struct epoll_event event = {EPOLLIN | EPOLLET, {.u64 = 0xabcdef}};
    epoll_ctl(poll, EPOLL_CTL_ADD, counter, &event);
    tell(poll, "tfd:", " pos:");
    pid_t child = fork();
    if (!child) _exit(0);
    int process = syscall(SYS_pidfd_open, child, 0);
    char path[64], line[64], expected[64];
    sprintf(path, "/proc/self/fdinfo/%d", process);
    sprintf(expected, "Pid:\t%d\n", child);
    FILE *file = fopen(path, "r");
    while (fgets(line, sizeof line, file)) {
        if (!strncmp(line, "Pid:", 4)) printf("its number is %s\n", strcmp(line, expected) ? line : "told");
    }
    wait(0);
    tell(process, "Pid:", 0);
    int mounts = open("/proc/self/mounts", O_RDONLY), plain = open("/proc/self/status", O_RDONLY);
    event.events = EPOLLPRI;
    SHOW(epoll_ctl(poll, EPOLL_CTL_ADD, mounts, &event));
    SHOW(epoll_ctl(poll, EPOLL_CTL_ADD, plain, &event));
    printf("%d ready\n", epoll_wait(poll, &event, 1, 10) > 0);
    // vmsplice(2) waits for some room and not for all that it could use.
    int pipes[2];
    static char bytes[1 << 17] __attribute__((aligned(4096)));
    if (pipe(pipes)) return 1;
    struct iovec part = {bytes, sizeof bytes};
    printf("%ld bytes fit\n", (long)vmsplice(pipes[1], &part, 1, 0));
    return 0;
}
