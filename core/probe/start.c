/* All that a system has to bring for the core: an entry, an exit, and the functions that the compiler itself calls.
 * Linked without any library; a symbol that is asked for beyond these is an error of the linker. */
#include <stddef.h>

int safeconduct_probe(void);

void *memcpy(void *to, const void *from, size_t length) {
    for (size_t i = 0; i < length; i++)
        ((char *)to)[i] = ((const char *)from)[i];
    return to;
}

void *memmove(void *to, const void *from, size_t length) {
    if (to < from)
        return memcpy(to, from, length);
    while (length--)
        ((char *)to)[length] = ((const char *)from)[length];
    return to;
}

void *memset(void *to, int byte, size_t length) {
    for (size_t i = 0; i < length; i++)
        ((char *)to)[i] = (char)byte;
    return to;
}

int memcmp(const void *one, const void *other, size_t length) {
    const unsigned char *a = one, *b = other;
    for (size_t i = 0; i < length; i++)
        if (a[i] != b[i])
            return a[i] - b[i];
    return 0;
}

int bcmp(const void *one, const void *other, size_t length) { return memcmp(one, other, length); }

/* The compiled alloc library can unwind. Nothing here does. */
void rust_eh_personality(void) {}
void _Unwind_Resume(void) { for (;;); }

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n xor %ebp, %ebp\n and $-16, %rsp\n call begin\n");

static void leave(long status) { __asm__ volatile("syscall" ::"a"(231), "D"(status)); }
#elif defined(__aarch64__)
__asm__(".globl _start\n_start:\n mov x29, #0\n bl begin\n");

static void leave(long status) {
    register long number __asm__("x8") = 94;
    register long first __asm__("x0") = status;
    __asm__ volatile("svc #0" ::"r"(number), "r"(first));
}

/* What the processor can do: nothing beyond the least. */
unsigned long getauxval(unsigned long kind) { return kind * 0; }
#endif

void begin(void) {
    leave(safeconduct_probe());
    for (;;);
}
