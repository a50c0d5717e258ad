#include "sink/sink.h"

#include <stdlib.h>
#include <string.h>

enum part_kind { PART_TEXT, PART_TARGET, PART_SUBSCRIPTION, PART_ORIGIN, PART_LABEL };

struct part {
    enum part_kind kind;
    struct sl_str text; /* PART_TEXT: itself; PART_LABEL: the label's name; points into the copy */
};

struct sl_template {
    char *copy; /* the template as given; label names end in NUL in place of their brace */
    size_t count;
    struct part parts[];
};

static const struct {
    const char *name;
    enum part_kind kind;
} variables[] = {
    {"target", PART_TARGET},
    {"subscription", PART_SUBSCRIPTION},
    {"origin", PART_ORIGIN},
};

static const char *const known_names[] = {"target", "subscription", "origin", "label.NAME", NULL};

static const char label_prefix[] = "label.";

enum { LABEL_PREFIX_BYTES = sizeof(label_prefix) - 1 };

static void add_part(struct sl_template *templ, enum part_kind kind, const char *data, size_t len)
{
    if (kind != PART_TEXT || len > 0) {
        templ->parts[templ->count++] = (struct part){.kind = kind, .text = {data, len}};
    }
}

/* The name nearest to an unknown one. A label's own name is free: only its prefix is compared. */
static const char *nearest(char *name)
{
    char *dot = strchr(name, '.');
    const char *found = NULL;

    if (dot) {
        static const char *const heads[] = {"label", NULL};
        *dot = '\0';
        found = sl_str_nearest(name, heads) ? known_names[3] : NULL;
        *dot = '.';
    }
    return found ? found : sl_str_nearest(name, known_names);
}

static bool add_variable(struct sl_template *templ, char *name, size_t at, struct sl_status *why)
{
    for (size_t i = 0; i < SL_ARRAY_LEN(variables); i++) {
        if (strcmp(name, variables[i].name) == 0) {
            add_part(templ, variables[i].kind, NULL, 0);
            return true;
        }
    }
    if (strncmp(name, label_prefix, LABEL_PREFIX_BYTES) == 0 && name[LABEL_PREFIX_BYTES]) {
        const char *label = name + LABEL_PREFIX_BYTES;
        add_part(templ, PART_LABEL, label, strlen(label));
        return true;
    }
    const char *near = nearest(name);
    struct sl_status quoted =
        sl_status_quote(SL_INVALID_ARGUMENT, "", sl_str_from(name)); /* ": " */
    *why = sl_status_error(SL_INVALID_ARGUMENT,
                           "byte %zu: unknown ${%.60s}, expected ${target}, ${subscription}, "
                           "${origin} or ${label.NAME}%s%s%s",
                           at, quoted.text + 2, near ? "; did you mean ${" : "", near ? near : "",
                           near ? "}?" : "");
    return false;
}

/* Reads the "${name}" at `dollar`; *rest is behind it. */
static bool read_variable(struct sl_template *templ, char *dollar, char **rest,
                          struct sl_status *why)
{
    size_t at = (size_t)(dollar - templ->copy) + 1;
    char *end = strchr(dollar, '}');

    if (!end) {
        *why = sl_status_error(SL_INVALID_ARGUMENT,
                               "byte %zu: \"${\" without \"}\"; \"$$\" is a dollar", at);
        return false;
    }
    *end = '\0';
    *rest = end + 1;
    return add_variable(templ, dollar + 2, at, why);
}

static bool read_parts(struct sl_template *templ, struct sl_status *why)
{
    char *text = templ->copy; /* where the literal text under way began */
    char *dollar = strchr(text, '$');

    while (dollar) {
        char *rest = dollar + 1;

        if (dollar[1] == '{') {
            add_part(templ, PART_TEXT, text, (size_t)(dollar - text));
            if (!read_variable(templ, dollar, &rest, why)) {
                return false;
            }
            text = rest;
        } else if (dollar[1] == '$') {
            add_part(templ, PART_TEXT, text, (size_t)(rest - text));
            text = ++rest;
        }
        dollar = strchr(rest, '$');
    }
    add_part(templ, PART_TEXT, text, strlen(text));
    return true;
}

struct sl_template *sl_template_new(const char *text, struct sl_status *why)
{
    size_t most = 1; /* parts: each dollar ends one and makes one */

    for (const char *p = text; *p; p++) {
        most += *p == '$' ? 2 : 0;
    }
    struct sl_template *templ = calloc(1, sizeof(*templ) + most * sizeof(templ->parts[0]));
    if (templ) {
        templ->copy = sl_str_dup(sl_str_from(text));
    }
    if (!templ || !templ->copy) {
        *why = sl_status_out_of_memory();
    } else if (read_parts(templ, why)) {
        return templ;
    }
    sl_template_free(templ);
    return NULL;
}

void sl_template_free(struct sl_template *templ)
{
    if (templ) {
        free(templ->copy);
        free(templ);
    }
}

static bool uses(const struct sl_template *templ, enum part_kind kind)
{
    for (size_t i = 0; i < templ->count; i++) {
        if (templ->parts[i].kind == kind) {
            return true;
        }
    }
    return false;
}

bool sl_template_uses_origin(const struct sl_template *templ)
{
    return uses(templ, PART_ORIGIN);
}

bool sl_template_uses_subscription(const struct sl_template *templ)
{
    return uses(templ, PART_SUBSCRIPTION);
}

static struct sl_str label_value(const struct sluice_map *labels, struct sl_str name)
{
    for (size_t i = 0; labels && i < labels->count; i++) {
        if (sl_str_eq_c(name, labels->pairs[i].name)) {
            return sl_str_from(labels->pairs[i].value);
        }
    }
    return (struct sl_str){NULL, 0};
}

static struct sl_str part_value(const struct part *part, const struct sl_template_values *values,
                                struct sl_str origin)
{
    switch (part->kind) {
    case PART_TEXT:
        return part->text;
    case PART_TARGET:
        return sl_str_from(values->target);
    case PART_SUBSCRIPTION:
        return sl_str_from(values->subscription);
    case PART_ORIGIN:
        return origin;
    case PART_LABEL:
        return label_value(values->labels, part->text);
    }
    return (struct sl_str){NULL, 0};
}

void sl_template_fill(const struct sl_template *templ, const struct sl_template_values *values,
                      struct sl_str origin, struct sl_buf *out)
{
    for (size_t i = 0; i < templ->count; i++) {
        sl_buf_add_str(out, part_value(&templ->parts[i], values, origin));
    }
}
