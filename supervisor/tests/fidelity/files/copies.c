// Copying between files, and mappings of /dev/zero.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *what, long result) {
    printf("%s: %ld %s\n", what, result, result < 0 ? strerror(errno) : "");
}

static void show(int fd) {
    char text[64] = "";
    printf("  %zd bytes '", pread(fd, text, sizeof text - 1, 0));
    for (char *c = text; c < text + 20; c++) if (*c) putchar(*c);
    puts("'");
}

static void copies(void) {
    int from = open("from", O_CREAT | O_RDWR, 0600), to = open("to", O_CREAT | O_RDWR, 0600);
    write(from, "0123456789", 10);
    lseek(from, 2, SEEK_SET);
    say("copy", copy_file_range(from, NULL, to, NULL, 4, 0));
    printf("offsets %ld %ld\n", (long)lseek(from, 0, SEEK_CUR), (long)lseek(to, 0, SEEK_CUR));
    show(to);
    loff_t at = 1, into = 12;
    say("copy to the end", copy_file_range(from, &at, to, &into, 1000, 0));
    printf("offsets %ld %ld, %ld %ld\n", (long)at, (long)into, (long)lseek(from, 0, SEEK_CUR), (long)lseek(to, 0, SEEK_CUR));
    show(to);
    say("copy at the end", copy_file_range(from, &at, to, &into, 1000, 0));
    say("copy nothing", copy_file_range(from, NULL, to, NULL, 0, 0));
    say("flags", copy_file_range(from, NULL, to, NULL, 1, 1));
    at = 0, into = 3;
    say("overlap", copy_file_range(from, &at, from, &into, 5, 0));
    into = 5;
    say("beside", copy_file_range(from, &at, from, &into, 5, 0));
    show(from);
    at = 6, into = 0;
    say("up to the end", copy_file_range(from, &at, from, &into, 100, 0));
    at = 4;
    say("overlap up to the end", copy_file_range(from, &at, from, &into, 100, 0));
    show(from);
    int appends = open("to", O_WRONLY | O_APPEND), reads = open("to", O_RDONLY), folder = open(".", O_RDONLY);
    at = 0;
    say("append", copy_file_range(from, &at, appends, NULL, 5, 0));
    say("cannot write", copy_file_range(from, &at, reads, NULL, 5, 0));
    say("cannot read", copy_file_range(appends, NULL, from, &at, 5, 0));
    say("directory", copy_file_range(folder, NULL, to, NULL, 5, 0));
    say("none", copy_file_range(from, NULL, 99, NULL, 5, 0));
    int ends[2];
    pipe(ends);
    say("pipe", copy_file_range(from, NULL, ends[1], NULL, 5, 0));
    at = -1;
    say("before the start", copy_file_range(from, &at, to, NULL, 5, 0));
    char *big = malloc(300000);
    memset(big, 'b', 300000);
    pwrite(from, big, 300000, 0);
    at = into = 0;
    long done = 0;
    for (long n; (n = copy_file_range(from, &at, to, &into, 300000, 0)) > 0;) done += n;
    say("much", done);
    off_t start = 100;
    say("sendfile", sendfile(to, from, &start, 50));
    printf("offset %ld\n", (long)start);
    unlink("from"); unlink("to");
}

static void zero(void) {
    int fd = open("/dev/zero", O_RDWR), reads = open("/dev/zero", O_RDONLY);
    char *own = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, reads, 0);
    char *shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (own == MAP_FAILED || shared == MAP_FAILED) exit(1);
    own[5] = shared[5] = 1;
    if (!fork()) {
        own[5] = shared[5] = 2;
        _exit(0);
    }
    wait(NULL);
    printf("%d %d %d %d\n", own[5], shared[5], own[6], shared[6]);
    void *refused = mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, reads, 0);
    say("read only", refused == MAP_FAILED ? -1 : 0);
    int null = open("/dev/null", O_RDWR);
    refused = mmap(NULL, 4096, PROT_READ, MAP_SHARED, null, 0);
    say("null", refused == MAP_FAILED ? -1 : 0);
}

int main(void) {
    char folder[] = "/tmp/copies-XXXXXX";
    if (!mkdtemp(folder) || chdir(folder)) return 1;
    copies();
    zero();
    chdir("/");
    rmdir(folder);
    return 0;
}
