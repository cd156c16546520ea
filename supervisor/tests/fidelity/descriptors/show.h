// What all programs of this folder print with.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SHOW(what, call) \
    do { \
        errno = 0; \
        long result_ = (long)(call); \
        printf("%s: %ld%s%s\n", what, result_, result_ < 0 ? " " : "", result_ < 0 ? strerror(errno) : ""); \
    } while (0)
