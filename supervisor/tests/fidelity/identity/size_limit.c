// RLIMIT_FSIZE: what is written stops there, and SIGXFSZ tells whoever would go on.
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../show.h"

static int file, told;

static void count(int signal) {
    (void)signal;
    told++;
}

#define STATE(call) \
    do { \
        struct stat state; \
        SHOW(call); \
        fstat(file, &state); \
        printf("  %ld bytes, at %ld, told %d times\n", (long)state.st_size, (long)lseek(file, 0, SEEK_CUR), told); \
    } while (0)

int main(void) {
    char name[] = "/tmp/size_limit.XXXXXX", bytes[100] = "";
    file = mkstemp(name);
    setbuf(stdout, 0);
    signal(SIGXFSZ, count);
    struct rlimit limit = {100, 1000};
    SHOW(setrlimit(RLIMIT_FSIZE, &limit));
    STATE(write(file, bytes, 60));
    STATE(write(file, bytes, 60));
    STATE(write(file, bytes, 60));
    STATE(write(file, bytes, 0));
    STATE(pwrite(file, bytes, 60, 90));
    STATE(pwrite(file, bytes, 60, 100));
    STATE(pwrite(file, bytes, 0, 200));
    lseek(file, 95, SEEK_SET);
    struct iovec parts[] = {{bytes, 3}, {bytes, 60}, {bytes, 60}};
    STATE(writev(file, parts, 3));
    STATE(lseek(file, 500, SEEK_SET));
    STATE(write(file, bytes, 1));
    STATE(ftruncate(file, 101));
    STATE(ftruncate(file, 50));
    STATE(truncate(name, 101));
    STATE(truncate(name, 100));
    STATE(fallocate(file, 0, 0, 101));
    STATE(fallocate(file, FALLOC_FL_KEEP_SIZE, 0, 101));
    fcntl(file, F_SETFL, O_APPEND);
    STATE(write(file, bytes, 1));
    fcntl(file, F_SETFL, 0);
    int source = open("/proc/self/exe", O_RDONLY);
    lseek(file, 40, SEEK_SET);
    STATE(sendfile(file, source, 0, 200));
    STATE(sendfile(file, source, 0, 200));
    loff_t from = 0, to = 90;
    STATE(copy_file_range(source, &from, file, &to, 200, 0));
    int pipes[2];
    if (pipe(pipes) || write(pipes[1], bytes, 20) != 20) return 1;
    to = 95;
    STATE(splice(pipes[0], 0, file, &to, 20, 0));
    STATE(splice(pipes[0], 0, file, &to, 20, 0));
    // A pipe is no file that grows.
    for (int i = 0; i < 4; i++) STATE(write(pipes[1], bytes, 90));
    limit.rlim_cur = 200;
    SHOW(setrlimit(RLIMIT_FSIZE, &limit));
    STATE(pwrite(file, bytes, 100, 150));
    if (fork() == 0) {
        signal(SIGXFSZ, SIG_DFL);
        pwrite(file, bytes, 1, 200);
        _exit(0);
    }
    int status;
    wait(&status);
    printf("a child was ended by signal %d\n", WTERMSIG(status));
    FILE *limits = fopen("/proc/self/limits", "r");
    char line[200];
    while (fgets(line, sizeof line, limits))
        if (strstr(line, "Limit") || strstr(line, "file size")) fputs(line, stdout);
    unlink(name);
    return 0;
}
