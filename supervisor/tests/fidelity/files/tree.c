// Making, removing, linking and renaming, with the errors of each.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// The call comes before errno is looked at: arguments are evaluated in any order.
#define TRY(call) \
    do { \
        errno = 0; \
        long result = (long)(call); \
        printf("%s: %s\n", result == -1 ? #call " fails" : #call, strerror(errno)); \
    } while (0)

static void list(const char *path) {
    struct dirent **names;
    int n = scandir(path, &names, 0, alphasort);
    printf("%s:", path);
    for (int i = 0; i < n; i++) printf(" %s/%d", names[i]->d_name, names[i]->d_type);
    printf("\n");
}

static void touch(const char *path, const char *text) {
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0666);
    if (write(fd, text, strlen(text)) < 0) perror("write");
    close(fd);
}

int main(void) {
    setbuf(stdout, 0);
    umask(027);
    struct stat st;
    TRY(mkdir("a", 0777));
    stat("a", &st);
    printf("%o\n", st.st_mode);
    TRY(mkdir("a", 0777));
    TRY(mkdir("b/", 0777));
    TRY(mkdir("x/y", 0777));
    TRY(mkdir(".", 0777));
    TRY(mkdir("..", 0777));
    TRY(mkdir("/", 0777));
    TRY(mkdir("/proc/x", 0777));
    touch("a/f", "one");
    stat("a/f", &st);
    printf("%o\n", st.st_mode);
    TRY(mkdir("a/f/x", 0777));
    TRY(mkdir("a/f/", 0777));
    TRY(symlink("f", "a/l"));
    TRY(symlink("f", "a/l"));
    TRY(symlink("", "a/m"));
    TRY(symlink("f", "a/m/"));
    TRY(link("a/f", "a/h"));
    TRY(link("a/l", "a/hl"));
    TRY(linkat(AT_FDCWD, "a/l", AT_FDCWD, "a/hf", AT_SYMLINK_FOLLOW));
    TRY(link("a", "b/a"));
    TRY(link("nothing", "b/a"));
    struct stat other;
    stat("a/h", &st);
    stat("a/f", &other);
    printf("same %d links %d\n", st.st_ino == other.st_ino && st.st_dev == other.st_dev, (int)st.st_nlink);
    list("a");
    TRY(mkfifo("a/fifo", 0666));
    TRY(mknod("a/plain", 0666, 0));
    TRY(mknod("a/f", S_IFIFO | 0666, 0));
    list("a");
    TRY(unlink("a"));
    TRY(unlink("a/none"));
    TRY(unlink("a/plain/"));
    TRY(unlink("a/plain"));
    TRY(unlink("a/."));
    TRY(rmdir("a/."));
    TRY(rmdir("a/.."));
    TRY(rmdir("a"));
    TRY(rmdir("a/f"));
    TRY(rmdir("a/l"));
    TRY(rmdir("b/"));
    TRY(rmdir("b"));
    TRY(rename("a/f", "a/g"));
    TRY(rename("a/none", "a/g"));
    TRY(rename("a/g", "a/h"));
    list("a");
    mkdir("c", 0755);
    mkdir("c/d", 0755);
    TRY(rename("c", "c/d/e"));
    TRY(rename("c", "a"));
    TRY(rename("a/g", "c"));
    TRY(rename("c", "a/g"));
    TRY(rename("a/g", "new/"));
    TRY(rename("c/.", "n"));
    TRY(rename("c", "n/"));
    list("n");
    touch("one", "1");
    touch("two", "22");
    TRY((int)syscall(SYS_renameat2, AT_FDCWD, "one", AT_FDCWD, "two", 1));
    TRY((int)syscall(SYS_renameat2, AT_FDCWD, "one", AT_FDCWD, "two", 2));
    stat("one", &st);
    printf("exchanged %d\n", (int)st.st_size);
    TRY((int)syscall(SYS_renameat2, AT_FDCWD, "one", AT_FDCWD, "two", 3));
    chdir("n/d");
    rename("../../n", "../../m");
    char here[4096];
    getcwd(here, sizeof here);
    printf("here %s\n", here + strlen(here) - 4);
    char nameless[40];
    snprintf(nameless, sizeof nameless, "/proc/self/fd/%d", open(".", O_TMPFILE | O_RDWR, 0600));
    TRY(linkat(AT_FDCWD, nameless, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
    TRY(linkat(AT_FDCWD, nameless, AT_FDCWD, "again", AT_SYMLINK_FOLLOW));
    unlink("named");
    unlink("again");
    TRY(linkat(AT_FDCWD, nameless, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
    mkdir("gone", 0755);
    chdir("gone");
    rmdir("../gone");
    printf("%s %s\n", getcwd(here, sizeof here) ? "there" : "gone", strerror(errno));
    TRY(open("x", O_CREAT | O_WRONLY, 0666));
    TRY(mkdir("x", 0777));
    int t = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    printf("nameless %d\n", t >= 0);
    fstat(t, &st);
    printf("links %d\n", (int)st.st_nlink);
    return 0;
}
