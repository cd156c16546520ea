// Mappings in a stretch of memory, drawn from a seed: made, changed, moved, touched and shown.
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ROUNDS = 120, STEPS = 120, LOWEST = 3, HIGHEST = 5, LENGTH_MAX = 64, PAGE = 4096, PAGES = 64, FILE_PAGES = 20 };

#include "../drawn.h"

static char *base;
static sigjmp_buf back;
static volatile int code;

static void on_fault(int signal, siginfo_t *info, void *context) {
    code = info->si_code;
    siglongjmp(back, signal);
}

static void said(const char *call, size_t at, size_t len, long result) {
    if (result == -1) printf("%s %zx %zx = %s\n", call, at / PAGE, len / PAGE, strerrorname_np(errno));
    else printf("%s %zx %zx = %lx\n", call, at / PAGE, len / PAGE, result);
}

// Where something is, if it is in the stretch.
static long place(void *at) {
    if (at == MAP_FAILED) return -1;
    return (char *)at >= base && (char *)at < base + PAGES * PAGE ? ((char *)at - base) / PAGE : 0xffff;
}

static size_t some(void) { return draw(PAGES) * PAGE + (draw(30) ? 0 : 1 + draw(PAGE - 1)); }
static size_t length(void) { return draw(40) ? (1 + draw(draw(3) ? 6 : 30)) * PAGE - (draw(6) ? 0 : draw(PAGE)) : 0; }
static int protection(void) {
    static const int each[] = {PROT_NONE, PROT_READ, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC, PROT_WRITE};
    return each[draw(8)];
}

static void map(void) {
    size_t at = some(), len = length();
    if (at + len > PAGES * PAGE) len = PAGES * PAGE - at;
    int prot = protection(), flags = draw(10) ? MAP_FIXED : MAP_FIXED_NOREPLACE;
    int fd = draw(2) ? -1 : descriptor();
    off_t offset = fd < 0 ? 0 : draw(FILE_PAGES + 4) * PAGE + (draw(30) ? 0 : 100);
    flags |= (draw(3) ? MAP_PRIVATE : MAP_SHARED) | (fd < 0 ? MAP_ANONYMOUS : 0) | (draw(6) ? 0 : MAP_NORESERVE);
    void *got = mmap(base + at, len, prot, flags, fd, offset);
    said(fd < 0 ? "mmap memory" : "mmap file", at, len, place(got));
    printf("  %x %x %d %lx\n", prot, flags, fd, (long)offset);
}

static void change(void) {
    static const int advice[] = {MADV_DONTNEED, MADV_DONTNEED, MADV_WILLNEED, MADV_RANDOM, MADV_NORMAL, MADV_SEQUENTIAL, MADV_FREE, MADV_DONTFORK, MADV_DOFORK, MADV_DONTDUMP, MADV_DODUMP, MADV_WIPEONFORK, MADV_KEEPONFORK, MADV_REMOVE, MADV_POPULATE_READ, MADV_POPULATE_WRITE, 77};
    size_t at = some(), len = length();
    if (at + len > PAGES * PAGE) len = PAGES * PAGE - at;
    switch (draw(8)) {
    case 0: case 1: case 2: {
        int prot = protection();
        said("mprotect", at, len, mprotect(base + at, len, prot));
        printf("  %x\n", prot);
        return;
    }
    case 3: said("munmap", at, len, munmap(base + at, len));
        // Others may not take the place meanwhile.
        mmap(base, PAGE * PAGES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        return;
    case 4: said("msync", at, len, msync(base + at, len, draw(2) ? MS_SYNC : MS_ASYNC | (draw(4) ? 0 : MS_SYNC))); return;
    default: {
        int what = advice[draw(17)];
        long result = madvise(base + at, len, what);
        said("madvise", at, len, result);
        printf("  %d\n", what);
    }
    }
}

static void move(void) {
    // Of more than one mapping at once, Linux versions think differently.
    size_t from = draw(PAGES) * PAGE, old = draw(20) ? PAGE : 0, to = draw(PAGES) * PAGE, len = length();
    if (to + len > PAGES * PAGE) len = PAGES * PAGE - to;
    if (from + len > PAGES * PAGE) len = PAGES * PAGE - from;
    int flags = draw(3) ? MREMAP_MAYMOVE | MREMAP_FIXED : 0;
    void *got = mremap(base + from, old, len, flags, base + to);
    said("mremap", from, old, place(got));
    printf("  %zx %zx %x\n", to / PAGE, len, flags);
}

static void touch(void) {
    size_t at = draw(PAGES * PAGE);
    int writes = draw(2), signal = sigsetjmp(back, 1);
    volatile char *byte = base + at;
    if (signal) {
        printf("touch %zx %d: signal %d code %d\n", at / PAGE, writes, signal, code);
        return;
    }
    if (writes) *byte = at / PAGE + 1;
    printf("touch %zx %d: %d\n", at / PAGE, writes, *byte);
}

static void resident(void) {
    size_t at = draw(PAGES) * PAGE, len = length();
    unsigned char pages[PAGES + 40];
    memset(pages, 9, sizeof pages);
    int result = mincore(base + at, len, pages);
    said("mincore", at, len, result);
}

// Neighbours that are alike are shown as one: whether Linux joins them depends on what has been touched.
static void show_maps(void) {
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[600], kind[5] = "", name[400] = "";
    unsigned long start = 0, end = 0, offset = 0;
    int more = 1;
    while (more) {
        unsigned long from, to, at;
        char now[5], file[400] = "";
        more = fgets(line, sizeof line, maps) != NULL;
        if (more) sscanf(line, "%lx-%lx %4s %lx %*s %*s %399s", &from, &to, now, &at, file);
        if (more && ((char *)to <= base || (char *)from >= base + PAGES * PAGE)) continue;
        if (more && from == end && !strcmp(now, kind) && !strcmp(file, name) && at == (*file ? offset + end - start : 0)) {
            end = to;
            continue;
        }
        char *last = strrchr(name, '/');
        if (end) printf("  %lx-%lx %s %lx %s\n", (start - (unsigned long)base) / PAGE, (end - (unsigned long)base) / PAGE, kind, offset, last ? last : name);
        if (!more) break;
        start = from, end = to, offset = at;
        strcpy(kind, now);
        strcpy(name, file);
    }
    fclose(maps);
}

static void step(void) {
    switch (draw(14)) {
    case 0: case 1: case 2: case 3: return map();
    case 4: case 5: case 6: case 7: return change();
    case 8: return move();
    case 9: return resident();
    case 10: return show_maps();
    default: return touch();
    }
}

// Files to map: one that is writable, one that is not, one of memory.
static void begin(void) {
    char fill[PAGE];
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    if (!base) {
        // A place with nothing next to it.
        char *wide = mmap(NULL, (PAGES + 1024) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        munmap(wide, (PAGES + 1024) * PAGE);
        base = wide + 512 * PAGE;
    }
    close_all();
    mmap(base, PAGES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    int file = open("mapped", O_RDWR | O_CREAT | O_TRUNC, 0644);
    for (int i = 0; i < FILE_PAGES; i++) {
        memset(fill, 'a' + i, sizeof fill);
        if (write(file, fill, sizeof fill) < 0) abort();
    }
    open("mapped", O_RDONLY);
    int memory = syscall(SYS_memfd_create, "mapped", 0);
    if (ftruncate(memory, FILE_PAGES * PAGE - 100)) abort();
}

int main(int argc, char **argv) {
    rounds(argv, ROUNDS, STEPS, begin, step);
    show_maps();
    return 0;
}
