// Requests of ioctl(2) that few programs make: other shapes of a terminal's modes, entropy, clones of files.
#include <asm/termbits.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/random.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../show.h"

static void tell(int terminal) {
    struct termios plain;
    struct termios2 speedy;
    ioctl(terminal, TCGETS, &plain);
    ioctl(terminal, TCGETS2, &speedy);
    printf("  %x %x %x %x %d, at %u and %u\n", plain.c_iflag, plain.c_oflag, plain.c_cflag, plain.c_lflag, plain.c_cc[VEOF],
           speedy.c_ispeed, speedy.c_ospeed);
}

int main(void) {
    setbuf(stdout, 0);
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    grantpt(master);
    unlockpt(master);
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    // Room for more than a struct termio, whose fields are shorter and otherwise in the same order.
    unsigned short modes[16] = {0};
    struct termios2 speedy;
    tell(terminal);
    SHOW(ioctl(terminal, TCGETA, modes));
    printf("  %x %x %x %x\n", modes[0], modes[1], modes[2], modes[3]);
    modes[3] &= ~ECHO;
    ((unsigned char *)modes)[9 + VEOF] = 7;
    SHOW(ioctl(terminal, TCSETA, modes));
    tell(terminal);
    SHOW(ioctl(terminal, TCSETAW, modes));
    SHOW(ioctl(terminal, TCSETAF, modes));
    SHOW(ioctl(terminal, TCGETA, (void *)8));
    SHOW(ioctl(terminal, TCGETS2, &speedy));
    speedy.c_cflag = (speedy.c_cflag & ~CBAUD) | B115200;
    speedy.c_lflag |= ECHO;
    SHOW(ioctl(terminal, TCSETS2, &speedy));
    tell(terminal);
    SHOW(ioctl(terminal, TCSETSW2, &speedy));
    SHOW(ioctl(terminal, TCSETSF2, &speedy));
    int random = open("/dev/random", O_RDONLY), null = open("/dev/null", O_RDWR), entropy = 0;
    SHOW(ioctl(random, RNDGETENTCNT, &entropy));
    printf("  %d\n", entropy);
    SHOW(ioctl(null, RNDGETENTCNT, &entropy));
    char name[] = "/tmp/odd_requests.XXXXXX", other[] = "/tmp/odd_requests.XXXXXX";
    int target = mkstemp(name), source = mkstemp(other), folder = open("/tmp", O_RDONLY);
    int path = open(other, O_PATH), writer = open(other, O_WRONLY), reader = open(name, O_RDONLY);
    SHOW(ioctl(target, FICLONE, -1));
    SHOW(ioctl(target, FICLONE, path));
    SHOW(ioctl(target, FICLONE, folder));
    SHOW(ioctl(folder, FICLONE, source));
    SHOW(ioctl(target, FICLONE, null));
    SHOW(ioctl(target, FICLONE, writer));
    SHOW(ioctl(reader, FICLONE, source));
    // Whether it can be done otherwise, each disk says for itself.
    fcntl(target, F_SETFL, O_APPEND);
    SHOW(ioctl(target, FICLONE, source));
    unlink(name);
    unlink(other);
    return 0;
}
