// A thread waits for a flag without a call.
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

static atomic_int flag;

static void *set(void *unused) {
    atomic_store(&flag, 1);
    return unused;
}

int main(void) {
    pthread_t thread;
    pthread_create(&thread, 0, set, 0);
    while (!atomic_load(&flag)) __builtin_ia32_pause();
    pthread_join(thread, 0);
    puts("done");
    return 0;
}
