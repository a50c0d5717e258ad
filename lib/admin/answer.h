/* answer.h - what a request is answered with. */
#ifndef SLUICE_ADMIN_ANSWER_H
#define SLUICE_ADMIN_ANSWER_H

#include <stddef.h>

#include "admin/json.h"
#include "base/base.h"
#include "base/buf.h"

struct sl_admin_answer {
    unsigned code;     /* of HTTP */
    const char *type;  /* Content-Type */
    const char *allow; /* with 405; NULL: none */
    struct sl_buf body;
    bool closes;        /* the connection, once it is read */
    struct sl_str lent; /* instead of the body; "" : nothing */
    void (*give_back)(void *owner);
    void *owner;
};

/* 200 and nothing yet. */
void sl_admin_answer_init(struct sl_admin_answer *answer);
void sl_admin_answer_fini(struct sl_admin_answer *answer);

/* Text that is as it is. */
void sl_admin_answer_text(struct sl_admin_answer *answer, unsigned code, const char *text);

/* 200 with `root`, which is released; where it is not whole or too large, a 503. */
void sl_admin_answer_json(struct sl_admin_answer *answer, struct sl_json *json, json_t *root);

/* 200 with bytes that stay where they are: `give_back(owner)` comes once nobody reads them any
 * more. They do not count as pages that are not read yet: whoever lends them bounds them. */
void sl_admin_answer_lend(struct sl_admin_answer *answer, const char *type, struct sl_str bytes,
                          void (*give_back)(void *owner), void *owner);

/* {"error":{"code","message","hint"}}: what went wrong as a word for programs and as a sentence for
 * people, and what to try; NULL: nothing. */
void sl_admin_answer_error(struct sl_admin_answer *answer, unsigned code, const char *word,
                           const char *message, const char *hint);

#endif
