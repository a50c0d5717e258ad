#include "metrics/tally.h"

#include <stdlib.h>
#include <string.h>

void sl_tally_fini(struct sl_tally *tally)
{
    free(tally->rows);
    *tally = (struct sl_tally){.rows = NULL};
}

/* How many rows have a name, or the first that has this one. */
static size_t find(const struct sl_tally *tally, const char *name)
{
    size_t i = 0;

    while (tally->rows && i < SL_TALLY_ROWS && tally->rows[i].name &&
           !(name && strcmp(tally->rows[i].name, name) == 0)) {
        i++;
    }
    return i;
}

void sl_tally_add(struct sl_tally *tally, const char *name)
{
    if (!tally->rows) {
        tally->rows = calloc(SL_TALLY_ROWS, sizeof(*tally->rows));
    }
    size_t i = find(tally, name);
    if (!tally->rows || i == SL_TALLY_ROWS) {
        tally->other++;
        return;
    }
    tally->rows[i].name = name;
    tally->rows[i].count++;
}

struct sl_tally_row sl_tally_row(const struct sl_tally *tally, size_t number)
{
    size_t count = find(tally, NULL);

    if (number < count) {
        return tally->rows[number];
    }
    if (number == count && tally->other > 0) {
        return (struct sl_tally_row){"other", tally->other};
    }
    return (struct sl_tally_row){NULL, 0};
}

void sl_tally_copy(struct sl_tally *copy, const struct sl_tally *tally, struct sl_tally_row *rows)
{
    copy->other = tally->other;
    copy->rows = rows;
    memcpy(rows, tally->rows, SL_TALLY_ROWS * sizeof(*rows));
}
