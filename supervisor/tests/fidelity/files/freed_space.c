// A file without a name takes up room until nobody has it open any more, and no longer.
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "../show.h"

enum { SIZE = 256 << 20, PAGES = SIZE / 4096 };

static char bytes[1 << 20];

// Whether about so much more of the disk is free than before; others use it, too.
static void tell(const char *when) {
    static long before;
    struct statvfs disk;
    statvfs("/tmp", &disk);
    long now = disk.f_bfree, more = now - before;
    before = now;
    printf("%s: %s\n", when, more > PAGES / 2 ? "more" : more < -PAGES / 2 ? "less" : "as much");
}

static void fill(int file) {
    for (int i = 0; i < SIZE; i += sizeof bytes)
        if (write(file, bytes, sizeof bytes) != sizeof bytes) exit(1);
    // Until then, a disk may only have it in mind.
    fsync(file);
}

int main(void) {
    tell("at first");
    tell("nothing");
    char name[] = "/tmp/freed_space.XXXXXX";
    int file = mkstemp(name);
    fill(file);
    tell("written");
    unlink(name);
    tell("removed while open");
    close(file);
    tell("closed");
    strcpy(name, "/tmp/freed_space.XXXXXX");
    file = mkstemp(name);
    unlink(name);
    fill(file);
    tell("written without a name");
    int again = dup(file);
    close(file);
    tell("closed once");
    char *memory = mmap(0, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, again, 0);
    memory[0] = 1;
    munmap(memory, SIZE);
    close(again);
    tell("closed twice");
    file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    if (file < 0) return 1;
    fill(file);
    tell("written to what never had a name");
    if (ftruncate(file, 0)) return 1;
    tell("cut");
    close(file);
    tell("closed");
    return 0;
}
