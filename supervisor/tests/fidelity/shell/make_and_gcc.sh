# A small C program built by make -j4 and run.
cat > Makefile <<'END'
OBJECTS = main.o add.o mul.o sub.o
program: $(OBJECTS)
	cc -o $@ $(OBJECTS)
%.o: %.c
	cc -O1 -c $<
END
for f in add:+ mul:'*' sub:-; do
    echo "int ${f%%:*}(int a, int b) { return a ${f##*:} b; }" > ${f%%:*}.c
done
cat > main.c <<'END'
#include <stdio.h>
int add(int, int), mul(int, int), sub(int, int);
int main(void) { printf("%d %d %d\n", add(2, 3), mul(2, 3), sub(2, 3)); return 0; }
END
make -j4 -s && ./program
make -s && echo nothing more
