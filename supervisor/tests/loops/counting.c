// Waits in a loop that counts, so that it is never the same twice.
#include <pthread.h>

static volatile int flag;
unsigned long rounds;

static void *set(void *unused)
{
    flag = 1;
    return unused;
}

int main(void)
{
    pthread_t thread;
    unsigned long n = 0;
    pthread_create(&thread, 0, set, 0);
    while (!flag)
        n++;
    rounds = n;
    return 0;
}
