// Calls on a small tree, drawn from a seed; each says what came of it, and at the end the whole tree is shown.
// Arguments: a seed, and `prepare` to only make the tree that the calls find, or `use`.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { STEPS = 1500, LOWEST = 10, HIGHEST = 17, LENGTH_MAX = 1 << 14 };

#include "../fidelity/drawn.h"
#include "begin.h"

static char path_space[4][256];

// A path of one to three components; four take turns.
static const char *path(void) {
    static int turn;
    static const char *const names[] = {"a", "b", "c", "d", "e", "long-name", ".", ".."};
    char *to = path_space[turn = (turn + 1) % 4];
    int depth = 1 + draw(3);
    *to = 0;
    for (int i = 0; i < depth; i++) {
        // Few dots, and none that could lead out of the folder.
        const char *name = names[draw(draw(12) ? 6 : 7)];
        if (i > 1 && draw(20) == 0) name = "..";
        if (i) strcat(to, "/");
        strcat(to, name);
    }
    if (draw(25) == 0) strcat(to, "/");
    return to;
}

static void said(const char *call, const char *one, const char *two, long result) {
    if (result < 0) printf("%s %s %s = %s\n", call, one, two, strerrorname_np(errno));
    else printf("%s %s %s = %ld\n", call, one, two, result);
}

static void status(const char *what, const struct stat *st) {
    printf("  %s %o %d %d", what, st->st_mode, st->st_uid, st->st_gid);
    if (!S_ISDIR(st->st_mode)) printf(" %ld %ld", (long)st->st_nlink, (long)st->st_size);
    printf("\n");
}

static size_t length(void) {
    static const size_t most[] = {2, 20, 600, LENGTH_MAX};
    return draw(most[draw(4)]);
}

static off_t offset(void) {
    static const size_t most[] = {10, 1000, 70000, 300000};
    return draw(most[draw(4)]);
}

static void fill(size_t len) {
    for (size_t i = 0; i < len; i++) bytes[i] = draw(256);
}

static void keep(const char *name, int flags, int fd) {
    said("open", name, "", fd < 0 ? fd : 0);
    int to = descriptor();
    printf("  %o as %d\n", flags, to);
    if (fd < 0) return;
    dup2(fd, to);
    close(fd);
}

static void open_one(void) {
    static const int access[] = {O_RDONLY, O_WRONLY, O_RDWR, O_RDWR};
    static const int more[] = {O_CREAT, O_CREAT, O_CREAT | O_EXCL, O_TRUNC, O_APPEND,
                               O_CREAT | O_TRUNC, O_NOFOLLOW, O_DIRECTORY, O_PATH, O_TMPFILE};
    static const int modes[] = {0644, 0600, 0444, 0, 0777, 04755, 02755};
    int flags = access[draw(4)] | O_NONBLOCK;
    for (int i = draw(3); i > 0; i--) flags |= more[draw(10)];
    const char *name = path();
    keep(name, flags, open(name, flags, modes[draw(7)]));
}

static void change(void) {
    static const int modes[] = {0755, 0700, 0555, 0777, 01777, 02775, 0};
    const char *one = path(), *two = path();
    switch (draw(12)) {
    case 0: case 1: return said("mkdir", one, "", mkdir(one, modes[draw(7)]));
    case 2: return said("rmdir", one, "", rmdir(one));
    case 3: case 4: return said("unlink", one, "", unlink(one));
    case 5: case 6: return said("rename", one, two, rename(one, two));
    case 7: {
        int flags = draw(2) ? RENAME_NOREPLACE : RENAME_EXCHANGE;
        return said(flags == RENAME_EXCHANGE ? "exchange" : "rename new", one, two,
                    renameat2(AT_FDCWD, one, AT_FDCWD, two, flags));
    }
    case 8: return said("link", one, two, link(one, two));
    case 9: return said("symlink", one, two, symlink(one, two));
    case 10: return said("mkfifo", one, "", mkfifo(one, modes[draw(7)]));
    default: {
        int fd = descriptor();
        char link_path[40];
        snprintf(link_path, sizeof link_path, "/proc/self/fd/%d", fd);
        return said("give a name", "", two,
                    linkat(AT_FDCWD, link_path, AT_FDCWD, two, AT_SYMLINK_FOLLOW));
    }
    }
}

static void attribute(void) {
    const char *one = path();
    int flags = draw(3) ? 0 : AT_SYMLINK_NOFOLLOW;
    switch (draw(7)) {
    case 0: return said("chmod", one, "", chmod(one, draw(4) ? draw(01000) | 0400 : draw(010000)));
    case 1: return said("chown", one, "", fchownat(AT_FDCWD, one, draw(2) ? -1 : draw(3), draw(2) ? -1 : draw(3), flags));
    case 2: {
        struct timespec times[2] = {{draw(1000000), draw(1000000)}, {draw(1000000), 5}};
        long result = utimensat(AT_FDCWD, one, times, flags);
        said("utimensat", one, "", result);
        struct stat st;
        if (result == 0 && fstatat(AT_FDCWD, one, &st, flags) == 0)
            printf("  %ld %ld\n", (long)st.st_mtim.tv_sec, (long)st.st_mtim.tv_nsec);
        return;
    }
    case 3: return said("truncate", one, "", truncate(one, offset()));
    case 4: return said("access", one, "", faccessat(AT_FDCWD, one, draw(8), 0));
    case 5: {
        struct stat st;
        int result = fstatat(AT_FDCWD, one, &st, flags);
        said("stat", one, "", result);
        if (result == 0) status("is", &st);
        return;
    }
    default: {
        char target[256] = "";
        said("readlink", one, "", readlink(one, target, sizeof target - 1));
        printf("  %s\n", target);
    }
    }
}

static void use_open(void) {
    int fd = descriptor();
    size_t len = length();
    switch (draw(15)) {
    case 0: case 1: {
        fill(len);
        return show("write", fd, len, write(fd, bytes, len));
    }
    case 2: {
        off_t at = offset();
        fill(len);
        return show("pwrite", fd, at, pwrite(fd, bytes, len, at));
    }
    case 3: case 4: {
        ssize_t done = read(fd, bytes, len);
        show("read", fd, len, done);
        if (done > 0) printf("  %08x\n", sum(done));
        return;
    }
    case 5: {
        off_t at = offset();
        ssize_t done = pread(fd, bytes, len, at);
        show("pread", fd, at, done);
        if (done > 0) printf("  %08x\n", sum(done));
        return;
    }
    case 6: {
        static const int whences[] = {SEEK_SET, SEEK_CUR, SEEK_END};
        struct stat st;
        // Where a directory ends is the file system's own affair.
        if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) return;
        return show("lseek", fd, 0, lseek(fd, offset(), whences[draw(3)]));
    }
    case 7: return show("ftruncate", fd, 0, ftruncate(fd, offset()));
    case 8: {
        static const int modes[] = {0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE};
        off_t at = offset();
        return show("fallocate", fd, at, fallocate(fd, modes[draw(3)], at, 1 + length()));
    }
    case 9: {
        struct stat st;
        int result = fstat(fd, &st);
        show("fstat", fd, 0, result);
        if (result == 0) status("is", &st);
        return;
    }
    case 10: return show("fchmod", fd, 0, fchmod(fd, 0400 | draw(01000)));
    case 11: {
        int to = descriptor();
        struct stat from, into;
        // What a file becomes that is sent to itself depends on the sizes of the host's buffers.
        if (!fstat(fd, &from) && !fstat(to, &into) && from.st_ino == into.st_ino) return;
        // A FIFO holds the very pages of the file, and with them what is written to those later (sendfile(2), "NOTES").
        if (S_ISFIFO(into.st_mode)) return;
        return show("sendfile", fd, to, sendfile(to, fd, NULL, len));
    }
    case 12: {
        off_t from = offset(), at = offset();
        return show("copy_file_range", from, at, copy_file_range(fd, &from, descriptor(), &at, len, 0));
    }
    case 13: {
        int shared = draw(2), writes = draw(2);
        struct stat st;
        if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size < 1) return;
        int protection = PROT_READ | (writes ? PROT_WRITE : 0);
        unsigned char *at = mmap(NULL, st.st_size, protection, shared ? MAP_SHARED : MAP_PRIVATE, fd, 0);
        show("mmap", fd, shared * 2 + writes, at == MAP_FAILED ? -1 : 0);
        if (at == MAP_FAILED) return;
        unsigned of_all = 1;
        for (off_t i = 0; i < st.st_size; i += 7) of_all = of_all * 31 + at[i];
        printf("  %08x\n", of_all);
        if (writes) at[draw(st.st_size)] = draw(256);
        munmap(at, st.st_size);
        return;
    }
    default: close(fd); printf("close %d\n", fd);
    }
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void list(const char *folder, int depth) {
    DIR *directory = opendir(folder);
    if (!directory) return said("opendir", folder, "", -1);
    char *names[200];
    int count = 0;
    for (struct dirent *entry; (entry = readdir(directory));) names[count++] = strdup(entry->d_name);
    closedir(directory);
    qsort(names, count, sizeof *names, by_name);
    for (int i = 0; i < count; i++) {
        char inside[512];
        struct stat st;
        snprintf(inside, sizeof inside, "%s/%s", folder, names[i]);
        if (depth && !strcmp(names[i], "..")) continue;
        if (!strcmp(names[i], ".") || !strcmp(names[i], "..")) { printf("%*s%s\n", depth, "", names[i]); continue; }
        int result = lstat(inside, &st);
        said("lstat", inside, "", result);
        if (result) continue;
        status(names[i], &st);
        if (S_ISDIR(st.st_mode)) list(inside, depth + 1);
        if (S_ISREG(st.st_mode)) {
            int fd = open(inside, O_RDONLY);
            if (fd < 0) { said("open", inside, "", fd); continue; }
            for (ssize_t done; (done = read(fd, bytes, LENGTH_MAX)) > 0;) printf("  %08x\n", sum(done));
            close(fd);
        }
    }
    while (count) free(names[--count]);
}

static void prepare(void) {
    for (int i = 0; i < 120; i++) {
        const char *one = path(), *two = path();
        switch (draw(6)) {
        case 0: case 1: mkdir(one, draw(4) ? 0755 : 0555); break;
        case 2: symlink(one, two); break;
        case 3: link(one, two); break;
        default: {
            int fd = open(one, O_WRONLY | O_CREAT | O_NONBLOCK, draw(4) ? 0644 : 0444);
            if (fd < 0) break;
            off_t at = draw(3) ? 0 : offset();
            size_t len = length();
            fill(len);
            if (pwrite(fd, bytes, len, at) < 0) perror("pwrite");
            close(fd);
        }
        }
    }
}

int main(int argc, char **argv) {
    begin(argc, argv, prepare);
    signal(SIGPIPE, SIG_IGN);
    for (int step = 0; step < STEPS; step++) {
        switch (draw(10)) {
        case 0: case 1: open_one(); break;
        case 2: case 3: change(); break;
        case 4: case 5: attribute(); break;
        case 6: if (draw(10) == 0) list(path(), 0); break;
        default: use_open();
        }
    }
    list(".", 1);
    return 0;
}
