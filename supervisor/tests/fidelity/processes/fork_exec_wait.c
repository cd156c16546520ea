// fork, vfork and exec; statuses are collected in the order the children end.
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    setbuf(stdout, 0);
    for (int i = 0; i < 4; i++) {
        if (fork() == 0) {
            usleep(50000 * (4 - i));
            _exit(i);
        }
    }
    int status;
    while (wait(&status) > 0) printf("status %d\n", WEXITSTATUS(status));
    if (vfork() == 0) {
        execl("/bin/echo", "echo", "from exec", (char *)0);
        _exit(9);
    }
    wait(&status);
    printf("exec %d\n", status);
    return 0;
}
