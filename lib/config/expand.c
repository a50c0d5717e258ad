#include <stdlib.h>
#include <string.h>

#include "config/document.h"

struct expander {
    struct sl_config *config;
    const struct sl_config_node *node;
    enum sl_config_expansion expansion;
    struct sl_buf out;
    bool is_wrong;
};

/* What sinks fill in per record: good names at the wrong place. */
static const char *const record_names[] = {"target", "subscription", "origin", NULL};

static bool is_record_name(const char *name)
{
    for (size_t i = 0; record_names[i]; i++) {
        if (strcmp(name, record_names[i]) == 0) {
            return true;
        }
    }
    return strncmp(name, "label.", 6) == 0;
}

/* In a template a dollar of the environment is text, not the beginning of a name. */
static void add_value(struct expander *expander, const char *value)
{
    for (; *value; value++) {
        if (*value == '$' && expander->expansion == SL_CONFIG_EXPAND_TEMPLATE) {
            sl_buf_add_byte(&expander->out, '$');
        }
        sl_buf_add_byte(&expander->out, *value);
    }
}

static void refuse_name(struct expander *expander, const char *name)
{
    const char *const known[] = {"env.NAME", "env", NULL};
    struct sl_config *config = expander->config;

    expander->is_wrong = true;
    if (expander->expansion == SL_CONFIG_EXPAND_PRIVATE) {
        sl_config_error(config, expander->node,
                        "only ${env.NAME} is filled in here; write $$ for a dollar");
    } else if (is_record_name(name)) {
        sl_config_error(config, expander->node,
                        "${%.*s} is filled in per record, in templates of sinks; here only "
                        "${env.NAME} is",
                        SL_CONFIG_QUOTE_BYTES, name);
    } else if (sl_str_nearest(name, known) || strncmp(name, "env", 3) == 0) {
        sl_config_error(config, expander->node, "unknown name ${%.*s}; did you mean ${env.NAME}?",
                        SL_CONFIG_QUOTE_BYTES, name);
    } else {
        sl_config_error(config, expander->node,
                        "unknown name ${%.*s}; expected ${env.NAME}, or $$ for a dollar",
                        SL_CONFIG_QUOTE_BYTES, name);
    }
}

/* Fills in `name`, the text between the braces; false when it is to stay as it is. */
static bool fill_name(struct expander *expander, const char *name)
{
    bool is_env = strncmp(name, "env.", 4) == 0 && name[4];

    if (!is_env && expander->expansion == SL_CONFIG_EXPAND_TEMPLATE) {
        return false;
    }
    if (!is_env) {
        refuse_name(expander, name);
        return true;
    }
    const char *value = getenv(name + 4);
    if (expander->config->is_foreign) {
        expander->is_wrong = true;
        sl_config_error(expander->config, expander->node,
                        "what came from elsewhere may not read the environment: ${%.*s}",
                        SL_CONFIG_QUOTE_BYTES, name);
    } else if (value) {
        add_value(expander, value);
    } else {
        expander->is_wrong = true;
        sl_config_error(expander->config, expander->node,
                        "the environment variable '%.*s' is not set", SL_CONFIG_QUOTE_BYTES,
                        name + 4);
    }
    return true;
}

/* At "${"; returns where to go on. */
static const char *expand_name(struct expander *expander, const char *at)
{
    const char *end = strchr(at, '}');

    if (!end) {
        if (expander->expansion != SL_CONFIG_EXPAND_TEMPLATE) {
            expander->is_wrong = true;
            sl_config_error(expander->config, expander->node,
                            "'${' without its '}'; write $$ for a dollar");
        }
        sl_buf_add_c(&expander->out, at);
        return at + strlen(at);
    }
    const char *name =
        sl_config_copy(expander->config, (struct sl_str){at + 2, (size_t)(end - at) - 2});
    if (!name) {
        expander->is_wrong = true;
    } else if (!fill_name(expander, name)) {
        sl_buf_add(&expander->out, at, (size_t)(end - at) + 1);
    }
    return end + 1;
}

/* "$$" is a dollar; in a template it stays for the template to say so. */
static const char *expand_dollars(struct expander *expander, const char *at)
{
    sl_buf_add_byte(&expander->out, '$');
    if (expander->expansion == SL_CONFIG_EXPAND_TEMPLATE) {
        sl_buf_add_byte(&expander->out, '$');
    }
    return at + 2;
}

const char *sl_config_expand(struct sl_config *config, const struct sl_config_node *scalar,
                             enum sl_config_expansion expansion)
{
    struct expander expander = {.config = config, .node = scalar, .expansion = expansion};
    const char *at = scalar->text;
    const char *text = scalar->text;

    if (!strchr(text, '$')) {
        return text;
    }
    while (*at) {
        if (strncmp(at, "$$", 2) == 0) {
            at = expand_dollars(&expander, at);
        } else if (strncmp(at, "${", 2) == 0) {
            at = expand_name(&expander, at);
        } else {
            sl_buf_add_byte(&expander.out, *at++);
        }
    }
    text = sl_config_copy(config, sl_buf_str(&expander.out));
    if (expander.out.failed && text) {
        config->is_out_of_memory = true;
        config->error_count++;
    }
    expander.is_wrong = expander.is_wrong || expander.out.failed;
    sl_buf_fini(&expander.out);
    return expander.is_wrong ? NULL : text;
}
