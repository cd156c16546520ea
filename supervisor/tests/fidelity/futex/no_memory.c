// A futex that others may see is known by its page, so there must be one; a private one is known by its address.
#include <fcntl.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../show.h"

static long futex(void *address, int op, void *other) {
    return syscall(SYS_futex, address, op, 1, 1L, other, 0);
}

int main(void) {
    static int here;
    char name[] = "/tmp/no_memory.XXXXXX";
    int file = mkstemp(name);
    if (ftruncate(file, 4096)) return 1;
    void *hidden = mmap(0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void *cut = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    void *gone = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(gone, 4096);
    if (ftruncate(file, 0)) return 1;
    unlink(name);
    void *places[] = {hidden, cut, gone, &here};
    for (int i = 0; i < 4; i++) {
        SHOW(futex(places[i], FUTEX_WAKE, 0));
        SHOW(futex(places[i], FUTEX_WAKE_PRIVATE, 0));
        SHOW(futex(&here, FUTEX_REQUEUE, places[i]));
        SHOW(futex(&here, FUTEX_REQUEUE_PRIVATE, places[i]));
        SHOW(futex(places[i], FUTEX_REQUEUE, &here));
    }
    return 0;
}
