// link: -lrt
// POSIX shared memory and semaphores between processes, by name.
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    char memory[64], semaphore[64];
    struct stat st;
    snprintf(memory, sizeof memory, "/simrun-fidelity-%d", getpid());
    snprintf(semaphore, sizeof semaphore, "/simrun-fidelity-sem-%d", getpid());
    int fd = shm_open(memory, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd < 0 || ftruncate(fd, 8192)) return 1;
    if (shm_open(memory, O_RDWR | O_CREAT | O_EXCL, 0600) >= 0) return 2;
    printf("again: %s\n", strerror(errno));
    int *shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    sem_t *sem = sem_open(semaphore, O_CREAT | O_EXCL, 0600, 0);
    if (shared == MAP_FAILED || sem == SEM_FAILED) return 3;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        int other = shm_open(memory, O_RDWR, 0);
        int *mine = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, other, 4096);
        sem_t *again = sem_open(semaphore, 0);
        if (other < 0 || mine == MAP_FAILED || again == SEM_FAILED) _exit(1);
        mine[3] = 77;
        sem_post(again);
        _exit(0);
    }
    sem_wait(sem);
    printf("shared %d\n", shared[1024 + 3]);
    int status;
    waitpid(pid, &status, 0);
    printf("child %d, size %d\n", WEXITSTATUS(status), fstat(fd, &st) ? -1 : (int)st.st_size);
    printf("unlink %d %d\n", shm_unlink(memory), sem_unlink(semaphore));
    printf("gone %d\n", shm_open(memory, O_RDWR, 0));
    printf("folder %o\n", stat("/dev/shm", &st) ? 0 : st.st_mode);
    return 0;
}
