// A program that prints, and exits with a status of its own.
#include <stdio.h>

int main(int argc, char **argv) {
    printf("%d %s\n", argc, argv[1] ? argv[1] : "none");
    fprintf(stderr, "to stderr\n");
    return 3;
}
