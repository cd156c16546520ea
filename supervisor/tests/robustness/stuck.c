// Programs that can never go on, by name.
#define _GNU_SOURCE
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int ends[2];

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";
    char byte;
    if (!strcmp(how, "pipe")) {
        // It holds the writing end itself.
        pipe(ends);
        return (int)read(ends[0], &byte, 1);
    }
    if (!strcmp(how, "futex")) {
        static int word;
        return (int)syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL);
    }
    if (!strcmp(how, "wait")) {
        pipe(ends);
        if (fork() == 0)
            return (int)read(ends[0], &byte, 1);
        return wait(NULL);
    }
    if (!strcmp(how, "socket")) {
        socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
        return (int)recv(ends[0], &byte, 1, 0);
    }
    return 99;
}
