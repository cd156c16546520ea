// A send that does not fit waits until all of it has gone, also when a signal has cut it in two.
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define SIZE (12 << 20)

static void ignore(int number) { (void)number; }

static void *drain(void *arg) {
    static char buffer[1 << 16];
    size_t total = 0;
    ssize_t n;
    usleep(50000);
    pthread_kill(*(pthread_t *)arg, SIGUSR1);
    usleep(50000);
    int fd = ((int *)arg)[2];
    while (total < 2 * SIZE && (n = read(fd, buffer, sizeof buffer)) > 0) total += n;
    return (void *)(long)(total == 2 * SIZE);
}

int main(void) {
    setbuf(stdout, 0);
    struct sigaction action = {.sa_handler = ignore};
    sigaction(SIGUSR1, &action, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (void *)&address, len);
    listen(listener, 1);
    getsockname(listener, (void *)&address, &len);
    connect(client, (void *)&address, len);
    struct {
        pthread_t writer;
        int fd;
    } arg = {pthread_self(), accept(listener, 0, 0)};
    pthread_t reader;
    pthread_create(&reader, 0, drain, &arg);
    char *data = calloc(1, SIZE);
    size_t left = SIZE;
    ssize_t first = send(client, data, left, 0);
    printf("the signal cut it: %d\n", first > 0 && first < SIZE);
    left -= first;
    printf("the rest in one: %d\n", send(client, data, left, 0) == (ssize_t)left);
    printf("again in one: %d\n", send(client, data, SIZE, 0) == SIZE);
    void *all;
    pthread_join(reader, &all);
    printf("received all: %ld\n", (long)all);
    return 0;
}
