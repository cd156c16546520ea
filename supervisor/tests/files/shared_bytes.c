// Bytes of a few files, read and written by two processes in turn: by calls through several descriptors and through
// mappings. What each does is drawn from a seed and said; who is next, too, so that the order is the same anywhere.
// Arguments: a seed, and `prepare` to only make the files that are found, or `use`.
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STEPS = 1200, LOWEST = 10, HIGHEST = 15, LENGTH_MAX = 1 << 18, PAGE = 4096, FILES = 5, MAPPINGS = 5 };
enum { SIZE_LARGE = 5 << 19, SIZE_MOST = 3 << 20 };

#include "../fidelity/drawn.h"
#include "begin.h"

static const char *const names[FILES] = {"large", "middle", "small", "new", "other"};
static _Alignas(4096) unsigned char direct[1 << 16];
static struct { unsigned char *at; size_t len; off_t offset; int file, writes; } mappings[MAPPINGS];
// What each descriptor is of, for what a program knows without asking.
static int file_of[HIGHEST + 1], is_direct[HIGHEST + 1];
// By file: whether only writes have decided where it has holes. Both processes know.
static char *holes_known;
static sigjmp_buf back;
static char who;

static void out_of_file(int signal) { siglongjmp(back, signal); }

static void said(const char *call, long a, long b, long result) {
    putchar(who);
    putchar(' ');
    show(call, a, b, result);
}

static void fill(unsigned char *to, size_t len) {
    uint64_t word = draw(1ULL << 62) | 1;
    for (size_t i = 0; i < len; i++) to[i] = (word = word * 6364136223846793005ULL + 1442695040888963407ULL) >> 56;
}

static unsigned digest(const unsigned char *at, size_t len) {
    unsigned sum = 1;
    for (size_t i = 0; i < len; i++) sum = sum * 31 + at[i];
    return sum;
}

static size_t length(void) {
    static const size_t most[] = {16, 600, 5000, 70000, LENGTH_MAX};
    return 1 + draw(most[draw(5)]);
}

static off_t size_of(int file) {
    struct stat st;
    return stat(names[file], &st) ? 0 : st.st_size;
}

static off_t offset(void) {
    static const off_t most[] = {100, 9000, 70000, 400000, SIZE_MOST};
    off_t at = draw(most[draw(5)]);
    return draw(3) ? at : at & -PAGE;
}

static void open_one(void) {
    static const int access[] = {O_RDONLY, O_RDWR, O_RDWR, O_WRONLY};
    static const int more[] = {0, 0, 0, 0, O_APPEND, O_APPEND, O_DIRECT, O_DIRECT, O_SYNC};
    int file = draw(FILES), to = descriptor();
    int flags = access[draw(4)] | more[draw(9)] | (draw(30) ? 0 : O_TRUNC) | (file > 2 ? O_CREAT : 0);
    int fd = open(names[file], flags, 0644);
    said("open", file, flags, fd < 0 ? fd : 0);
    if (fd < 0) return;
    dup2(fd, to);
    close(fd);
    file_of[to] = file;
    is_direct[to] = (flags & O_DIRECT) != 0;
}

static void transfer(int fd) {
    // Directly, memory, offset and length are those of whole blocks.
    unsigned char *at = is_direct[fd] ? direct : bytes + draw(64);
    size_t len = is_direct[fd] ? PAGE * (1 + draw(16)) : length();
    if (!is_direct[fd] && len > LENGTH_MAX - 64) len -= 64;
    off_t place = is_direct[fd] ? offset() & -PAGE : offset();
    ssize_t done;
    switch (draw(is_direct[fd] ? 4 : 8)) {
    case 0: case 1:
        said("pread", fd, place, done = pread(fd, at, len, place));
        if (done > 0) printf("  %08x\n", digest(at, done));
        return;
    case 2: case 3:
        // Where the end is not that of a block, O_DIRECT cannot append.
        if (is_direct[fd] && fcntl(fd, F_GETFL) & O_APPEND) return;
        fill(at, len);
        return said("pwrite", fd, place, pwrite(fd, at, len, place));
    case 4:
        said("read", fd, len, done = read(fd, at, len));
        if (done > 0) printf("  %08x\n", digest(at, done));
        return;
    case 5:
        fill(at, len);
        if (lseek(fd, 0, SEEK_CUR) > SIZE_MOST || size_of(file_of[fd]) > SIZE_MOST) return;
        return said("write", fd, len, write(fd, at, len));
    case 6: {
        struct iovec parts[3] = {{at, len / 3}, {at + len / 2, len / 4}, {at, len / 5}};
        said("preadv", fd, place, done = preadv(fd, parts, 3, place));
        for (int i = 0; i < 3; i++) if (done > 0) printf("  %08x\n", digest(parts[i].iov_base, parts[i].iov_len));
        return;
    }
    default: {
        struct iovec parts[3] = {{at, len / 3}, {at + len / 2, len / 4}, {at, len / 5}};
        fill(at, len);
        if (size_of(file_of[fd]) > SIZE_MOST) return;
        int flags = draw(3) ? 0 : RWF_APPEND;
        return said("pwritev2", fd, flags, pwritev2(fd, parts, 3, flags ? -1 : place, flags));
    }
    }
}

static void resize(int fd) {
    static const int modes[] = {0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
                                FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, FALLOC_FL_ZERO_RANGE,
                                FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE};
    off_t at = offset();
    int file = draw(FILES);
    switch (draw(4)) {
    case 0: return said("ftruncate", fd, at, ftruncate(fd, at));
    case 1: return said("truncate", file, at, truncate(names[file], at));
    default: {
        int mode = modes[draw(6)];
        if (!(mode & FALLOC_FL_PUNCH_HOLE)) holes_known[file_of[fd]] = 0;
        return said("fallocate", mode, at, fallocate(fd, mode, at, length()));
    }
    }
}

static void seek(int fd) {
    static const int whences[] = {SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE};
    int whence = whences[draw(5)];
    off_t at = offset();
    // Of files that were found or mapped, where holes are is the file system's own affair, and what is only allocated.
    if (whence > SEEK_END && !holes_known[file_of[fd]]) return;
    if (whence == SEEK_CUR || whence == SEEK_END) at = -(at % 5000);
    said("lseek", whence, at, lseek(fd, at, whence));
}

static void copy(int from) {
    int to = descriptor();
    off_t in = offset(), out = offset();
    size_t len = length();
    if (file_of[from] == file_of[to] || is_direct[from] || is_direct[to]) return;
    if (draw(2)) return said("copy_file_range", in, out, copy_file_range(from, &in, to, &out, len, 0));
    if (lseek(to, 0, SEEK_CUR) > SIZE_MOST) return;
    said("sendfile", from, to, sendfile(to, from, &in, len));
}

static void map(int fd) {
    int slot = draw(MAPPINGS), shared = draw(2), writes = draw(3) == 0;
    size_t len = draw(3) ? 1 + draw(200000) : SIZE_MOST;
    off_t at = draw(2) ? 0 : (draw(SIZE_MOST) & -PAGE);
    if (mappings[slot].at) munmap(mappings[slot].at, mappings[slot].len);
    int protection = PROT_READ | (writes ? PROT_WRITE : 0);
    void *place = mmap(NULL, len, protection, shared ? MAP_SHARED : MAP_PRIVATE, fd, at);
    said("mmap", fd, shared * 2 + writes, place == MAP_FAILED ? -1 : 0);
    mappings[slot].at = place == MAP_FAILED ? NULL : place;
    mappings[slot].len = len;
    mappings[slot].offset = at;
    mappings[slot].file = file_of[fd];
    mappings[slot].writes = writes;
    holes_known[file_of[fd]] = 0;
}

// The part of a mapping that the file reaches.
static size_t reach(int slot) {
    off_t left = size_of(mappings[slot].file) - mappings[slot].offset;
    return left <= 0 ? 0 : left < (off_t)mappings[slot].len ? (size_t)left : mappings[slot].len;
}

static void use_mapping(void) {
    int slot = draw(MAPPINGS);
    unsigned char *at = mappings[slot].at;
    if (!at) return;
    size_t within = reach(slot), from = within ? draw(within) : 0;
    size_t len = length();
    if (len > within - from) len = within - from;
    switch (draw(12)) {
    case 0: case 1: case 2: case 3:
        said("seen", slot, from, digest(at + from, len));
        return;
    case 4:
        said("seen all", slot, within, digest(at, within));
        return;
    case 5: case 6: case 7:
        if (!mappings[slot].writes) return;
        fill(bytes, len);
        memcpy(at + from, bytes, len);
        return said("put", slot, from, len);
    case 8: return said("msync", slot, 0, msync(at, mappings[slot].len, draw(2) ? MS_SYNC : MS_ASYNC));
    case 9: {
        int writes = draw(2);
        int result = mprotect(at, mappings[slot].len, PROT_READ | (writes ? PROT_WRITE : 0));
        said("mprotect", slot, writes, result);
        if (result == 0) mappings[slot].writes = writes;
        return;
    }
    case 10: {
        // Behind the last page of the file there is nothing.
        volatile unsigned char *far = at + draw(mappings[slot].len);
        int got = sigsetjmp(back, 1);
        if (got == 0) (void)*far;
        size_t last = (within + PAGE - 1) & -PAGE;
        return said("touch", slot, (size_t)(far - at) < last, got);
    }
    default:
        // Copies are forgotten, and the file is seen again.
        return said("madvise", slot, 0, madvise(at, mappings[slot].len, MADV_DONTNEED));
    }
}

static void digest_file(void) {
    int file = draw(FILES), fd = open(names[file], O_RDONLY);
    unsigned sum = 1;
    off_t len = 0;
    for (ssize_t done; fd >= 0 && (done = read(fd, bytes, LENGTH_MAX)) > 0; len += done) sum = sum * 31 + digest(bytes, done);
    said("file", file, len, fd < 0 ? -1 : (long)sum);
    if (fd >= 0) close(fd);
}

static void step(void) {
    int fd = descriptor();
    switch (draw(16)) {
    case 0: case 1: open_one(); break;
    case 2: case 3: case 4: transfer(fd); break;
    case 5: case 6: resize(fd); break;
    case 7: seek(fd); break;
    case 8: copy(fd); break;
    case 9: map(fd); break;
    case 10: digest_file(); break;
    case 11: said("fsync", fd, 0, draw(2) ? fsync(fd) : fdatasync(fd)); break;
    default: use_mapping();
    }
    fflush(stdout);
}

static void prepare(void) {
    static const size_t sizes[] = {SIZE_LARGE + 77, 150001, 9000};
    for (int i = 0; i < 3; i++) {
        int fd = open(names[i], O_WRONLY | O_CREAT, 0644);
        for (size_t done = 0; done < sizes[i];) {
            size_t len = sizes[i] - done < LENGTH_MAX ? sizes[i] - done : LENGTH_MAX;
            fill(bytes, len);
            done += write(fd, bytes, len);
        }
        close(fd);
    }
}

int main(int argc, char **argv) {
    begin(argc, argv, prepare);
    struct sigaction action = {.sa_handler = out_of_file};
    sigaction(SIGBUS, &action, NULL);
    holes_known = mmap(NULL, FILES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memset(holes_known + 3, 1, FILES - 3);
    int turn[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, turn);
    for (who = 'a'; draw(3); step());
    // What is open and mapped by now, both have.
    pid_t child = fork();
    who = child ? 'a' : 'b';
    if (child == 0) {
        while (read(turn[1], &state, sizeof state) == sizeof state) {
            step();
            if (write(turn[1], &state, sizeof state) < 0) return 1;
        }
        return 0;
    }
    close(turn[1]);
    for (int i = 0; i < STEPS; i++) {
        if (draw(2)) step();
        else if (write(turn[0], &state, sizeof state) < 0 || read(turn[0], &state, sizeof state) < 0) return 1;
    }
    for (int i = 0; i < 20; i++) digest_file();
    shutdown(turn[0], SHUT_RDWR);
    wait(NULL);
    return 0;
}
