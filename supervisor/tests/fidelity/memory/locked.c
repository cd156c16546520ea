// Locked memory is counted, limited and inherited by nobody, and some things are refused of it (mlock(2)).
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../show.h"

enum { PAGE = 4096 };

// Pages of this process that are locked.
static long locked(void) {
    FILE *status = fopen("/proc/self/status", "r");
    char line[256];
    long kib = -1;
    while (fgets(line, sizeof line, status)) sscanf(line, "VmLck: %ld", &kib);
    fclose(status);
    return kib / (PAGE / 1024);
}

static char *map(int pages, int more) {
    return mmap(0, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | more, -1, 0);
}

#define COUNT(call) \
    do { \
        SHOW(call); \
        printf("  %ld pages are locked\n", locked()); \
    } while (0)

static void what_is_refused(char *memory) {
    static const int advice[] = {MADV_DONTNEED, MADV_FREE, MADV_REMOVE, MADV_COLD, MADV_PAGEOUT, MADV_WILLNEED};
    for (unsigned i = 0; i < sizeof advice / sizeof *advice; i++) {
        printf("advice %d: ", advice[i]);
        SHOW(madvise(memory, PAGE, advice[i]));
    }
    SHOW(msync(memory, PAGE, MS_SYNC | MS_INVALIDATE));
    SHOW(msync(memory, PAGE, MS_SYNC));
}

// With so many bytes and no privilege.
static void limited(long bytes) {
    struct rlimit limit = {bytes, bytes};
    setrlimit(RLIMIT_MEMLOCK, &limit);
    if (getuid() == 0 && setuid(65534)) exit(1);
    char *memory = map(8, 0);
    COUNT(mlock(memory, 4 * PAGE));
    COUNT(mlock(memory, 4 * PAGE));
    COUNT(mlock(memory + 2 * PAGE, 4 * PAGE));
    SHOW(map(1, MAP_LOCKED) == MAP_FAILED ? -1 : 0);
    SHOW(mlockall(MCL_CURRENT));
    SHOW(mlockall(MCL_FUTURE));
    SHOW(map(1, 0) == MAP_FAILED ? -1 : 0);
    SHOW(mremap(memory, 4 * PAGE, 5 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED ? -1 : 0);
    SHOW(munlock(memory, 4 * PAGE));
    exit(0);
}

int main(void) {
    setbuf(stdout, 0);
    char *memory = map(8, 0);
    COUNT(mlock(memory + 1, PAGE));
    COUNT(mlock(memory, 4 * PAGE));
    COUNT(syscall(SYS_mlock2, memory + 4 * PAGE, PAGE, MLOCK_ONFAULT));
    SHOW(syscall(SYS_mlock2, memory, PAGE, 2));
    COUNT(munlock(memory + PAGE, PAGE));
    munmap(memory + 6 * PAGE, PAGE);
    COUNT(mlock(memory + 5 * PAGE, 3 * PAGE));
    COUNT(munmap(memory + 5 * PAGE, PAGE));
    what_is_refused(memory);
    if (fork() == 0) {
        printf("a child has %ld\n", locked());
        exit(0);
    }
    wait(0);
    COUNT(map(2, MAP_LOCKED) == MAP_FAILED ? -1 : 0);
    COUNT(munlockall());
    SHOW(mlockall(0));
    SHOW(mlockall(MCL_ONFAULT));
    COUNT(mlockall(MCL_FUTURE));
    COUNT(map(2, 0) == MAP_FAILED ? -1 : 0);
    COUNT(munlockall());
    COUNT(map(2, 0) == MAP_FAILED ? -1 : 0);
    for (long pages = 0; pages < 6; pages += 5) {
        printf("%ld pages may be locked\n", pages);
        if (fork() == 0) limited(pages * PAGE);
        wait(0);
    }
    return 0;
}
