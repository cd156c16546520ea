// Five threads wait for a semaphore, one after the other; who is woken by each post says so.
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <unistd.h>

static sem_t gate, passed;

static void *wait_for_it(void *number)
{
    sem_wait(&gate);
    printf("%d ", *(int *)number);
    sem_post(&passed);
    return NULL;
}

int main(void)
{
    pthread_t threads[5];
    int numbers[5];
    sem_init(&gate, 0, 0);
    sem_init(&passed, 0, 0);
    for (int i = 0; i < 5; i++) {
        numbers[i] = i;
        pthread_create(&threads[i], NULL, wait_for_it, &numbers[i]);
        usleep(1000);
    }
    for (int i = 0; i < 5; i++) {
        sem_post(&gate);
        sem_wait(&passed);
    }
    for (int i = 0; i < 5; i++)
        pthread_join(threads[i], NULL);
    printf("\n");
    return 0;
}
