// openat2: what is refused, and where a path may lead under each of its restrictions.
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../descriptors/show.h"

static int here;

static long openat2(const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {flags, mode, resolve};
    return syscall(SYS_openat2, here, path, &how, sizeof how);
}

static void try(const char *path, uint64_t resolve) {
    static const char *names[] = {"no-crossing", "no-magic", "no-links", "beneath", "in-root", "cached"};
    errno = 0;
    int fd = openat2(path, O_RDONLY, 0, resolve), bit = 0;
    char text[10] = "";
    if (fd >= 0) read(fd, text, 9), close(fd);
    while (bit < 5 && !(resolve >> bit & 1)) bit++;
    printf("%s %s: %s\n", resolve ? names[bit] : "free", path, fd < 0 ? strerror(errno) : text[0] ? text : "opened");
}

static void put(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    write(fd, text, strlen(text));
    close(fd);
}

int main(void) {
    char absolute[4200], path[100];
    mkdir("outer", 0700), mkdir("outer/root", 0700), mkdir("outer/root/deep", 0700);
    put("outer/outside", "outside"), put("outer/root/inside", "inside"), put("outer/root/deep/file", "deep");
    symlink("inside", "outer/root/link"), symlink("../outside", "outer/root/up"), symlink("/inside", "outer/root/absolute");
    symlink("deep", "outer/root/way"), symlink("../inside", "outer/root/deep/back");
    here = AT_FDCWD;
    SHOW("plain", openat2("outer/outside", O_RDONLY, 0, 0) >= 0);
    SHOW("mode without creating", openat2("outer/outside", O_RDONLY, 0600, 0));
    SHOW("mode of too much", openat2("outer/new", O_RDWR | O_CREAT, 010000, 0));
    SHOW("unknown flag", openat2("outer/outside", 1ull << 40, 0, 0));
    SHOW("unknown restriction", openat2("outer/outside", O_RDONLY, 0, 1 << 10));
    SHOW("two roots", openat2("outer/outside", O_RDONLY, 0, RESOLVE_BENEATH | RESOLVE_IN_ROOT));
    SHOW("path and more", openat2("outer/outside", O_PATH | O_APPEND, 0, 0));
    struct { struct open_how how; uint64_t more; } longer = {{O_RDONLY, 0, 0}, 0};
    SHOW("longer", syscall(SYS_openat2, here, "outer/outside", &longer, sizeof longer) >= 0);
    longer.more = 1;
    SHOW("longer and set", syscall(SYS_openat2, here, "outer/outside", &longer, sizeof longer));
    SHOW("shorter", syscall(SYS_openat2, here, "outer/outside", &longer, 16));
    here = open("outer/root", O_PATH | O_DIRECTORY);
    uint64_t all[] = {0, RESOLVE_NO_XDEV, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_BENEATH, RESOLVE_IN_ROOT};
    const char *paths[] = {"inside", "deep/file", "way/file", "link", "up", "absolute", "../outside", "deep/../inside",
                           "deep/../../outside", "deep/back", "nowhere", "/inside", "deep/../..//root/inside", "."};
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 14; j++)
            // Whether the root is on another file system depends on the machine.
            if (all[i] != RESOLVE_NO_XDEV || strcmp(paths[j], "absolute")) try(paths[j], all[i]);
    // Through an open file, into another file system.
    int fd = open("outer/outside", O_RDONLY);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    for (int i = 0; i < 4; i++) printf("%d: %d\n", i, openat2(path, O_RDONLY, 0, all[i]) >= 0 ? 0 : errno);
    printf("into /proc %d\n", openat2("/proc/self/status", O_RDONLY, 0, RESOLVE_NO_XDEV) >= 0 ? 0 : errno);
    if (getcwd(absolute, sizeof absolute)) SHOW("absolute", openat2(absolute, O_RDONLY, 0, RESOLVE_BENEATH));
    SHOW("made", openat2("new", O_RDWR | O_CREAT | O_EXCL, 0640, RESOLVE_BENEATH) >= 0);
    SHOW("made outside", openat2("../new", O_RDWR | O_CREAT, 0640, RESOLVE_BENEATH));
    SHOW("made at the root", openat2("/../rooted", O_RDWR | O_CREAT, 0640, RESOLVE_IN_ROOT) >= 0);
    SHOW("there", access("outer/root/rooted", F_OK));
    SHOW("link itself", openat2("link", O_PATH | O_NOFOLLOW, 0, RESOLVE_NO_SYMLINKS) >= 0);
    return 0;
}
