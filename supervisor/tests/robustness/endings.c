// Programs that end badly, by name.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void segfault(void) { *(volatile int *)8 = 1; }

static void jump_to_nowhere(void) { ((void (*)(void))0x123456789000)(); }

static void jump_to_data(void)
{
    static char data[64];
    ((void (*)(void))(void *)data)();
}

static void jump_into_image(void) { ((void (*)(void))0x550000001001)(); }

static void jump_into_arena(void) { ((void (*)(void))0x551000000000)(); }

static void write_to_image(void) { *(volatile long *)0x550000001000 = 1; }

static void divide(void)
{
    int result = 1, zero = 0;
    __asm__ volatile("cltd\n idivl %1" : "+a"(result) : "r"(zero) : "edx");
    exit(result);
}

static void trap(void) { __builtin_trap(); }

static void breakpoint(void) { __asm__ volatile("int3"); }

static void privileged(void) { __asm__ volatile("hlt"); }

static void old_call(void)
{
    long result;
    // getpid of the 32-bit table.
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory");
    printf("%d\n", result == -ENOSYS);
    exit(3);
}

static void x32_call(void)
{
    exit(syscall(0x40000000 | SYS_getpid) == -1 && errno == ENOSYS ? 3 : 4);
}

// Behind a pointer, so that nobody proves it endless.
static int (*volatile again)(int);

static int deeper(int depth)
{
    volatile char frame[4096];
    frame[0] = (char)depth;
    return again(depth + 1) + frame[0];
}

static void overflow_stack(void)
{
    again = deeper;
    exit(again(0));
}

static void overwrite_stack(void)
{
    volatile char *here = (volatile char *)&here;
    for (int i = 0; i < 1 << 24; i++)
        here[i] = 0x41;
}

static void lose_stack(void)
{
    __asm__ volatile("mov $0x1000, %rsp\n mov $39, %eax\n syscall\n push %rax");
}

static void segfault_without_handler_stack(void)
{
    struct sigaction action = { .sa_handler = (void (*)(int))jump_to_nowhere };
    sigaction(SIGSEGV, &action, NULL);
    __asm__ volatile("mov $0x1000, %rsp\n push %rax");
}

static void bad_sigreturn(void)
{
    syscall(SYS_rt_sigreturn);
    _exit(9);
}

/* A call with the alignment check and the nested task flag set, as often as it takes to be served without a trap. */
static void call_with_odd_flags(void)
{
    for (int i = 0; i < 100; i++) {
        long result, odd_flags;
        __asm__ volatile("pushfq\n orl $0x44000, (%%rsp)\n popfq\n"
                         "mov $39, %%eax\n syscall\n"
                         "mov %%r11, %1\n"
                         "pushfq\n andl $~0x44000, (%%rsp)\n popfq"
                         : "=a"(result), "=r"(odd_flags) : : "rcx", "r11", "memory", "cc");
        if (result != getpid() || (odd_flags & 0x44000) != 0x44000)
            _exit(9);
    }
    _exit(3);
}

static void *crash(void *nothing)
{
    segfault();
    return nothing;
}

static void crash_in_thread(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, crash, NULL);
    pthread_join(thread, NULL);
}

static void unmap_all(void)
{
    syscall(SYS_munmap, 0, 0x7ffffffff000);
    _exit(9);
}

static void protect_all(void)
{
    extern char __executable_start, etext;
    char *start = (char *)((uintptr_t)&__executable_start & ~4095ul);
    mprotect(start, (size_t)(&etext - start), PROT_NONE);
    _exit(9);
}

// Everything below here must be an error, then the program ends with 3.
static void map_at_odd_places(void)
{
    uint64_t places[] = { 0x550000000000, 0x551000000000, 0x54fffffff000, 0x1000, 0x7ffffffff000, 0x800000000000,
                          0xffffffffff600000, 0x123 };
    size_t lengths[] = { 0, 1, 4096, 1 << 20, (size_t)-1, (size_t)-4096, 1ul << 46 };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        for (size_t j = 0; j < sizeof lengths / sizeof *lengths; j++) {
            void *at = (void *)places[i];
            void *hinted = mmap(at, lengths[j], PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
            if (hinted != MAP_FAILED)
                munmap(hinted, lengths[j]);
            mmap(at, lengths[j], PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0);
            // The whole upper half would take the stack away.
            if (places[i] < 0x560000000000 && lengths[j] <= 1 << 20 && places[i] != 0x1000)
                mmap(at, lengths[j], PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
            munmap(at, lengths[j] > 1 << 20 ? 0 : lengths[j]);
            mprotect(at, lengths[j] > 1 << 20 ? 4096 : lengths[j], PROT_READ);
            madvise(at, lengths[j] > 1 << 20 ? 4096 : lengths[j], MADV_DONTNEED);
            mremap(at, 4096, lengths[j], MREMAP_MAYMOVE);
        }
    exit(3);
}

static void fork_without_end(void)
{
    for (int children = 0;; children++) {
        pid_t child = fork();
        if (child == -1) {
            printf("%d\n", errno == EAGAIN && children > 10);
            fflush(stdout);
            _exit(3);
        }
        if (child == 0)
            pause();
    }
}

static void thread_without_end(void)
{
    for (int threads = 0;; threads++) {
        pthread_t thread;
        pthread_attr_t small;
        pthread_attr_init(&small);
        pthread_attr_setstacksize(&small, 16384);
        int error = pthread_create(&thread, &small, (void *(*)(void *))pause, NULL);
        if (error) {
            printf("%d\n", error == EAGAIN && threads > 10);
            exit(3);
        }
    }
}

static void open_without_end(void)
{
    struct rlimit most;
    getrlimit(RLIMIT_NOFILE, &most);
    most.rlim_cur = most.rlim_max;
    setrlimit(RLIMIT_NOFILE, &most);
    for (int open_ones = 0;; open_ones++) {
        if (open("/etc/passwd", O_RDONLY) == -1) {
            printf("%d\n", (errno == EMFILE || errno == ENFILE) && open_ones > 100);
            exit(3);
        }
    }
}

static void pipe_without_end(void)
{
    int ends[2];
    while (pipe(ends) == 0)
        ;
    printf("%d\n", errno == EMFILE || errno == ENFILE);
    exit(3);
}

static void allocate_without_end(void)
{
    size_t size = 64 << 20;
    for (int pieces = 0;; pieces++) {
        char *piece = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (piece == MAP_FAILED) {
            printf("%d\n", errno == ENOMEM);
            exit(3);
        }
    }
}

static const struct {
    const char *name;
    void (*run)(void);
} endings[] = {
#define ENDING(name) { #name, name }
    ENDING(segfault), ENDING(abort), ENDING(jump_to_nowhere), ENDING(jump_to_data), ENDING(jump_into_image),
    ENDING(jump_into_arena), ENDING(write_to_image), ENDING(divide), ENDING(trap), ENDING(breakpoint), ENDING(privileged), ENDING(old_call),
    ENDING(x32_call), ENDING(overflow_stack), ENDING(overwrite_stack), ENDING(lose_stack),
    ENDING(segfault_without_handler_stack), ENDING(bad_sigreturn), ENDING(call_with_odd_flags), ENDING(crash_in_thread), ENDING(unmap_all),
    ENDING(protect_all), ENDING(map_at_odd_places), ENDING(fork_without_end), ENDING(thread_without_end),
    ENDING(open_without_end), ENDING(pipe_without_end), ENDING(allocate_without_end),
};

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    for (size_t i = 0; argc > 1 && i < sizeof endings / sizeof *endings; i++)
        if (strcmp(endings[i].name, argv[1]) == 0)
            endings[i].run();
    return 99;
}
