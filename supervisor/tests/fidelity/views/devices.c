// Character devices: what reads and writes give, and what stat says of them.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static void stats(const char *path) {
    struct stat st;
    if (stat(path, &st)) {
        printf("%s: %s\n", path, strerror(errno));
        return;
    }
    printf("%s: %o %u:%u\n", path, st.st_mode & S_IFMT, major(st.st_rdev), minor(st.st_rdev));
}

int main(void) {
    char a[64], b[64], zero[64] = {0};
    stats("/dev/null");
    stats("/dev/zero");
    stats("/dev/full");
    stats("/dev/urandom");
    stats("/dev/none");
    int null = open("/dev/null", O_RDWR), zeros = open("/dev/zero", O_RDWR), full = open("/dev/full", O_RDWR);
    int random = open("/dev/urandom", O_RDONLY);
    memset(a, 1, sizeof a);
    printf("null %zd %zd %ld\n", read(null, a, 9), write(null, a, 9), (long)lseek(null, 5, SEEK_SET));
    printf("zero %zd %d %zd\n", read(zeros, a, 64), memcmp(a, zero, 64), write(zeros, a, 9));
    printf("full %zd %zd", read(full, a, 9), write(full, a, 9));
    printf(" %s\n", strerror(errno));
    printf("random %zd %zd %d\n", read(random, a, 64), read(random, b, 64), !memcmp(a, b, 64));
    printf("write to random opened for reading %zd %s\n", write(random, a, 1), strerror(errno));
    printf("ioctl %d %s\n", ioctl(null, FIONREAD, &(int){0}), strerror(errno));
    printf("isatty %d\n", isatty(null));
    printf("directory %d %s\n", open("/dev/null", O_RDONLY | O_DIRECTORY), strerror(errno));
    printf("exclusive %d %s\n", open("/dev/null", O_RDWR | O_CREAT | O_EXCL, 0600), strerror(errno));
    return 0;
}
