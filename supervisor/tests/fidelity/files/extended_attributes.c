// Extended attributes of the user namespace: setting, flags, sizes, listing, removal; which files have them; what
// renaming, linking, copying and removing a file means to them.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../descriptors/show.h"

static void names_of(const char *path) {
    char names[200];
    int len = listxattr(path, names, sizeof names), count = 0, own = 0;
    for (char *name = names; name < names + len; name += strlen(name) + 1) {
        count++;
        if (!strncmp(name, "user.", 5)) own++;
    }
    printf("%s: %d bytes, %d names, %d of the user's\n", path, len, count, own);
}

static void value_of(const char *path, const char *name) {
    char value[100] = "";
    errno = 0;
    int len = getxattr(path, name, value, sizeof value);
    printf("%s of %s: %d %s\n", name, path, len, len < 0 ? strerror(errno) : value);
}

int main(void) {
    char buffer[70000], name[300];
    int fd = open("file", O_RDWR | O_CREAT, 0600);
    mkdir("directory", 0700);
    symlink("file", "link");
    symlink("nowhere", "broken");
    mkfifo("fifo", 0600);
    names_of("file");
    value_of("file", "user.a");
    SHOW("set", setxattr("file", "user.a", "one", 3, 0));
    SHOW("create", setxattr("file", "user.a", "x", 1, XATTR_CREATE));
    SHOW("replace", setxattr("file", "user.b", "x", 1, XATTR_REPLACE));
    SHOW("both", setxattr("file", "user.b", "x", 1, XATTR_CREATE | XATTR_REPLACE));
    SHOW("unknown flag", setxattr("file", "user.b", "x", 1, 8));
    SHOW("create", setxattr("file", "user.b", "", 0, XATTR_CREATE));
    SHOW("replace", fsetxattr(fd, "user.a", "two", 3, XATTR_REPLACE));
    value_of("file", "user.a");
    value_of("file", "user.b");
    value_of("link", "user.a");
    names_of("file");
    SHOW("size", getxattr("file", "user.a", NULL, 0));
    SHOW("too small", getxattr("file", "user.a", buffer, 2));
    SHOW("size of list", listxattr("file", NULL, 0));
    SHOW("too small", listxattr("file", buffer, 3));
    SHOW("by descriptor", fgetxattr(fd, "user.a", buffer, 10));
    SHOW("by descriptor", flistxattr(fd, buffer, 100));
    SHOW("nowhere", getxattr("nowhere", "user.a", buffer, 10));
    SHOW("through a broken link", getxattr("broken", "user.a", buffer, 10));
    SHOW("no name", setxattr("file", "", "x", 1, 0));
    SHOW("no namespace", setxattr("file", "a", "x", 1, 0));
    SHOW("another namespace", setxattr("file", "strange.a", "x", 1, 0));
    memset(name, 'n', sizeof name);
    memcpy(name, "user.", 5);
    name[255] = 0;
    SHOW("longest name", setxattr("file", name, "x", 1, 0));
    SHOW("remove", removexattr("file", name));
    name[255] = 'n', name[256] = 0;
    SHOW("longer name", setxattr("file", name, "x", 1, 0));
    SHOW("longer value", setxattr("file", "user.c", buffer, 65537, 0));
    memset(buffer, 'v', 3000);
    SHOW("long value", setxattr("file", "user.c", buffer, 3000, 0));
    SHOW("long value", getxattr("file", "user.c", buffer, sizeof buffer));
    SHOW("remove", removexattr("file", "user.c"));
    SHOW("again", removexattr("file", "user.c"));
    // What has none.
    SHOW("link itself", lsetxattr("link", "user.a", "x", 1, 0));
    SHOW("link itself", lgetxattr("link", "user.a", buffer, 10));
    SHOW("link itself", llistxattr("link", NULL, 0) >= 0);
    SHOW("fifo", setxattr("fifo", "user.a", "x", 1, 0));
    SHOW("fifo", getxattr("fifo", "user.a", buffer, 10));
    SHOW("directory", setxattr("directory", "user.d", "dir", 3, 0));
    value_of("directory", "user.d");
    // They belong to the file, not to its name.
    link("file", "other");
    value_of("other", "user.a");
    rename("file", "moved");
    value_of("moved", "user.a");
    SHOW("set through another name", setxattr("moved", "user.a", "three", 5, 0));
    value_of("other", "user.a");
    unlink("moved");
    SHOW("still open", fgetxattr(fd, "user.a", buffer, 10));
    unlink("other");
    SHOW("without a name", fgetxattr(fd, "user.a", buffer, 10));
    int fresh = open("file", O_RDWR | O_CREAT, 0600);
    names_of("file");
    ftruncate(fresh, 100);
    int constant = open("file", O_RDONLY);
    SHOW("through a descriptor for reading", fsetxattr(constant, "user.r", "x", 1, 0));
    int place = open("file", O_PATH);
    SHOW("through a place", fgetxattr(place, "user.r", buffer, 10));
    struct stat before, after;
    stat("file", &before);
    usleep(20000);
    setxattr("file", "user.t", "x", 1, 0);
    stat("file", &after);
    printf("changed %d, modified %d\n", before.st_ctim.tv_nsec != after.st_ctim.tv_nsec,
           before.st_mtim.tv_nsec != after.st_mtim.tv_nsec);
    return 0;
}
