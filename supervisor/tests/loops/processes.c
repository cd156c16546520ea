// Waits in a loop for another process, by shared memory.
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    volatile int *shared = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (fork() == 0) {
        for (int i = 1; i <= 3; i++) {
            sleep(60);
            *shared = i;
            while (*shared)
                ;
        }
        _exit(0);
    }
    for (int i = 1; i <= 3; i++) {
        while (*shared != i)
            ;
        printf("%d\n", i);
        *shared = 0;
    }
    wait(0);
    return 0;
}
