// copy_file_range(2): offsets, ends, and what it refuses; and the watch of a directory for nothing.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int in, out;

static void copy(int from, off_t *at, int to, off_t *into, size_t len, unsigned flags) {
    ssize_t n = copy_file_range(from, at, to, into, len, flags);
    printf("%zd %s; at %ld %ld; own %ld %ld\n", n, n < 0 ? strerror(errno) : "", at ? (long)*at : -1,
           into ? (long)*into : -1, (long)lseek(in, 0, SEEK_CUR), (long)lseek(out, 0, SEEK_CUR));
}

int main(void) {
    setbuf(stdout, 0);
    in = open("in", O_RDWR | O_CREAT, 0600);
    out = open("out", O_RDWR | O_CREAT, 0600);
    int append = open("out", O_WRONLY | O_APPEND), reads = open("out", O_RDONLY), dir = open(".", O_RDONLY), ends[2];
    pipe(ends);
    write(in, "0123456789", 10);
    lseek(in, 0, SEEK_SET);
    copy(in, 0, out, 0, 4, 0);
    off_t a = 2, b = 20;
    copy(in, &a, out, &b, 100, 0);
    copy(in, &a, out, &b, 100, 0);
    copy(in, 0, out, &b, 3, 0);
    a = 0;
    copy(in, &a, out, 0, 0, 0);
    copy(in, &a, out, 0, 1, 1);
    copy(in, &a, append, 0, 1, 0);
    copy(in, &a, reads, 0, 1, 0);
    copy(dir, 0, out, 0, 1, 0);
    copy(in, 0, ends[1], 0, 1, 0);
    copy(99, 0, out, 0, 1, 0);
    a = -2;
    copy(in, &a, out, 0, 1, 0);
    a = -1;
    copy(in, &a, out, 0, 1, 0);
    a = 0, b = 5;
    copy(in, &a, in, &b, 5, 0);
    a = 0, b = 5;
    copy(in, &a, in, &b, 6, 0);
    copy(in, &a, in, 0, 2, 0);
    char bytes[64] = {0};
    ssize_t n = pread(out, bytes, sizeof bytes, 0);
    for (ssize_t i = 0; i < n; i++) putchar(bytes[i] ? bytes[i] : '.');
    n = pread(in, bytes, sizeof bytes, 0);
    printf("\n%.*s\n", (int)n, bytes);
    printf("%d %d %s\n", fcntl(dir, F_NOTIFY, DN_MULTISHOT), fcntl(in, F_NOTIFY, 0), strerror(errno));
    return 0;
}
