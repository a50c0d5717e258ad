#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sl_assert_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "sluice: assertion failed at %s:%d: %s\n", file, line, condition);
    abort();
}

void *sl_zalloc(size_t size)
{
    void *block = malloc(size);

    return block ? memset(block, 0, size) : NULL;
}
