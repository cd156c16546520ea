// Waits in a loop for what never comes: alone, or two for each other.
#include <pthread.h>

static volatile int first, second;

static void *wait_for_second(void *unused)
{
    while (!second)
        ;
    first = 1;
    return unused;
}

int main(int argc, char **argv)
{
    (void)argv;
    pthread_t thread;
    if (argc > 1)
        pthread_create(&thread, 0, wait_for_second, 0);
    while (!first)
        ;
    second = 1;
    return 0;
}
