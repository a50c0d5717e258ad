#include "tool/path_view.h"

#include <string.h>

#include "base/utf8.h"
#include "gnmi/path.h"
#include "gnmi/path_print.h"
#include "grpc/message.h"
#include "normalise/text.h"

/* ---- the whole ---- */

/* The bytes of a Path that may not be there. */
static bool pack(const Gnmi__Path *path, struct sl_buf *out)
{
    return !path || sl_grpc_message_pack(&path->base, out);
}

static bool add_canonical(const struct sl_path_view *view, struct sl_buf *out)
{
    struct sl_buf prefix = {0};
    struct sl_buf path = {0};
    bool is_ok = pack(view->prefix, &prefix) && pack(view->path, &path) &&
                 sl_gnmi_path_print(sl_buf_str(&prefix), sl_buf_str(&path), out);

    sl_buf_fini(&prefix);
    sl_buf_fini(&path);
    return is_ok;
}

bool sl_path_view_line(const struct sl_path_view *view, struct sl_buf *out)
{
    bool is_ok = add_canonical(view, out);

    sl_buf_add_byte(out, '\n');
    return is_ok && !out->failed;
}

static const char *origin_of(const struct sl_path_view *view)
{
    return *view->path->origin ? view->path->origin : view->prefix ? view->prefix->origin : "";
}

static size_t elem_count(const struct sl_path_view *view)
{
    return (view->prefix ? view->prefix->n_elem : 0) + view->path->n_elem;
}

static const Gnmi__PathElem *elem_at(const struct sl_path_view *view, size_t at)
{
    size_t before = view->prefix ? view->prefix->n_elem : 0;

    return at < before ? view->prefix->elem[at] : view->path->elem[at - before];
}

/* ---- wildcards ---- */

static bool is_star(const char *word)
{
    return strcmp(word, "*") == 0;
}

static bool is_any_name(const Gnmi__PathElem *elem)
{
    return is_star(elem->name) || strcmp(elem->name, "...") == 0;
}

static bool has_wildcard(const Gnmi__PathElem *elem)
{
    bool has_star = is_any_name(elem);

    for (size_t i = 0; i < elem->n_key; i++) {
        has_star = has_star || is_star(elem->key[i]->value);
    }
    return has_star;
}

static bool has_wildcards(const struct sl_path_view *view)
{
    for (size_t i = 0; i < elem_count(view); i++) {
        if (has_wildcard(elem_at(view, i))) {
            return true;
        }
    }
    return false;
}

/* ---- for a person ---- */

static void add_word(struct sl_buf *out, const char *word)
{
    sl_gnmi_print_name(out, sl_str_from(word));
}

static void add_elem_line(const Gnmi__PathElem *elem, struct sl_buf *out)
{
    struct sl_str name = sl_str_from(elem->name);
    struct sl_str module = sl_gnmi_module_of(name);

    sl_buf_add_c(out, "  element   ");
    sl_gnmi_print_name(out, sl_gnmi_without_module(name));
    sl_buf_add_c(out, *elem->name ? "" : "(no name)");
    sl_buf_add_c(out, strcmp(elem->name, "...") == 0 ? "   (any elements)"
                      : is_star(elem->name)          ? "   (any one element)"
                                                     : "");
    if (module.len) {
        sl_buf_printf(out, "   module %.*s", SL_STR_ARG(module));
    }
    for (size_t i = 0; i < elem->n_key; i++) {
        sl_buf_add_c(out, "\n    key     ");
        add_word(out, elem->key[i]->key);
        sl_buf_add_c(out, " = ");
        add_word(out, elem->key[i]->value);
        sl_buf_add_c(out, is_star(elem->key[i]->value) ? "   (any value)" : "");
    }
    sl_buf_add_byte(out, '\n');
}

bool sl_path_view_text(const struct sl_path_view *view, struct sl_buf *out)
{
    if (!sl_path_view_line(view, out)) {
        return false;
    }
    if (*origin_of(view)) {
        sl_buf_add_c(out, "  origin    ");
        add_word(out, origin_of(view));
        sl_buf_add_byte(out, '\n');
    }
    for (size_t i = 0; i < elem_count(view); i++) {
        add_elem_line(elem_at(view, i), out);
    }
    return !out->failed;
}

/* ---- JSON ---- */

static void add_member(struct sl_buf *out, const char *name, const char *value)
{
    sl_buf_printf(out, "\"%s\":", name);
    sl_text_add_quoted(out, sl_str_from(value));
}

static void add_elem_json(const Gnmi__PathElem *elem, struct sl_buf *out)
{
    struct sl_str name = sl_str_from(elem->name);
    struct sl_str module = sl_gnmi_module_of(name);

    sl_buf_add_c(out, "{\"name\":");
    sl_text_add_quoted(out, sl_gnmi_without_module(name));
    if (module.len) {
        sl_buf_add_c(out, ",\"module\":");
        sl_text_add_quoted(out, module);
    }
    for (size_t i = 0; i < elem->n_key; i++) {
        sl_buf_add_c(out, i ? "," : ",\"keys\":{");
        sl_text_add_quoted(out, sl_str_from(elem->key[i]->key));
        sl_buf_add_byte(out, ':');
        sl_text_add_quoted(out, sl_str_from(elem->key[i]->value));
    }
    sl_buf_add_c(out, elem->n_key ? "}}" : "}");
}

bool sl_path_view_json(const struct sl_path_view *view, struct sl_buf *out)
{
    struct sl_buf canonical = {0};
    bool is_ok = add_canonical(view, &canonical);

    sl_buf_add_c(out, "{\"given\":");
    sl_text_add_quoted(out, view->given);
    sl_buf_add_c(out, ",\"path\":");
    sl_text_add_quoted(out, sl_buf_str(&canonical));
    sl_buf_fini(&canonical);
    if (*origin_of(view)) {
        sl_buf_add_byte(out, ',');
        add_member(out, "origin", origin_of(view));
    }
    sl_buf_add_c(out, has_wildcards(view) ? ",\"wildcards\":true,\"elements\":["
                                          : ",\"wildcards\":false,\"elements\":[");
    for (size_t i = 0; i < elem_count(view); i++) {
        sl_buf_add_c(out, i ? "," : "");
        add_elem_json(elem_at(view, i), out);
    }
    sl_buf_add_c(out, "]}\n");
    return is_ok && !out->failed;
}

/* ---- errors ---- */

void sl_path_view_caret(struct sl_str given, size_t wrong_at, struct sl_buf *out)
{
    size_t columns = 0;

    sl_buf_add_c(out, "  ");
    for (size_t at = 0; at < given.len;) {
        struct sl_str rest = {given.data + at, given.len - at};
        uint32_t rune = 0;
        size_t len = sl_utf8_decode(rest, &rune);
        bool is_shown = len && rune >= ' ' && (rune < 0x7f || rune >= 0xa0);
        sl_buf_add(out, is_shown ? rest.data : "?", is_shown ? len : 1);
        at += len ? len : 1;
        columns += at <= wrong_at;
    }
    sl_buf_printf(out, "\n  %*s^", (int)columns, "");
}

void sl_path_view_error_json(struct sl_str given, const struct sl_status *why, size_t wrong_at,
                             struct sl_buf *out)
{
    sl_buf_add_c(out, "{\"given\":");
    sl_text_add_quoted(out, given);
    sl_buf_add_byte(out, ',');
    add_member(out, "error", why->text);
    sl_buf_printf(out, ",\"byte\":%zu}\n", wrong_at + 1);
}
