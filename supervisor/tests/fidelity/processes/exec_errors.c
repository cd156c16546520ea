// What execve refuses, and exec from another thread than the first.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void put(const char *name, const char *text, int mode) {
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (write(fd, text, strlen(text)) < 0) abort();
    fchmod(fd, mode);
    close(fd);
}

static void attempt(const char *name, char **arguments) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        char *none[] = {0};
        execve(name, arguments, none);
        printf("%s: %s\n", name, strerror(errno));
        fflush(stdout);
        _exit(0);
    }
    int status;
    waitpid(pid, &status, 0);
    if (status) printf("%s ran: %x\n", name, status);
}

static void *other_thread(void *argument) {
    execl("/bin/sh", "sh", "-c", argument, (char *)0);
    return 0;
}

int main(void) {
    char *plain[] = {"x", 0};
    put("empty", "", 0700);
    put("text", "exit 1\n", 0700);
    put("locked", "#!/bin/sh\nexit 5\n", 0600);
    put("script", "#!/bin/sh\nexit 5\n", 0700);
    put("lost", "#!/none/there\n", 0700);
    put("loop", "#!./loop\n", 0700);
    mkdir("folder", 0700);
    char *names[] = {"", "none", "none/x", "text/x", "empty", "text", "locked", "folder", "script", "lost", "loop", "/"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) attempt(names[i], plain);
    char *big = malloc(200000);
    memset(big, 'a', 199999);
    big[199999] = 0;
    char *one_big[] = {"x", big, 0};
    attempt("/bin/true", one_big);
    big[100000] = 0;
    char *many[64];
    for (int i = 0; i < 63; i++) many[i] = big;
    many[63] = 0;
    attempt("/bin/true", many);

    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        char text[100];
        pthread_t thread;
        sprintf(text, "test $$ = %d && exit 6", getpid());
        pthread_create(&thread, 0, other_thread, text);
        sleep(100);
    }
    int status;
    waitpid(pid, &status, 0);
    printf("from a thread %d\n", WEXITSTATUS(status));

    int fd = open("/bin/sh", O_RDONLY);
    if (fork() == 0) {
        char *arguments[] = {"sh", "-c", "exit 8", 0};
        syscall(SYS_execveat, fd, "", arguments, environ, AT_EMPTY_PATH);
        _exit(0);
    }
    wait(&status);
    printf("by descriptor %d\n", WEXITSTATUS(status));
    printf("%ld", syscall(SYS_execveat, fd, "", plain, environ, 0));
    printf(" %s\n", strerror(errno));
    return 0;
}
