// What programs of calls drawn from a seed share. Who includes it has LOWEST, HIGHEST and LENGTH_MAX.
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static uint64_t state;
static unsigned char bytes[LENGTH_MAX];

// SplitMix64 (Steele, Lea and Flood, 2014).
static uint64_t draw(uint64_t below) {
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (z ^ z >> 31) % below;
}

static inline int descriptor(void) { return LOWEST + draw(HIGHEST - LOWEST + 1); }

static inline void close_all(void) { syscall(SYS_close_range, LOWEST, ~0u, 0); }

static inline unsigned sum(ssize_t len) {
    unsigned sum = 1;
    for (ssize_t i = 0; i < len; i++) sum = sum * 31 + bytes[i];
    return sum;
}

static inline void show(const char *call, long a, long b, long result) {
    if (result < 0) printf("%s %ld %ld = %s\n", call, a, b, strerrorname_np(errno));
    else printf("%s %ld %ld = %ld\n", call, a, b, result);
}

// What a process does, by the letter of proc_pid_stat(5); a dash if there is none.
static inline char state_of(pid_t pid) {
    char path[40], text[400];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY);
    ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    if (len <= 0) return '-';
    text[len] = 0;
    return strrchr(text, ')')[2];
}

// Does rounds of steps, each of which draws from a state of its own, so that any can be left out. Arguments, if there are
// any, name a round and the steps of it that are to be done.
static inline void rounds(char **argv, int count, int steps, void (*begin)(void), void (*step)(void)) {
    int first = 0;
    if (argv[1]) {
        first = atoi(argv[1]);
        count = 1;
        for (steps = 0; argv[2 + steps];) steps++;
    }
    for (int round = first; round < first + count; round++) {
        printf("round %d\n", round);
        state = ~(uint64_t)round;
        begin();
        for (int i = 0; i < steps; i++) {
            state = (uint64_t)round * 1000003 + (uint64_t)(argv[1] ? atoi(argv[2 + i]) : i) * 7919;
            step();
        }
    }
}
