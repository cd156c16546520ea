// A client and a server over the loopback device: threads, then processes.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int listener(struct sockaddr_in *address) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t len = sizeof *address;
    memset(address, 0, len);
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)address, len) || listen(fd, 8)) perror("listen");
    getsockname(fd, (struct sockaddr *)address, &len);
    printf("listening: len %u, port given %d\n", len, address->sin_port != 0);
    return fd;
}

static void *echo(void *arg) {
    int fd = *(int *)arg;
    struct sockaddr_in peer;
    socklen_t len = sizeof peer;
    int c = accept(fd, (struct sockaddr *)&peer, &len);
    char buffer[1000];
    ssize_t n, total = 0;
    while ((n = read(c, buffer, sizeof buffer)) > 0) {
        total += n;
        for (ssize_t i = 0; i < n; i++) buffer[i]++;
        if (write(c, buffer, n) != n) perror("write");
    }
    printf("server: end %zd after %zd\n", n, total);
    close(c);
    return NULL;
}

static void client(struct sockaddr_in *address) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)address, sizeof *address)) perror("connect");
    char out[5000], in[5000];
    for (size_t i = 0; i < sizeof out; i++) out[i] = i;
    printf("send %zd\n", send(fd, out, sizeof out, 0));
    ssize_t n = recv(fd, in, sizeof in, MSG_WAITALL);
    int wrong = 0;
    for (ssize_t i = 0; i < n; i++) wrong += in[i] != (char)(out[i] + 1);
    printf("received %zd, wrong %d\n", n, wrong);
    int shut = shutdown(fd, SHUT_WR);
    printf("end %zd, shutdown %d\n", recv(fd, in, sizeof in, 0), shut);
    errno = 0;
    printf("after shutdown %zd errno %d\n", send(fd, out, 1, MSG_NOSIGNAL), errno == EPIPE);
    close(fd);
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    struct sockaddr_in address;
    int fd = listener(&address);
    pthread_t thread;
    pthread_create(&thread, NULL, echo, &fd);
    struct sockaddr_in copy = address;
    int c = socket(AF_INET, SOCK_STREAM, 0);
    close(c);
    // Only one side prints at a time: the server prints its end before the client sees it.
    client(&copy);
    pthread_join(thread, NULL);

    pid_t pid = fork();
    if (pid == 0) {
        close(fd);
        client(&address);
        exit(3);
    }
    echo(&fd);
    int status;
    waitpid(pid, &status, 0);
    printf("child %d\n", WEXITSTATUS(status));

    close(fd);
    int refused = socket(AF_INET, SOCK_STREAM, 0);
    int result = connect(refused, (struct sockaddr *)&address, sizeof address);
    printf("refused %d %s\n", result, strerror(errno));
    errno = 0;
    int none = socket(AF_INET, SOCK_STREAM, 0);
    char byte;
    printf("unconnected recv %zd %s\n", recv(none, &byte, 1, 0), strerror(errno));
    printf("unconnected send %zd %s\n", send(none, &byte, 1, MSG_NOSIGNAL), strerror(errno));
    return 0;
}
