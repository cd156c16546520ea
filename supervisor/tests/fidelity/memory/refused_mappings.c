// What mmap(2), mprotect(2) and madvise(2) refuse, and which of two reasons they tell.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../show.h"

enum { PAGE = 4096, UNKNOWN = 1 << 10 };

static void *mapped;

static int map(size_t len, int prot, int flags, int fd) {
    mapped = mmap(0, len, prot, flags, fd, 0);
    return mapped == MAP_FAILED ? -1 : 0;
}

int main(void) {
    char name[] = "/tmp/refused_mappings.XXXXXX";
    int file = mkstemp(name);
    if (ftruncate(file, PAGE)) return 1;
    int reader = open(name, O_RDONLY), writer = open(name, O_WRONLY), folder = open("/tmp", O_RDONLY);
    int zero = open("/dev/zero", O_RDONLY);
    unlink(name);
    const int both = PROT_READ | PROT_WRITE, anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
    SHOW(map(0, PROT_READ, MAP_SHARED, -1));
    SHOW(map(0, PROT_READ, MAP_SHARED, file));
    SHOW(map(PAGE, PROT_READ, 0, file));
    SHOW(map(PAGE, PROT_READ, MAP_TYPE, file));
    SHOW(map(PAGE, PROT_READ, MAP_ANONYMOUS, -1));
    SHOW(map(PAGE, PROT_READ, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1));
    SHOW(map(PAGE, PROT_READ, MAP_SHARED_VALIDATE, file));
    SHOW(map(PAGE, PROT_READ, MAP_SHARED_VALIDATE | MAP_POPULATE, file));
    SHOW(map(PAGE, PROT_READ, MAP_SHARED_VALIDATE | UNKNOWN, file));
    SHOW(map(PAGE, PROT_READ, MAP_SHARED | UNKNOWN, file));
    SHOW(map(PAGE, PROT_READ, MAP_PRIVATE | MAP_GROWSDOWN, file));
    SHOW(map(PAGE, PROT_READ, MAP_PRIVATE, writer));
    SHOW(map(PAGE, both, MAP_SHARED, reader));
    SHOW(map(PAGE, both, MAP_PRIVATE, reader));
    SHOW(map(PAGE, PROT_READ, MAP_PRIVATE, folder));
    SHOW(map(PAGE, PROT_READ, MAP_SHARED, reader));
    SHOW(mprotect(mapped, PAGE, both));
    SHOW(map(PAGE, both, MAP_SHARED, zero));
    SHOW(map(PAGE, PROT_READ, MAP_SHARED, zero));
    SHOW(mprotect(mapped, PAGE, both));
    SHOW(map(PAGE, PROT_READ, MAP_PRIVATE, zero));
    SHOW(mprotect(mapped, PAGE, both));
    int sealed = memfd_create("sealed", MFD_ALLOW_SEALING);
    if (ftruncate(sealed, PAGE) || fcntl(sealed, F_ADD_SEALS, F_SEAL_FUTURE_WRITE)) return 1;
    SHOW(map(PAGE, both, MAP_SHARED, sealed));
    SHOW(map(PAGE, PROT_READ, MAP_SHARED, sealed));
    SHOW(mprotect(mapped, PAGE, both));
    SHOW(fallocate(sealed, 0, 0, 2 * PAGE));
    SHOW(fallocate(sealed, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE));
    SHOW(fcntl(sealed, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW));
    SHOW(fallocate(sealed, 0, 0, 3 * PAGE));
    SHOW(fallocate(sealed, FALLOC_FL_KEEP_SIZE, 0, 3 * PAGE));
    char again[64];
    sprintf(again, "/proc/self/fd/%d", sealed);
    SHOW(open(again, O_RDWR | O_TRUNC));
    SHOW(truncate(again, 5 * PAGE));
    SHOW(truncate(again, 2 * PAGE));
    int busy = memfd_create("busy", MFD_ALLOW_SEALING);
    if (ftruncate(busy, PAGE)) return 1;
    SHOW(map(PAGE, PROT_READ, MAP_SHARED, busy));
    SHOW(fcntl(busy, F_ADD_SEALS, F_SEAL_WRITE));
    SHOW(fcntl(busy, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
    munmap(mapped, PAGE);
    SHOW(map(PAGE, PROT_READ, MAP_PRIVATE, busy));
    SHOW(fcntl(busy, F_ADD_SEALS, F_SEAL_WRITE));
    SHOW(map(PAGE, PROT_READ, MAP_SHARED, file));
    SHOW(madvise(mapped, PAGE, MADV_WIPEONFORK));
    SHOW(madvise(mapped, PAGE, MADV_FREE));
    SHOW(map(PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1));
    SHOW(madvise(mapped, PAGE, MADV_WIPEONFORK));
    SHOW(map(PAGE, PROT_READ, anonymous, -1));
    SHOW(madvise(mapped, PAGE, MADV_WIPEONFORK));
    SHOW(memfd_create("unknown", 0x100));
    SHOW(memfd_create("unknown huge", MFD_HUGETLB | 0x100));
    return 0;
}
