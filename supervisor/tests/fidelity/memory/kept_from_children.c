// Memory that children do not get, or get empty (madvise(2), fork(2)).
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 4 };

static char *memory;
static sigjmp_buf back;

static void on_fault(int signal) { siglongjmp(back, 1); }

static void look(const char *who) {
    printf("%s:", who);
    for (int i = 0; i < PAGES; i++) {
        if (sigsetjmp(back, 1)) printf(" none");
        else printf(" %d", ((volatile char *)memory)[i * PAGE]);
    }
    printf(" here %d\n", mmap(memory + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != MAP_FAILED);
    fflush(stdout);
}

static void child(const char *who) {
    if (fork() == 0) {
        look(who);
        if (fork() == 0) {
            look("  its child");
            _exit(0);
        }
        wait(NULL);
        _exit(0);
    }
    wait(NULL);
}

int main(void) {
    setbuf(stdout, NULL);
    signal(SIGSEGV, on_fault);
    memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < PAGES; i++) memory[i * PAGE] = i + 1;
    printf("%d", madvise(memory + PAGE, PAGE, MADV_DONTFORK));
    printf(" %d\n", madvise(memory + 2 * PAGE, PAGE, MADV_WIPEONFORK));
    child("child");
    look("parent");
    printf("%d", madvise(memory, PAGES * PAGE, MADV_DOFORK));
    printf(" %d\n", madvise(memory + 2 * PAGE, PAGE, MADV_KEEPONFORK));
    child("another");
    return 0;
}
