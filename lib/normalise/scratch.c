#include "normalise/scratch.h"

#include <stdlib.h>

struct sl_encoder_scratch *sl_encoder_scratch_hold(struct sl_encoder_memory *memory)
{
    if (!memory->scratch) {
        memory->scratch = calloc(1, sizeof(*memory->scratch));
        if (!memory->scratch) {
            return NULL;
        }
        sl_fragment_init(&memory->scratch->builder);
        sl_json_init(&memory->scratch->json);
        sl_json_keyed_init(&memory->scratch->keyed, NULL, sl_json_key_as_text);
        sl_record_path_init(&memory->scratch->path);
        sl_telegraf_path_init(&memory->scratch->telegraf);
        sl_buf_init(&memory->scratch->metrics, 2 * SL_ENCODER_MAX_RECORD_BYTES);
        sl_buf_init(&memory->scratch->fields, 2 * SL_ENCODER_MAX_RECORD_BYTES);
        sl_record_json_init(&memory->scratch->record_json);
        sl_rules_scratch_init(&memory->scratch->rules);
    }
    memory->scratch_holders++;
    return memory->scratch;
}

void sl_encoder_scratch_release(struct sl_encoder_memory *memory)
{
    SL_ASSERT(memory->scratch_holders > 0);
    if (--memory->scratch_holders > 0) {
        return;
    }
    sl_fragment_fini(&memory->scratch->builder);
    sl_json_fini(&memory->scratch->json);
    sl_json_keyed_fini(&memory->scratch->keyed);
    sl_record_path_fini(&memory->scratch->path);
    sl_record_json_fini(&memory->scratch->record_json);
    sl_telegraf_path_fini(&memory->scratch->telegraf);
    sl_rules_scratch_fini(&memory->scratch->rules);
    sl_buf_fini(&memory->scratch->metrics);
    sl_buf_fini(&memory->scratch->fields);
    sl_buf_fini(&memory->scratch->record);
    free(memory->scratch);
    memory->scratch = NULL;
}
