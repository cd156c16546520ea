// Computes without end and without system calls.
int main(void)
{
    for (volatile unsigned long i = 0;; i++)
        ;
}
