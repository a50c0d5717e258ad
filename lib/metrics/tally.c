#include "metrics/tally.h"

#include <string.h>

void sl_tally_add(struct sl_tally *tally, const char *name)
{
    struct sl_tally_row *row = tally->rows;
    struct sl_tally_row *last = &tally->rows[SL_TALLY_ROWS - 1];

    while (row < last && row->name && strcmp(row->name, name) != 0) {
        row++;
    }
    if (!row->name) {
        row->name = row == last ? "other" : name;
    }
    row->count++;
}
