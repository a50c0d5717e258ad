/* template.c - topic and key templates against a reader that looks for one variable at a time. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "fuzz.h"
#include "sink/sink.h"

static const struct sluice_pair pairs[] = {{"site", "tyo1"}, {"a", ""}};
static const struct sluice_map labels = {pairs, SL_ARRAY_LEN(pairs)};

/* What stands for the variable; NULL: there is none of that name. */
static const char *value_of(struct sl_str name)
{
    static const struct sl_str label = {"label.", 6};

    if (sl_str_eq_c(name, "target")) {
        return "leaf1";
    }
    if (sl_str_eq_c(name, "subscription")) {
        return "sub1";
    }
    if (sl_str_eq_c(name, "origin")) {
        return "openconfig";
    }
    if (!sl_str_starts_with(name, label) || name.len == label.len) {
        return NULL;
    }
    return sl_str_eq_c(name, "label.site") ? "tyo1" : "";
}

/* False when it is not a template. */
static bool fill(const char *text, struct sl_buf *out)
{
    while (*text) {
        if (text[0] == '$' && text[1] == '$') {
            sl_buf_add_byte(out, '$');
            text += 2;
        } else if (text[0] == '$' && text[1] == '{') {
            const char *end = strchr(text, '}');
            const char *value =
                end ? value_of((struct sl_str){text + 2, (size_t)(end - text) - 2}) : NULL;
            if (!value) {
                return false;
            }
            sl_buf_add_c(out, value);
            text = end + 1;
        } else {
            sl_buf_add_byte(out, *text++);
        }
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sl_template_values values = {"leaf1", "sub1", &labels};
    char *text = sl_str_dup((struct sl_str){(const char *)data, size});
    struct sl_status why = sl_status_ok();
    struct sl_buf expected = {0};
    struct sl_buf found = {0};

    SL_ASSERT(text);
    bool is_template = fill(text, &expected);
    struct sl_template *templ = sl_template_new(text, &why);

    SL_ASSERT(is_template == (templ != NULL));
    if (templ) {
        sl_template_fill(templ, &values, SL_STR("openconfig"), &found);
        SL_ASSERT(sl_str_eq(sl_buf_str(&found), sl_buf_str(&expected)));
        sl_template_free(templ);
    } else {
        SL_ASSERT(why.code == SL_INVALID_ARGUMENT && strstr(why.text, "byte"));
    }
    sl_buf_fini(&expected);
    sl_buf_fini(&found);
    free(text);
    return 0;
}
