#include "board.h"

#include <stdlib.h>

void board_fini(struct board *board)
{
    for (size_t i = 0; i < BOARD_NOTES; i++) {
        free(board->notes[i].bytes);
    }
}

bool board_add(struct board *board, const ProtobufCMessage *message, uint64_t place)
{
    struct note *note = &board->notes[(board->last + 1) % BOARD_NOTES];
    uint8_t *bytes = malloc(protobuf_c_message_get_packed_size(message) + 1);

    if (!bytes) {
        return false;
    }
    free(note->bytes);
    note->bytes = bytes;
    note->len = (uint32_t)protobuf_c_message_pack(message, bytes);
    note->place = place;
    board->last++;
    return true;
}

const struct note *board_read(const struct board *board, uint64_t *number)
{
    if (board->last >= BOARD_NOTES) {
        *number = sl_max_u64(*number, board->last - BOARD_NOTES + 1);
    }
    return *number <= board->last ? &board->notes[*number % BOARD_NOTES] : NULL;
}
