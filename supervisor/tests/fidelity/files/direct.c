// Direct I/O goes by whole blocks of the disk: their number is no matter, but neither length nor offset may be odd.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../show.h"

enum { BLOCK = 4096 };

#define TELL(call) \
    do { \
        errno = 0; \
        long result = (call); \
        printf("%s: %ld %s\n", #call, result, result < 0 ? strerror(errno) : ""); \
    } while (0)

int main(void) {
    char name[] = "/tmp/direct.XXXXXX", *bytes;
    int file = mkstemp(name);
    if (posix_memalign((void **)&bytes, BLOCK, 4 * BLOCK)) return 1;
    memset(bytes, 'a', 4 * BLOCK);
    TELL(pwrite(file, bytes, 3 * BLOCK + 100, 0));
    SHOW(fcntl(file, F_SETFL, O_DIRECT));
    static const struct {
        long len, at;
    } cases[] = {{BLOCK, 0}, {BLOCK, 2 * BLOCK}, {2 * BLOCK, BLOCK}, {1, 0},     {100, 0},         {BLOCK - 1, 0},
                 {BLOCK, 1}, {BLOCK, 100},       {0, 1},             {0, BLOCK}, {BLOCK, 3 * BLOCK}, {BLOCK, 4 * BLOCK},
                 {1, 4 * BLOCK}, {BLOCK, 4 * BLOCK + 1}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        long len = cases[i].len, at = cases[i].at;
        printf("%ld at %ld\n", len, at);
        TELL(pread(file, bytes, len, at));
    }
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        long len = cases[i].len, at = cases[i].at;
        printf("%ld at %ld\n", len, at);
        TELL(pwrite(file, bytes, len, at));
    }
    TELL(lseek(file, BLOCK, SEEK_SET));
    TELL(read(file, bytes, BLOCK));
    TELL(read(file, bytes, 10));
    TELL(write(file, bytes, 10));
    TELL(lseek(file, 0, SEEK_CUR));
    TELL(lseek(file, 1, SEEK_CUR));
    TELL(read(file, bytes, BLOCK));
    TELL(write(file, bytes, BLOCK));
    struct iovec parts[] = {{bytes, BLOCK}, {bytes + BLOCK, BLOCK}};
    TELL(preadv(file, parts, 2, 0));
    TELL(pwritev(file, parts, 2, 0));
    parts[1].iov_len = 10;
    TELL(preadv(file, parts, 2, 0));
    TELL(pwritev(file, parts, 2, 0));
    if (ftruncate(file, BLOCK + 10)) return 1;
    SHOW(fcntl(file, F_SETFL, O_DIRECT | O_APPEND));
    TELL(pwrite(file, bytes, BLOCK, 0));
    if (ftruncate(file, BLOCK)) return 1;
    TELL(write(file, bytes, BLOCK));
    SHOW(fcntl(file, F_SETFL, 0));
    TELL(pwrite(file, bytes, 10, 1));
    unlink(name);
    return 0;
}
