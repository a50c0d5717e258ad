/* What is written: YAML in which texts stand in double quotes (YAML 1.2, 7.3.1). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import/internal.h"

enum { MAX_NAME_BYTES = 200 };

void sl_import_drop(struct sl_import *import, struct sl_buf *part)
{
    import->is_failed = import->is_failed || part->failed;
    sl_buf_fini(part);
}

static void add_byte(struct sl_buf *out, char c)
{
    unsigned char byte = (unsigned char)c;

    if (c == '"' || c == '\\') {
        sl_buf_add_byte(out, '\\');
        sl_buf_add_byte(out, c);
    } else if (byte < 0x20 || byte == 0x7f) {
        sl_buf_printf(out, "\\x%02x", byte);
    } else {
        sl_buf_add_byte(out, c);
    }
}

static void add_bytes(struct sl_buf *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        add_byte(out, text[i]);
    }
}

void sl_import_add_text(struct sl_buf *out, const char *text)
{
    sl_buf_add_byte(out, '"');
    for (; *text; text++) {
        sl_buf_add_c(out, *text == '$' ? "$" : "");
        add_byte(out, *text);
    }
    sl_buf_add_byte(out, '"');
}

static bool is_word(char c, bool is_first)
{
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

    return is_letter || (!is_first && c >= '0' && c <= '9');
}

/* The name of the variable that begins behind a dollar, and where the text goes on; 0: it is a
 * dollar and nothing else. What stands behind a name, ${NAME:-default}, is skipped: who reads such
 * files tells of it. */
static size_t name_at(const char *text, const char **rest)
{
    bool has_brace = *text == '{';
    const char *name = text + has_brace;
    size_t len = 0;

    while (is_word(name[len], len == 0)) {
        len++;
    }
    size_t more = has_brace && len && strchr(":-?", name[len]) ? strcspn(name + len, "}") : 0;

    if (has_brace && name[len + more] != '}') {
        return 0;
    }
    *rest = name + len + more + has_brace;
    return len;
}

void sl_import_add_references(struct sl_buf *out, const char *text)
{
    while (*text) {
        const char *rest = text + 1;
        size_t len = *text == '$' ? name_at(text + 1, &rest) : 0;
        if (len) {
            sl_buf_add_c(out, "${env.");
            add_bytes(out, text + 1 + (text[1] == '{'), len);
            sl_buf_add_byte(out, '}');
            text = rest;
            continue;
        }
        sl_buf_add_c(out, *text == '$' ? "$" : "");
        add_byte(out, *text++);
    }
}

void sl_import_add_expanded(struct sl_buf *out, const char *text)
{
    sl_buf_add_byte(out, '"');
    sl_import_add_references(out, text);
    sl_buf_add_byte(out, '"');
}

static void add_key(struct sl_import *import, const char *key, unsigned indent)
{
    sl_config_print_text(key, NULL, indent, import->out);
    if (!import->out->failed) {
        import->out->len--; /* the line goes on */
    }
    sl_buf_add_byte(import->out, ' ');
}

void sl_import_put_key(struct sl_import *import, const char *key, unsigned indent)
{
    sl_config_print_text(key, NULL, indent, import->out);
}

void sl_import_put_text(struct sl_import *import, const char *key, const char *text,
                        unsigned indent)
{
    sl_config_print_text(key, text, indent, import->out);
}

void sl_import_put_expanded(struct sl_import *import, const char *key, const char *text,
                            unsigned indent)
{
    add_key(import, key, indent);
    sl_import_add_expanded(import->out, text);
    sl_buf_add_byte(import->out, '\n');
}

void sl_import_put_raw(struct sl_import *import, const char *key, const char *text, unsigned indent)
{
    add_key(import, key, indent);
    sl_buf_add_c(import->out, text);
    sl_buf_add_byte(import->out, '\n');
}

void sl_import_put_items(struct sl_import *import, const char *key,
                         const struct sl_config_node *node, unsigned indent)
{
    size_t count = sl_import_items(node);

    if (!count) {
        return;
    }
    add_key(import, key, indent);
    for (size_t i = 0; i < count; i++) {
        sl_buf_add_c(import->out, i ? ", " : "[");
        sl_import_add_expanded(import->out, sl_import_item(node, i));
    }
    sl_buf_add_c(import->out, "]\n");
}

/* ---- secrets ---- */

/* Whether there is nothing in it but one reference. */
static bool is_reference(const char *text)
{
    const char *rest = text;

    return *text == '$' && name_at(text + 1, &rest) && !*rest;
}

/* SLUICE_IMPORT_PASSWORD, or with a number behind it; the same secret has the same name. */
static const char *variable_of(struct sl_import *import, const char *key, const char *value)
{
    struct sl_import_secret *secret = &import->secrets[import->secret_count];
    char name[MAX_NAME_BYTES];
    int len = 0;

    for (size_t i = 0; i < import->secret_count; i++) {
        if (strcmp(import->secrets[i].value, value) == 0) {
            return import->secrets[i].variable;
        }
    }
    if (import->secret_count == SL_IMPORT_MAX_SECRETS) {
        return NULL;
    }
    len = snprintf(name, sizeof(name), "SLUICE_IMPORT_%s", key);
    for (char *at = name; *at; at++) {
        *at = (char)(*at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : is_word(*at, false) ? *at : '_');
    }
    if (import->secret_count) {
        snprintf(name + len, sizeof(name) - (size_t)len, "_%zu", import->secret_count + 1);
    }
    *secret = (struct sl_import_secret){.value = sl_str_dup(sl_str_from(value)),
                                        .variable = sl_str_dup(sl_str_from(name))};
    import->secret_count++;
    import->is_failed = import->is_failed || !secret->value || !secret->variable;
    if (!secret->value) {
        import->secret_count--;
        free(secret->variable);
        return NULL;
    }
    return secret->variable;
}

static void add_secret(struct sl_import *import, const char *key, const struct sl_config_node *node)
{
    const char *value = sl_import_text(node);

    if (is_reference(value)) {
        sl_import_add_expanded(import->out, value);
        return;
    }
    bool is_stored = strncmp(value, "@{", 2) == 0;
    if (import->options.keeps_secrets && !is_stored) {
        sl_import_note(import, node, SL_IMPORT_CHANGED,
                       "a secret stands here in plain text, and so it does in the new file; "
                       "sluice takes it from a file, {file: PATH}, or the environment, too");
        sl_import_add_text(import->out, value);
        return;
    }
    const char *variable = variable_of(import, key, value);
    if (!variable) {
        sl_import_note(import, node, SL_IMPORT_LEFT_OUT, "more than %d secrets in plain text",
                       SL_IMPORT_MAX_SECRETS);
        sl_buf_add_c(import->out, "\"\"");
        return;
    }
    if (is_stored) {
        sl_import_note(import, node, SL_IMPORT_LEFT_OUT,
                       "the secret is in a store, which sluice does not ask; the new file takes it "
                       "from the environment, as %s, or say {file: PATH}",
                       variable);
        sl_buf_printf(import->out, "\"${env.%s}\"", variable);
        return;
    }
    sl_import_note(import, node, SL_IMPORT_CHANGED,
                   "a secret stands here in plain text; the new file takes it from the "
                   "environment, as %s (--keep-secrets writes it into the file)",
                   variable);
    sl_buf_printf(import->out, "\"${env.%s}\"", variable);
}

void sl_import_put_secret(struct sl_import *import, const char *key,
                          const struct sl_config_node *node, unsigned indent)
{
    if (import->options.replay) {
        return; /* a trial asks nobody */
    }
    add_key(import, key, indent);
    add_secret(import, key, node);
    sl_buf_add_byte(import->out, '\n');
}

/* ---- names ---- */

bool sl_import_is_name(const char *text)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++) {
        if (text[i] <= ' ' || text[i] > '~' || strchr("\";\\", text[i])) {
            return false;
        }
    }
    return len > 0 && len <= MAX_NAME_BYTES;
}
