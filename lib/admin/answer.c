#include "admin/answer.h"

#include "admin/admin.h"

static const char json_media[] = "application/json";

void sl_admin_answer_init(struct sl_admin_answer *answer)
{
    *answer = (struct sl_admin_answer){.code = 200, .type = json_media};
    sl_buf_init(&answer->body, SL_ADMIN_MAX_PAGE_BYTES);
}

void sl_admin_answer_fini(struct sl_admin_answer *answer)
{
    sl_buf_fini(&answer->body);
    if (answer->give_back) {
        answer->give_back(answer->owner);
    }
    answer->give_back = NULL;
}

void sl_admin_answer_text(struct sl_admin_answer *answer, unsigned code, const char *text)
{
    answer->code = code;
    answer->type = "text/plain; charset=utf-8";
    sl_buf_reset(&answer->body);
    sl_buf_add_c(&answer->body, text);
}

void sl_admin_answer_json(struct sl_admin_answer *answer, struct sl_json *json, json_t *root)
{
    answer->code = 200;
    answer->type = json_media;
    sl_buf_reset(&answer->body);
    if (sl_json_print(json, root, &answer->body)) {
        return;
    }
    sl_buf_fini(&answer->body);
    sl_buf_init(&answer->body, SL_ADMIN_MAX_PAGE_BYTES);
    sl_admin_answer_error(answer, 503, "too-large", "the answer is too large, or memory is out",
                          "ask for a part of it, with limit and offset");
}

void sl_admin_answer_lend(struct sl_admin_answer *answer, const char *type, struct sl_str bytes,
                          void (*give_back)(void *owner), void *owner)
{
    answer->code = 200;
    answer->type = type;
    sl_buf_reset(&answer->body);
    answer->lent = bytes;
    answer->give_back = give_back;
    answer->owner = owner;
}

void sl_admin_answer_error(struct sl_admin_answer *answer, unsigned code, const char *word,
                           const char *message, const char *hint)
{
    struct sl_json json = {false};
    json_t *root = sl_json_object(&json);
    json_t *error = sl_json_object(&json);

    sl_json_put(&json, error, "code", sl_json_text(&json, word));
    sl_json_put(&json, error, "message", sl_json_text(&json, message));
    if (hint) {
        sl_json_put(&json, error, "hint", sl_json_text(&json, hint));
    }
    sl_json_put(&json, root, "error", error);
    answer->code = code;
    answer->type = json_media;
    sl_buf_reset(&answer->body);
    if (!sl_json_print(&json, root, &answer->body)) {
        sl_buf_reset(&answer->body);
    }
}
