// Every source of the processor's own randomness: device tokens and bare instructions of each width.
#include <cstdio>
#include <immintrin.h>
#include <random>

int main() {
    if (!__builtin_cpu_supports("rdrnd") || !__builtin_cpu_supports("rdseed")) return puts("none here"), 0;
    unsigned long long quad = 0;
    unsigned word = 0;
    unsigned short half = 0;
    int good = _rdrand64_step(&quad) + _rdseed32_step(&word) + _rdrand16_step(&half);
    std::random_device first("rdrand"), second("rdseed"), third;
    printf("%d %llx %x %x %x %x %x\n", good, quad, word, half, first(), second(), third());
}
