#include "normalise/piece.h"

#include "gnmi/rewrite.h"

bool sl_piece_has_several(const struct sl_gnmi_response *response)
{
    return !response->is_atomic && response->updates + response->deletes > 1;
}

/* The deletes, else the updates, from where `progress` stands, at most as many as it says. */
static void add_some(struct sl_gnmi_rewrite *rewrite, const struct sl_gnmi_response *response,
                     struct sl_encoder_progress *progress, uint32_t most)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(response);
    const uint8_t *begin = cursor.at;
    struct sl_gnmi_update update;
    struct sl_str path;
    uint32_t count = 0;

    cursor.at += progress->at;
    while (!progress->has_deleted && count < most && sl_gnmi_next_delete(&cursor, &path)) {
        sl_gnmi_rewrite_add_delete(rewrite, path);
        progress->at = (size_t)(cursor.at - begin);
        count++;
    }
    if (count > 0) {
        return;
    }
    if (!progress->has_deleted) {
        progress->has_deleted = true;
        progress->at = 0;
        cursor.at = begin;
    }
    while (count < most && sl_gnmi_next_update(&cursor, &update)) {
        sl_gnmi_rewrite_add_update(rewrite, update.path, &update);
        progress->at = (size_t)(cursor.at - begin);
        count++;
    }
    SL_ASSERT(count > 0);
}

/* Updates in a list are taken out of it as they stand. */
static void slice(const struct sl_gnmi_response *response,
                  const struct sl_encoder_progress *progress, uint32_t most,
                  struct sl_gnmi_response *piece)
{
    uint32_t left = response->updates - progress->passed;

    SL_ASSERT(left > 0 && response->deletes == 0);
    *piece = *response;
    piece->listed = response->listed + progress->passed;
    piece->updates = left < most ? left : most;
    if (progress->passed) {
        piece->message = (struct sl_str){0};
    }
}

bool sl_piece_next(const struct sl_gnmi_response *response, struct sl_encoder_progress *progress,
                   struct sl_buf *out, struct sl_gnmi_response *piece)
{
    struct sl_gnmi_response from = *response;
    struct sl_gnmi_rewrite rewrite;
    uint32_t most = progress->most ? progress->most : 1;

    if (response->listed) {
        slice(response, progress, most, piece);
        return true;
    }
    if (progress->passed) {
        from.message = (struct sl_str){0};
    }
    sl_gnmi_rewrite_begin(&rewrite, &from, out);
    if (response->has_labels) {
        sl_gnmi_rewrite_note_labels(&rewrite);
    }
    add_some(&rewrite, response, progress, most);
    return sl_gnmi_rewrite_end(&rewrite, piece);
}
