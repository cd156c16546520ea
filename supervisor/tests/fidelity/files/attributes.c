// Modes, owners, lengths and times; the times are compared with each other only.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int compare(struct timespec a, struct timespec b) {
    if (a.tv_sec != b.tv_sec) return a.tv_sec < b.tv_sec ? -1 : 1;
    return a.tv_nsec < b.tv_nsec ? -1 : a.tv_nsec > b.tv_nsec;
}

static struct stat of(const char *path) {
    struct stat st;
    if (lstat(path, &st)) memset(&st, 0, sizeof st);
    return st;
}

static void wait_a_little(void) { nanosleep(&(struct timespec){0, 30000000}, 0); }

int main(void) {
    umask(0);
    mkdir("d", 0755);
    int fd = open("d/f", O_CREAT | O_RDWR, 0640);
    struct stat a = of("d/f"), b, dir = of("d");
    printf("made %o %d %d\n", a.st_mode, compare(a.st_mtim, a.st_ctim), compare(a.st_mtim, dir.st_mtim));
    wait_a_little();
    if (write(fd, "hello", 5) != 5) return 1;
    b = of("d/f");
    printf("written %d %d size %d\n", compare(a.st_mtim, b.st_mtim), compare(b.st_mtim, b.st_ctim), (int)b.st_size);
    wait_a_little();
    printf("chmod %d\n", chmod("d/f", 0400));
    a = of("d/f");
    printf("mode %o %d %d\n", a.st_mode, compare(a.st_mtim, b.st_mtim), compare(a.st_ctim, b.st_ctim));
    printf("fchmod %d %d\n", fchmod(fd, 07777), fchmodat(AT_FDCWD, "d/f", 0644, 0));
    struct timespec times[2] = {{1000, 7}, {2000, 9}};
    printf("utimens %d\n", futimens(fd, times));
    a = of("d/f");
    printf("%ld.%ld %ld.%ld\n", (long)a.st_atim.tv_sec, a.st_atim.tv_nsec, (long)a.st_mtim.tv_sec, a.st_mtim.tv_nsec);
    times[0].tv_nsec = UTIME_OMIT;
    times[1] = (struct timespec){-5, 1};
    printf("utimens %d\n", utimensat(AT_FDCWD, "d/f", times, 0));
    a = of("d/f");
    printf("%ld.%ld %ld.%ld\n", (long)a.st_atim.tv_sec, a.st_atim.tv_nsec, (long)a.st_mtim.tv_sec, a.st_mtim.tv_nsec);
    times[0].tv_nsec = 2000000000;
    printf("bad %d %s\n", utimensat(AT_FDCWD, "d/f", times, 0), strerror(errno));
    symlink("f", "d/l");
    struct timeval tv[2] = {{11, 0}, {12, 5}};
    int done = lutimes("d/l", tv);
    printf("lutimes %d %ld %ld\n", done, (long)of("d/l").st_mtim.tv_sec, (long)of("d/f").st_mtim.tv_sec);
    printf("touch %d\n", utimes("d/f", 0));
    printf("now %d\n", compare(of("d/f").st_mtim, of("d").st_mtim) >= 0);
    printf("truncate %d %d\n", truncate("d/f", 10000), (int)of("d/f").st_size);
    printf("ftruncate %d %d\n", ftruncate(fd, 3), (int)of("d/f").st_size);
    printf("negative %d %s\n", ftruncate(fd, -1), strerror(errno));
    printf("directory %d %s\n", truncate("d", 0), strerror(errno));
    int ro = open("d/f", O_RDONLY);
    printf("reader %d %s\n", ftruncate(ro, 0), strerror(errno));
    printf("allocate %d %d\n", fallocate(fd, 0, 100, 100), (int)of("d/f").st_size);
    printf("keep size %d %d\n", fallocate(fd, FALLOC_FL_KEEP_SIZE, 1000, 100), (int)of("d/f").st_size);
    printf("chown %d %d\n", chown("d/f", getuid(), getgid()), fchown(fd, -1, -1));
    printf("access %d %d %d\n", access("d/f", R_OK), access("d/none", F_OK), access("d/f", 8));
    wait_a_little();
    dir = of("d");
    link("d/f", "d/g");
    printf("link %d\n", compare(dir.st_mtim, of("d").st_mtim));
    a = of("d/g");
    wait_a_little();
    unlink("d/g");
    printf("unlink %d %d\n", compare(a.st_ctim, of("d/f").st_ctim), compare(dir.st_mtim, of("d").st_mtim));
    struct statx sx;
    done = statx(AT_FDCWD, "d/f", 0, STATX_BASIC_STATS, &sx);
    printf("statx %d %d %o\n", done, (int)sx.stx_size, sx.stx_mode);
    struct statfs sf;
    int got = statfs("d", &sf);
    printf("statfs %d %ld\n", got, (long)sf.f_namelen);
    printf("sync %d %d\n", fsync(fd), fdatasync(fd));
    printf("seek %d %d\n", (int)lseek(fd, 5, SEEK_DATA), (int)lseek(fd, 1 << 20, SEEK_HOLE));
    printf("%s\n", strerror(errno));
    return 0;
}
