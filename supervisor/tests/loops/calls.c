// Three threads wait for a fourth at one place, each in a loop that calls functions and writes to memory.
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static int ready;
static pthread_spinlock_t lock;

__attribute__((noinline)) static int look(void)
{
    pthread_spin_lock(&lock);
    int now = ready;
    pthread_spin_unlock(&lock);
    return now;
}

static void *wait(void *unused)
{
    while (!look())
        for (volatile int i = 0; i < 3; i++)
            __builtin_ia32_pause();
    return unused;
}

int main(void)
{
    pthread_t threads[3];
    pthread_spin_init(&lock, 0);
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], 0, wait, 0);
    sleep(2);
    pthread_spin_lock(&lock);
    ready = 1;
    pthread_spin_unlock(&lock);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], 0);
    puts("all have seen it");
    return 0;
}
