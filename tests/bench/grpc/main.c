#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "bench.h"

void give_up(const char *what, const char *why)
{
    fprintf(stderr, "bench_grpc: %s: %s\n", what, why);
    exit(1);
}

/* One "-name value". */
static void take(struct options *options, const char *name, const char *value)
{
    const struct {
        const char *name;
        int *number;
        const char **text;
    } all[] = {
        {"-port", &options->port, NULL},   {"-size", &options->size, NULL},
        {"-conns", &options->conns, NULL}, {"-calls", &options->calls, NULL},
        {"-ca", NULL, &options->ca},       {"-cert", NULL, &options->cert},
        {"-key", NULL, &options->key},
    };

    if (strcmp(name, "-kind") == 0) {
        options->is_stream = strcmp(value, "stream") == 0;
        return;
    }
    if (strcmp(name, "-seconds") == 0) {
        options->seconds = strtod(value, NULL);
        return;
    }
    for (size_t i = 0; i < SL_ARRAY_LEN(all); i++) {
        if (strcmp(name, all[i].name) != 0) {
            continue;
        }
        if (all[i].number) {
            *all[i].number = (int)strtol(value, NULL, 10);
        } else {
            *all[i].text = value;
        }
        return;
    }
    give_up("no such option", name);
}

int main(int count, char **words)
{
    struct options options = {.size = 100, .conns = 1, .calls = 100, .seconds = 1};

    for (int i = 2; i + 1 < count; i += 2) {
        take(&options, words[i], words[i + 1]);
    }
    if (count > 1 && strcmp(words[1], "server") == 0) {
        run_server(&options);
    } else if (count > 1 && strcmp(words[1], "client") == 0) {
        run_client(&options);
    } else {
        give_up("usage", "bench_grpc server|client ...");
    }
    return 0;
}
