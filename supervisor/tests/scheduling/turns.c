// Threads that make calls and note whose turn it is: `turns THREADS CALLS`. Prints the turns, as in `a3b1a2`, and the longest
// time in milliseconds that a thread waited between two calls.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int calls, taken;
static char *turns;
static double longest;
static pthread_barrier_t ready;

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1e3 + at.tv_nsec / 1e6;
}

static void *work(void *letter)
{
    pthread_barrier_wait(&ready);
    double last = now();
    for (int i = 0; i < calls; i++) {
        syscall(SYS_getppid);
        turns[taken++] = *(char *)letter;
        double at = now();
        if (at - last > longest)
            longest = at - last;
        last = at;
    }
    return NULL;
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 2;
    calls = argc > 2 ? atoi(argv[2]) : 100;
    turns = calloc(count, calls);
    pthread_t threads[26];
    char letters[26];
    pthread_barrier_init(&ready, NULL, count);
    for (int i = 0; i < count; i++) {
        letters[i] = 'a' + i;
        pthread_create(&threads[i], NULL, work, &letters[i]);
    }
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0, from = 0; i <= taken; i++)
        if (i == taken || turns[i] != turns[from]) {
            printf("%c%d", turns[from], i - from);
            from = i;
        }
    printf("\n%.0f\n", longest);
    return 0;
}
