// Process groups and sessions, with the rules for joining them.
#include <sys/wait.h>
#include <unistd.h>

#include "../show.h"

static int in_child(void (*body)(void)) {
    int status;
    if (fork() == 0) {
        body();
        _exit(0);
    }
    wait(&status);
    return status;
}

static void leads_session(void) {
    printf("setsid gives own number: %d\n", setsid() == getpid());
    printf("leader: %d %d\n", getpgrp() == getpid(), getsid(0) == getpid());
    SHOW(setsid());
    SHOW(setpgid(0, 0));
    pid_t child = fork();
    if (child == 0) {
        usleep(10000);
        printf("same session, same group: %d %d\n", getsid(0) == getppid(), getpgrp() == getppid());
        SHOW(setpgid(0, 0));
        SHOW(setsid());
        SHOW(setpgid(0, getppid()));
        SHOW(setpgid(getppid(), 0));
        _exit(0);
    }
    wait(0);
}

static void leads_group(void) {
    SHOW(setpgid(0, 0));
    printf("leader: %d\n", getpgid(0) == getpid());
    SHOW(setsid());
    SHOW(setpgid(0, 12345));
    SHOW(setpgid(0, -1));
    SHOW(setpgid(99999, 0));
    SHOW(getpgid(99999));
    SHOW(getsid(99999));
}

int main(void) {
    setbuf(stdout, 0);
    in_child(leads_session);
    in_child(leads_group);
    pid_t child = fork();
    if (child == 0) {
        usleep(100000);
        execl("/bin/sleep", "sleep", "1", (char *)0);
    }
    SHOW(setpgid(child, child));
    printf("moved: %d\n", getpgid(child) == child);
    usleep(300000);
    SHOW(setpgid(child, 0));
    wait(0);
    return 0;
}
