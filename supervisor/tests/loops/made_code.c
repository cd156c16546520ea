// Waits in a loop of code that the program has made itself, which simrun never changes.
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int flag;

static void *set(void *unused)
{
    sleep(1);
    __atomic_store_n(&flag, 1, __ATOMIC_SEQ_CST);
    return unused;
}

int main(void)
{
    // cmpl $0, (%rdi); je to it; ret
    static const unsigned char loop[] = {0x83, 0x3f, 0x00, 0x74, 0xfb, 0xc3};
    void *code = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(code, loop, sizeof loop);
    pthread_t thread;
    pthread_create(&thread, 0, set, 0);
    ((void (*)(int *))code)(&flag);
    pthread_join(thread, 0);
    puts(memcmp(code, loop, sizeof loop) ? "changed" : "done");
    return 0;
}
