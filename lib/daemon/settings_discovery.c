/* Where further targets are found. */
#include "daemon/settings_read.h"

static void print_source(const struct sl_source_spec *spec, struct sl_buf *out)
{
    sl_config_print_text(spec->name, NULL, 2, out);
    sl_config_print(sl_source_table(spec->options.type), &spec->options, 4, out);
}

/* The type says which keys there are. False: it was told what is wrong. */
static bool read_type(struct sl_config *config, const struct sl_config_node *node, int *type)
{
    const struct sl_config_node *word = sl_config_get(node, "type");

    if (!word) {
        sl_config_error(config, node, "the key 'type' is missing: expected files, http or kafka");
        return false;
    }
    const char *text = sl_config_text(config, word);
    for (*type = 0; sl_source_type_names[*type]; ++*type) {
        if (sl_str_eq_c(sl_str_from(text), sl_source_type_names[*type])) {
            return true;
        }
    }
    if (*text) {
        sl_config_error_unknown(config, word, "type", text, sl_source_type_names);
    }
    return false;
}

bool sl_settings_read_sources(struct sl_settings_reader *reader, const struct sl_config_node *map)
{
    struct sl_settings *settings = reader->settings;
    size_t count = map ? sl_config_count(map) : 0;

    settings->sources = sl_config_alloc(reader->config, count, sizeof(*settings->sources));
    for (size_t i = 0; settings->sources && i < count; i++) {
        const struct sl_config_node *node = sl_config_at(map, i);
        struct sl_source_spec *spec = &settings->sources[settings->source_count];
        struct sl_status why;
        int type;
        if (!read_type(reader->config, node, &type)) {
            continue;
        }
        spec->name = sl_config_key(map, i);
        sl_config_fill(reader->config, node, sl_source_table(type), &spec->options, NULL, NULL);
        if (!sl_config_errors(reader->config) && !sl_source_check(spec, &why)) {
            sl_config_error(reader->config, sl_config_key_node(map, i), "%s", why.text);
        }
        settings->source_count++;
    }
    return settings->sources != NULL;
}

void sl_settings_print_sources(const struct sl_settings *settings, struct sl_buf *out)
{
    if (settings->source_count) {
        sl_config_print_text("discovery", NULL, 0, out);
    }
    for (size_t i = 0; i < settings->source_count; i++) {
        print_source(&settings->sources[i], out);
    }
}

void sl_settings_reference_sources(struct sl_buf *out)
{
    sl_config_reference_line("discovery", 0, out, "Where further targets are found.");
    for (int type = 0; sl_source_type_names[type]; type++) {
        sl_config_reference_line("NAME", 2, out, "With type: %s", sl_source_type_names[type]);
        sl_config_reference(sl_source_table(type), 4, out);
    }
}
