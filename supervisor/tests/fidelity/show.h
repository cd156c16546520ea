// Shows what a call came to, with the error that it set.
#include <errno.h>
#include <stdio.h>
#include <string.h>

// The call comes before errno is looked at: arguments are evaluated in any order.
#define SHOW(call) \
    do { \
        errno = 0; \
        long result = (call); \
        printf("%s: %s %s\n", #call, result < 0 ? "failed" : "done", strerror(errno)); \
    } while (0)
