// A ledger that acknowledges entries: what it has acknowledged must outlive anything, a loss of power too.
//
// Each entry is appended to `entries`; then it is acknowledged, here by a number in `acknowledged`, as a client far away
// would keep it. When it starts, it looks whether every acknowledged entry is there.
//
// It has a bug: it forgets to have the entry written to the disk before it acknowledges it. Build it with -DFIXED to see
// the difference that one line makes.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { ENTRIES = 100, ENTRY_SIZE = 64 };

static void must(int holds, const char *what) {
    if (holds) return;
    perror(what);
    exit(2);
}

static void entry(char *into, int number) {
    memset(into, ' ', ENTRY_SIZE);
    int len = snprintf(into, ENTRY_SIZE, "entry %d", number);
    into[len] = ' ';
    into[ENTRY_SIZE - 1] = '\n';
}

int main(void) {
    int ledger = open("entries", O_RDWR | O_CREAT | O_APPEND, 0644);
    int acknowledged = open("acknowledged", O_RDWR | O_CREAT, 0644);
    must(ledger >= 0 && acknowledged >= 0, "open");

    // What was promised, and what is there?
    int promised = 0, kept = 0;
    must(pread(acknowledged, &promised, sizeof promised, 0) >= 0, "acknowledged");
    char expected[ENTRY_SIZE], found[ENTRY_SIZE];
    for (;; kept++) {
        ssize_t len = pread(ledger, found, ENTRY_SIZE, (off_t)kept * ENTRY_SIZE);
        must(len >= 0, "ledger");
        entry(expected, kept);
        if (len != ENTRY_SIZE || memcmp(expected, found, ENTRY_SIZE) != 0) break;
    }
    printf("INVARIANT 1 acknowledged-entries-are-kept %s %d acknowledged, %d kept\n",
           kept >= promised ? "PASS" : "FAIL", promised, kept);
    fflush(stdout);
    if (kept < promised) return 1;

    // An entry that was torn was never acknowledged: cut it off, and go on.
    must(ftruncate(ledger, (off_t)kept * ENTRY_SIZE) == 0, "ftruncate");
    for (int number = kept; number < ENTRIES; number++) {
        entry(expected, number);
        must(write(ledger, expected, ENTRY_SIZE) == ENTRY_SIZE, "ledger");
#ifdef FIXED
        must(fsync(ledger) == 0, "fsync");
#endif
        int now = number + 1;
        must(pwrite(acknowledged, &now, sizeof now, 0) == sizeof now, "acknowledged");
        must(fsync(acknowledged) == 0, "fsync");
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    return 0;
}
