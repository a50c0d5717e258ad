#include "imported.h"

#include "fuzz.h"

static void assert_document(struct sl_buf *text)
{
    struct sl_config *config = sl_config_parse("out", sl_buf_str(text));

    SL_ASSERT(config && sl_config_errors(config) == 0 && sl_config_root(config));
    SL_ASSERT(sl_config_kind(sl_config_root(config)) == SL_CONFIG_MAP);
    SL_ASSERT(sl_config_get(sl_config_root(config), "targets"));
    SL_ASSERT(sl_config_get(sl_config_root(config), "sinks"));
    sl_config_free(config);
}

static void assert_notes(const struct sl_import *import)
{
    uint32_t line = 0;

    for (size_t i = 0; i < sl_import_notes(import); i++) {
        const struct sl_import_note *note = sl_import_note_at(import, i);
        SL_ASSERT(note->line >= line && *note->text);
        line = note->line;
        for (const char *at = note->text; *at; at++) {
            SL_ASSERT((unsigned char)*at >= ' ' && *at != 0x7f);
        }
    }
}

void fuzz_import(struct sl_config *config, fuzz_import_fn *write, bool keeps_secrets)
{
    const struct sl_import_options options = {.keeps_secrets = keeps_secrets, .host = "h"};
    struct sl_buf text = {0};

    if (sl_config_errors(config) == 0 && sl_config_root(config)) {
        struct sl_import *import = sl_import_new(config, &options);
        SL_ASSERT(import);
        bool is_good = write(import, "in", &text);
        assert_notes(import);
        if (is_good) {
            assert_document(&text);
        } else {
            SL_ASSERT(sl_import_notes(import));
        }
        sl_import_free(import);
    }
    sl_buf_fini(&text);
    sl_config_free(config);
}
