// Waits in a loop for a thread that never gets its turn.
#include <pthread.h>

static volatile int flag;

static void *set(void *unused)
{
    flag = 1;
    return unused;
}

int main(void)
{
    pthread_t thread;
    pthread_create(&thread, 0, set, 0);
    while (!flag)
        ;
    return 0;
}
