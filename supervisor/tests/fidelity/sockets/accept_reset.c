/* A connection that was reset before it was accepted is accepted all the same, with the address it came from. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    bind(listener, (struct sockaddr *)&address, len);
    listen(listener, 5);
    getsockname(listener, (struct sockaddr *)&address, &len);

    int client = socket(AF_INET, SOCK_STREAM, 0);
    printf("connect: %d\n", connect(client, (struct sockaddr *)&address, len));
    struct sockaddr_in own;
    len = sizeof own;
    getsockname(client, (struct sockaddr *)&own, &len);
    struct linger linger = {1, 0};
    setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(client);

    struct sockaddr_in peer;
    memset(&peer, 0, sizeof peer);
    len = sizeof peer;
    int server = accept(listener, (struct sockaddr *)&peer, &len);
    printf("accept: %d, right address: %d\n", server >= 0, peer.sin_port == own.sin_port);
    printf("getpeername: %d ", getpeername(server, (struct sockaddr *)&peer, &len));
    printf("%s\n", strerror(errno));
    char byte;
    printf("read: %zd ", read(server, &byte, 1));
    printf("%s\n", strerror(errno));
    printf("read: %zd\n", read(server, &byte, 1));
    return 0;
}
