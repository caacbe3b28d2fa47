/*
 * Parts of the C library that the static binary never uses, replaced at the link by
 * scripts/static.sh, which makes the binary 540,000 bytes smaller.
 *
 * Rust's standard library and glibc's own start-up code call a few functions that, in a static
 * program, pull in stdio, printf, the conversion of character sets, locales, translations, the
 * dynamic loader and the resolver. The server formats its own texts, opens no shared object, sets
 * no locale and resolves no name. Each definition below either does what the original does in such
 * a program, or is never called and aborts.
 *
 * The linker takes these definitions because their archive comes before the C library. Code that
 * needs one of the originals (getaddrinfo, C code with printf) does not link: "duplicate symbol".
 */
#define _GNU_SOURCE
#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

/* A failed assertion of the C library ends the process, here without its text. */
void __assert_fail(const char *assertion, const char *file, unsigned line, const char *function)
{
    (void)assertion, (void)file, (void)line, (void)function;
    abort();
}

/* The translation of a text; the locale is always "C", which has none. */
char *__dcgettext(const char *domain, const char *text, int category)
{
    (void)domain, (void)category;
    return (char *)text;
}

/* The message of an error number that has none; strerror_r's only format is "%s%d". */
int __snprintf(char *buffer, size_t size, const char *format, ...)
{
    (void)format;
    va_list values;
    va_start(values, format);
    const char *text = va_arg(values, const char *);
    int number = va_arg(values, int);
    va_end(values);
    char digits[12], *first = digits + sizeof digits;
    *--first = '\0';
    unsigned rest = number < 0 ? -(unsigned)number : (unsigned)number;
    do
        *--first = (char)('0' + rest % 10);
    while (rest /= 10);
    if (number < 0)
        *--first = '-';
    size_t length = 0;
    for (const char *part = text; *part; part++, length++)
        if (length + 1 < size)
            buffer[length] = *part;
    for (const char *part = first; *part; part++, length++)
        if (length + 1 < size)
            buffer[length] = *part;
    if (size)
        buffer[length < size ? length : size - 1] = '\0';
    return (int)length;
}

/* A static program has no symbols to look up; the standard library then does without. */
void *dlsym(void *restrict handle, const char *restrict name)
{
    (void)handle, (void)name;
    return NULL;
}

/*
 * The bounds of a thread's stack. The standard library asks only in order to say which thread
 * overflowed its stack; without an answer the process still ends by SIGSEGV.
 */
int pthread_getattr_np(pthread_t thread, pthread_attr_t *attributes)
{
    (void)thread, (void)attributes;
    return ENOSYS;
}

/* The standard library names only the calling thread. */
int pthread_setname_np(pthread_t thread, const char *name)
{
    (void)thread;
    return prctl(PR_SET_NAME, name) ? errno : 0;
}

/*
 * Decimal numbers of /proc and /sys, which sysconf and malloc read; the originals bring the locale
 * "C" with them.
 */
unsigned long strtoul(const char *restrict text, char **restrict end, int base)
{
    (void)base;
    unsigned long value = 0;
    for (; *text >= '0' && *text <= '9'; text++)
        value = value * 10 + (unsigned long)(*text - '0');
    if (end)
        *end = (char *)text;
    return value;
}

long strtol(const char *restrict text, char **restrict end, int base)
{
    return (long)strtoul(text, end, base);
}

/* What each new thread's resolver and stdio would need. */
__thread void *__libc_resp;
void _IO_enable_locks(void)
{
}

/* malloc_stats prints with these; nothing calls it. */
#undef stderr
#undef stdout
#undef stdin
FILE *stderr, *stdout, *stdin;
int fprintf(FILE *restrict stream, const char *restrict format, ...)
{
    (void)stream, (void)format;
    abort();
}

/* The conversions of the locale "C" between bytes and wide characters, of which there are none. */
const void *const __wcsmbs_gconv_fcts_c[4];
