// A program behind a symbolic link, called by a relative path: its name, and the file it is.
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int show(void) {
    char path[4096], name[64] = {0};
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    path[n > 0 ? n : 0] = 0;
    FILE *comm = fopen("/proc/self/comm", "r");
    fgets(name, sizeof name, comm);
    printf("%d %s %s", path[0] == '/', strrchr(path, '/') + 1, name);
    return 0;
}

int main(int argc, char **argv) {
    char path[4096];
    setbuf(stdout, 0);
    if (argc > 1) return show();
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    path[n > 0 ? n : 0] = 0;
    printf("absolute: %d\n", path[0] == '/');
    symlink(path, "target");
    symlink("target", "link");
    FILE *script = fopen("script", "w");
    fputs("#!./link shown\n", script);
    fchmod(fileno(script), 0700);
    fclose(script);
    const char *const calls[] = {"./link", "link", "./script"};
    for (int i = 0; i < 3; i++) {
        if (fork() == 0) {
            execl(calls[i], "given", "shown", (char *)0);
            _exit(1);
        }
        wait(0);
    }
    return 0;
}
