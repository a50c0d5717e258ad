#include "normalise/piece.h"

#include "gnmi/rewrite.h"

bool sl_piece_has_several(const struct sl_gnmi_response *response)
{
    return !response->is_atomic && response->updates + response->deletes > 1;
}

/* The delete, else the update, where `progress` stands. */
static void add_one(struct sl_gnmi_rewrite *rewrite, const struct sl_gnmi_response *response,
                    struct sl_encoder_progress *progress)
{
    struct sl_gnmi_cursor cursor = sl_gnmi_response_begin(response);
    const uint8_t *begin = cursor.at;
    struct sl_gnmi_update update;
    struct sl_str path;

    if (!progress->has_deleted) {
        cursor.at += progress->at;
        if (sl_gnmi_next_delete(&cursor, &path)) {
            sl_gnmi_rewrite_add_delete(rewrite, path);
            progress->at = (size_t)(cursor.at - begin);
            return;
        }
        progress->has_deleted = true;
        progress->at = 0;
        cursor.at = begin;
    }
    cursor.at += progress->at;
    bool is_there = sl_gnmi_next_update(&cursor, &update);
    SL_ASSERT(is_there);
    sl_gnmi_rewrite_add_update(rewrite, update.path, &update);
    progress->at = (size_t)(cursor.at - begin);
}

bool sl_piece_next(const struct sl_gnmi_response *response, struct sl_encoder_progress *progress,
                   struct sl_buf *out, struct sl_gnmi_response *piece)
{
    struct sl_gnmi_response from = *response;
    struct sl_gnmi_rewrite rewrite;

    if (progress->passed) {
        from.message = (struct sl_str){0};
    }
    sl_gnmi_rewrite_begin(&rewrite, &from, out);
    if (response->has_labels) {
        sl_gnmi_rewrite_note_labels(&rewrite);
    }
    add_one(&rewrite, response, progress);
    return sl_gnmi_rewrite_end(&rewrite, piece);
}
