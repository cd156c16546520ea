// Who writes to a program that runs, or runs one that is being written to (execve(2), ETXTBSY).
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void said(const char *what, long result) {
    printf("%s: %s\n", what, result < 0 ? strerrorname_np(errno) : "works");
    fflush(stdout);
}

static int run(const char *program) {
    int told[2];
    if (pipe2(told, O_CLOEXEC)) return -1;
    pid_t child = fork();
    if (child == 0) {
        execl(program, program, "10", NULL);
        int error = errno;
        if (write(told[1], &error, sizeof error) < 0) _exit(2);
        _exit(1);
    }
    close(told[1]);
    int error = 0;
    if (read(told[0], &error, sizeof error) > 0) {
        waitpid(child, NULL, 0);
        errno = error;
        child = -1;
    }
    close(told[0]);
    return child;
}

static void copy(const char *from, const char *to) {
    char command[200];
    snprintf(command, sizeof command, "cp %s %s", from, to);
    if (system(command)) exit(1);
}

int main(void) {
    char folder[] = "/tmp/busy-XXXXXX";
    if (!mkdtemp(folder) || chdir(folder)) return 1;
    copy("/bin/sleep", "program");
    int writing = open("program", O_WRONLY);
    said("run it while it is open for writing", run("./program"));
    close(writing);
    int child = run("./program");
    said("run it", child);
    said("open it for reading", open("program", O_RDONLY));
    said("open it for writing", open("program", O_WRONLY));
    said("open it and cut it", open("program", O_RDONLY | O_TRUNC));
    said("cut it", truncate("program", 0));
    said("change its mode", chmod("program", 0700));
    said("remove it", unlink("program"));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);

    copy("/bin/sleep", "program");
    child = run("./program");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    said("open it for writing when it has ended", open("program", O_WRONLY));

    FILE *script = fopen("script", "w");
    fputs("#!/bin/sh\nexit 0\n", script);
    fclose(script);
    chmod("script", 0755);
    writing = open("script", O_WRONLY);
    said("run a script while it is open for writing", run("./script"));
    close(writing);
    child = run("./script");
    said("run a script", child);
    waitpid(child, NULL, 0);
    return 0;
}
