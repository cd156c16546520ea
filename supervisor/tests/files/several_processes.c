// Trees that several processes change in turn: names, links, attributes, directory descriptors and streams, each
// process with its own working directory. Who is next is drawn from the seed, too, so that the order is the same
// anywhere. At the end each says what it sees.
// Arguments: a seed, and `prepare` to only make the tree that is found, or `use`.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { STEPS = 2500, LOWEST = 10, HIGHEST = 17, LENGTH_MAX = 1 << 12, PROCESSES = 4, STREAMS = 3, SEEN_MAX = 400 };

#include "../fidelity/drawn.h"
#include "begin.h"

static char who;
static struct { DIR *open; int count; char seen[SEEN_MAX][64]; } streams[STREAMS];

static void said(const char *call, const char *one, const char *two, long result) {
    putchar(who);
    if (result < 0) printf(" %s %s %s = %s\n", call, one, two, strerrorname_np(errno));
    else printf(" %s %s %s = %ld\n", call, one, two, result);
}

static const char *name(void) {
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "sub", "deep", "a-much-longer-name-than-others", "0"};
    return names[draw(10)];
}

// A path of up to six components below a directory descriptor.
static const char *path(void) {
    static char space[4][400];
    static int turn;
    char *to = space[turn = (turn + 1) % 4];
    static const int deep[] = {1, 1, 1, 1, 1, 2, 2, 2, 3, 6};
    *to = 0;
    for (int i = deep[draw(10)]; i > 0; i--) {
        // Names that start so are never removed: who lists a directory meanwhile must see each of them once.
        strcat(to, i == 1 || draw(25) ? name() : draw(4) ? "." : "keep-3");
        if (i > 1) strcat(to, "/");
    }
    if (draw(40) == 0) strcat(to, "/");
    return to;
}

// Where a path starts: the working directory, or now and then a descriptor, mostly of a directory.
static int start(void) {
    struct stat st;
    int fd = descriptor();
    if (draw(2)) return AT_FDCWD;
    return (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) || draw(20) == 0 ? fd : AT_FDCWD;
}

// Makes all directories of a path.
static void make_all(const char *one) {
    char part[400];
    long made = 0;
    for (size_t len = 1; len <= strlen(one); len++) {
        if (one[len] != '/' && one[len]) continue;
        snprintf(part, sizeof part, "%.*s", (int)len, one);
        made += mkdir(part, 0755) == 0;
    }
    said("mkdirs", one, "", made);
}

static void keep(const char *what, int fd) {
    int to = descriptor();
    said("open", what, "", fd < 0 ? fd : to);
    if (fd < 0) return;
    dup2(fd, to);
    close(fd);
}

static void open_one(void) {
    static const int modes[] = {0644, 0600, 0444, 0755, 02755, 04711};
    const char *one = path();
    int at = start();
    switch (draw(8)) {
    case 0: case 1: case 2: return keep(one, openat(at, one, O_RDONLY | O_DIRECTORY));
    case 3: return keep(one, openat(at, one, O_PATH | (draw(2) ? O_NOFOLLOW : 0)));
    case 4: return keep(one, openat(at, one, O_TMPFILE | O_RDWR | (draw(3) ? 0 : O_EXCL), modes[draw(6)]));
    case 5: return keep(one, openat(at, one, O_RDWR | O_NONBLOCK));
    default: return keep(one, openat(at, one, O_RDWR | O_CREAT | O_NONBLOCK | (draw(4) ? 0 : O_EXCL), modes[draw(6)]));
    }
}

static void change(void) {
    static const int modes[] = {0755, 0755, 0700, 0777, 01777, 02775, 03777};
    const char *one = path(), *two = path();
    int from = start(), to = start();
    switch (draw(14)) {
    case 0: return make_all(one);
    case 1: case 2: return said("mkdir", one, "", mkdirat(from, one, modes[draw(7)]));
    case 3: return said("rmdir", one, "", unlinkat(from, one, AT_REMOVEDIR));
    case 4: return said("unlink", one, "", unlinkat(from, one, 0));
    case 5: case 6: case 7: return said("rename", one, two, renameat(from, one, to, two));
    case 8: return said("rename new", one, two, renameat2(from, one, to, two, RENAME_NOREPLACE));
    case 9: return said("exchange", one, two, renameat2(from, one, to, two, RENAME_EXCHANGE));
    case 10: return said("link", one, two, linkat(from, one, to, two, draw(2) ? AT_SYMLINK_FOLLOW : 0));
    case 11: return said("symlink", one, two, symlinkat(one, to, two));
    case 12: return said("mknod", one, "", mknodat(from, one, draw(2) ? S_IFIFO | 0640 : S_IFREG | 0604, 0));
    default: {
        char link_path[40];
        snprintf(link_path, sizeof link_path, "/proc/self/fd/%d", descriptor());
        return said("give a name", "", two, linkat(AT_FDCWD, link_path, to, two, AT_SYMLINK_FOLLOW));
    }
    }
}

static void attributes(void) {
    const char *one = path();
    int at = start(), flags = draw(3) ? 0 : AT_SYMLINK_NOFOLLOW;
    struct stat st;
    switch (draw(5)) {
    case 0: return said("chmod", one, "", fchmodat(at, one, draw(3) ? 0700 | draw(010000) : draw(010000), 0));
    case 1: return said("chown", one, "", fchownat(at, one, (int)draw(4) - 1, (int)draw(4) - 1, flags));
    case 2: return said("access", one, "", faccessat(at, one, (int)draw(8), draw(2) * AT_EACCESS));
    case 3: {
        char target[400] = "";
        said("readlink", one, "", readlinkat(at, one, target, sizeof target - 1));
        printf("  %s\n", target);
        return;
    }
    default:
        said("stat", one, "", fstatat(at, one, memset(&st, 0, sizeof st), flags));
        printf("  %o %d %d %ld\n", st.st_mode, st.st_uid, st.st_gid, S_ISDIR(st.st_mode) ? 0 : (long)st.st_nlink);
    }
}

static int by_name(const void *a, const void *b) { return strcmp(a, b); }

static void extended(void) {
    static const char *const names[] = {"user.a", "user.b", "user.longer-name", "user.", "a", "other.a"};
    const char *one = path(), *attribute = names[draw(4) ? draw(3) : 3 + draw(3)];
    char value[256] = "";
    size_t len = draw(draw(4) ? 20 : 200);
    long result;
    for (size_t i = 0; i < len; i++) value[i] = draw(256);
    switch (draw(5)) {
    case 0: case 1:
        return said("setxattr", one, attribute, setxattr(one, attribute, value, len, draw(3) ? 0 : 1 + draw(2)));
    case 2:
        said("getxattr", one, attribute, result = getxattr(one, attribute, bytes, len * 4));
        if (result > 0 && len) printf("  %08x\n", sum(result));
        return;
    case 3: return said("removexattr", one, attribute, removexattr(one, attribute));
    default: {
        char listed[1024], each[16][64];
        int count = 0;
        said("listxattr", one, "", result = listxattr(one, listed, sizeof listed));
        for (char *next = listed; result > 0 && next < listed + result && count < 16; next += strlen(next) + 1)
            snprintf(each[count++], sizeof *each, "%.63s", next);
        qsort(each, count, sizeof *each, by_name);
        for (int i = 0; i < count; i++) printf("  %s\n", each[i]);
    }
    }
}

static void enter(void) {
    const char *one = path();
    int fd = descriptor();
    char at[4096];
    switch (draw(8)) {
    case 0: case 1: case 2: return said("chdir", "..", "", chdir(draw(2) ? getenv("TOP") : "."));
    case 3: return said("fchdir", "", "", fchdir(fd));
    case 4: case 5: return said("chdir", one, "", chdir(one));
    default: {
        const char *top = getenv("TOP");
        char *found = getcwd(at, sizeof at);
        said("getcwd", "", "", found ? 0 : -1);
        if (found) printf("  %s\n", strncmp(at, top, strlen(top)) ? "outside" : at + strlen(top));
    }
    }
}

static void begin_stream(int stream) {
    const char *one = path();
    int fd = openat(start(), one, O_RDONLY | O_DIRECTORY);
    said("opendir", one, "", fd < 0 ? fd : 0);
    streams[stream].count = 0;
    if (fd >= 0) streams[stream].open = fdopendir(fd);
}

// Reads some of what is left, while others may change names. Which of those show is not said anywhere.
static void go_on_with_stream(int stream, int most) {
    struct dirent *entry;
    while (most-- > 0 && (entry = readdir(streams[stream].open)))
        if (streams[stream].count < SEEN_MAX)
            snprintf(streams[stream].seen[streams[stream].count++], 64, "%.63s", entry->d_name);
}

static void end_stream(int stream) {
    struct stat st;
    go_on_with_stream(stream, SEEN_MAX);
    int count = streams[stream].count;
    char(*seen)[64] = streams[stream].seen;
    qsort(seen, count, sizeof *seen, by_name);
    said("listed", "", "", fstat(dirfd(streams[stream].open), &st));
    for (int i = 0; i < count; i++) {
        if (i > 0 && !strcmp(seen[i], seen[i - 1])) printf("  twice: %s\n", seen[i]);
        else if (!strncmp(seen[i], "keep-", 5)) printf("  %s\n", seen[i]);
    }
    closedir(streams[stream].open);
    streams[stream].open = NULL;
}

static void use_stream(void) {
    int stream = draw(STREAMS);
    if (!streams[stream].open) begin_stream(stream);
    else if (draw(3)) go_on_with_stream(stream, draw(12));
    else if (draw(6) == 0) { rewinddir(streams[stream].open); streams[stream].count = 0; }
    else end_stream(stream);
}

static void use_open(void) {
    int fd = descriptor();
    ssize_t done;
    struct stat st;
    char number[12];
    snprintf(number, sizeof number, "%d", fd);
    switch (draw(8)) {
    case 0: for (size_t i = 0; i < 300; i++) bytes[i] = draw(256);
        return said("write", number, "", write(fd, bytes, 300));
    case 1:
        said("pread", number, "", done = pread(fd, bytes, LENGTH_MAX, draw(200)));
        if (done > 0) printf("  %08x\n", sum(done));
        return;
    case 2: return said("ftruncate", number, "", ftruncate(fd, draw(5000)));
    case 3: return said("flock", number, "", flock(fd, (draw(3) ? LOCK_SH : draw(2) ? LOCK_EX : LOCK_UN) | LOCK_NB));
    case 4: return said("fchmod", number, "", fchmod(fd, 0700 | draw(010000)));
    case 5: return said("fsync", number, "", fsync(fd));
    case 6:
        said("fstat", number, "", fstat(fd, memset(&st, 0, sizeof st)));
        printf("  %o %d %d %ld\n", st.st_mode, st.st_uid, st.st_gid, S_ISDIR(st.st_mode) ? 0 : (long)st.st_nlink);
        return;
    default: close(fd); printf("%c close %d\n", who, fd);
    }
}

static void step(void) {
    switch (draw(16)) {
    case 0: case 1: open_one(); break;
    case 2: case 3: case 4: case 5: case 6: case 7: change(); break;
    case 8: case 9: attributes(); break;
    case 10: extended(); break;
    case 11: enter(); break;
    case 12: case 13: use_stream(); break;
    default: use_open();
    }
    fflush(stdout);
}

// The whole tree below a directory, in the order of names.
static void list(int at, const char *folder, int depth) {
    static char each[24][SEEN_MAX][64];
    int fd = openat(at, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), count = 0;
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory || depth == 24) return said("opendir", folder, "", -1);
    for (struct dirent *entry; (entry = readdir(directory)) && count < SEEN_MAX;)
        snprintf(each[depth][count++], 64, "%.63s", entry->d_name);
    qsort(each[depth], count, sizeof **each, by_name);
    for (int i = 0; i < count; i++) {
        const char *found = each[depth][i];
        struct stat st;
        if (!strcmp(found, ".") || !strcmp(found, "..")) continue;
        if (fstatat(fd, found, &st, AT_SYMLINK_NOFOLLOW)) { said("stat", found, "", -1); continue; }
        printf("%*s%s %o %d %d %ld\n", depth, "", found, st.st_mode, st.st_uid, st.st_gid, S_ISDIR(st.st_mode) ? 0 : (long)st.st_nlink);
        if (S_ISDIR(st.st_mode)) list(fd, found, depth + 1);
        int file = S_ISREG(st.st_mode) ? openat(fd, found, O_RDONLY) : -1;
        if (file < 0) continue;
        ssize_t done = read(file, bytes, LENGTH_MAX);
        printf("%*s%ld %08x\n", depth, "", (long)st.st_size, sum(done));
        close(file);
    }
    closedir(directory);
}

static void prepare(void) {
    for (int i = 0; i < 40; i++) {
        char kept[32];
        snprintf(kept, sizeof kept, "%skeep-%d", i < 20 ? "" : i < 30 ? "sub/" : "sub/deep/", i);
        mkdir("sub", 0755);
        mkdir("sub/deep", 01777);
        close(open(kept, O_CREAT | O_WRONLY, 0644));
    }
    for (int i = 0; i < 150; i++) {
        const char *one = path(), *two = path();
        switch (draw(6)) {
        case 0: case 1: mkdir(one, draw(5) ? 0755 : 02775); break;
        case 2: if (symlink(one, two)) continue; break;
        case 3: if (link(one, two)) continue; break;
        default: {
            int fd = open(one, O_WRONLY | O_CREAT, 0644);
            if (fd >= 0 && write(fd, one, strlen(one)) < 0) return;
            close(fd);
        }
        }
    }
}

int main(int argc, char **argv) {
    begin(argc, argv, prepare);
    char top[4096];
    if (!getcwd(top, sizeof top)) return 1;
    setenv("TOP", top, 1);
    int turns[PROCESSES];
    pid_t children[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        int pair[2];
        socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
        turns[i] = fcntl(pair[0], F_DUPFD, 100);
        int own = fcntl(pair[1], F_DUPFD, 100);
        close(pair[0]);
        close(pair[1]);
        fflush(stdout);
        if ((children[i] = fork())) { close(own); continue; }
        who = 'a' + i;
        for (int j = 0; j <= i; j++) close(turns[j]);
        while (read(own, &state, sizeof state) == sizeof state) {
            step();
            if (write(own, &state, sizeof state) < 0) return 1;
        }
        for (int stream = 0; stream < STREAMS; stream++) if (streams[stream].open) end_stream(stream);
        fflush(stdout);
        return 0;
    }
    for (int i = 0; i < STEPS; i++) {
        int next = turns[draw(PROCESSES)];
        if (write(next, &state, sizeof state) < 0 || read(next, &state, sizeof state) < 0) return 1;
    }
    for (int i = 0; i < PROCESSES; i++) {
        close(turns[i]);
        waitpid(children[i], NULL, 0);
    }
    list(AT_FDCWD, ".", 0);
    return 0;
}
