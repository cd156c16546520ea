// Limits are kept, bounded by the hard limit, inherited, and the one on descriptors is enforced.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../show.h"

int main(void) {
    setbuf(stdout, 0);
    struct rlimit limit = {10, 20}, seen;
    SHOW(setrlimit(RLIMIT_NOFILE, &limit));
    int last = 0, fd;
    while ((fd = dup(0)) >= 0) last = fd;
    printf("last descriptor %d: %s\n", last, strerror(errno));
    if (fork() == 0) {
        getrlimit(RLIMIT_NOFILE, &seen);
        printf("child %lu %lu\n", seen.rlim_cur, seen.rlim_max);
        seen.rlim_cur = 21;
        SHOW(setrlimit(RLIMIT_NOFILE, &seen));
        seen.rlim_cur = 5;
        SHOW(setrlimit(RLIMIT_NOFILE, &seen));
        _exit(0);
    }
    wait(0);
    SHOW(prlimit(0, RLIMIT_NOFILE, 0, &seen));
    printf("%lu %lu\n", seen.rlim_cur, seen.rlim_max);
    limit.rlim_cur = limit.rlim_max = 1 << 21;
    SHOW(setrlimit(RLIMIT_NOFILE, &limit));
    SHOW(prlimit(0, 99, 0, &seen));
    SHOW(prlimit(99999, RLIMIT_CORE, 0, &seen));
    limit.rlim_cur = limit.rlim_max = 0;
    SHOW(setrlimit(RLIMIT_CORE, &limit));
    getrlimit(RLIMIT_CORE, &seen);
    printf("%lu %lu\n", seen.rlim_cur, seen.rlim_max);
    return 0;
}
