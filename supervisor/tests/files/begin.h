// How programs begin whose calls on files are drawn from a seed. Who includes it has included `drawn.h`.
// Arguments: a seed, and `prepare` to only make the files that the calls find, or `use`.
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

// Returns when there are calls to make.
static void begin(int argc, char **argv, void (*prepare)(void)) {
    if (argc < 3) exit(2);
    state = strtoull(argv[1], NULL, 10);
    umask(022);
    close_range(3, ~0U, 0);
    if (!strcmp(argv[2], "prepare")) {
        prepare();
        exit(0);
    }
    // Others than those that have made the files.
    state += 1000003;
}
