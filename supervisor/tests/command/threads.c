// Threads whose order of output is the scheduler's.
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static void *work(void *number)
{
    for (int i = 0; i < 20; i++) {
        char line[32];
        int len = snprintf(line, sizeof line, "%d %d\n", (int)(intptr_t)number, i);
        if (write(1, line, len) != len)
            return 0;
        struct timespec pause = { 0, 1000 };
        nanosleep(&pause, 0);
    }
    return 0;
}

int main(void)
{
    pthread_t threads[4];
    for (intptr_t i = 0; i < 4; i++)
        pthread_create(&threads[i], 0, work, (void *)i);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], 0);
    return 7;
}
