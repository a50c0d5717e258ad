/* board.h - the latest notes that were left, numbered from 1.
 *
 * A reader is nothing but the number of the note that it wants next, so a slow one costs no more
 * than a quick one. What has gone to make room is missed: the reader goes on at the oldest that is
 * left, and sees by its number how many there were. At most BOARD_NOTES notes of BOARD_NOTE_BYTES.
 */
#ifndef SLUICE_SERVICES_BOARD_H
#define SLUICE_SERVICES_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "base/base.h"

enum { BOARD_NOTES = 1024, BOARD_NOTE_BYTES = 4096 };

struct note {
    uint64_t place; /* whatever the owner tells notes apart by */
    uint8_t *bytes; /* the message, packed once for all readers */
    uint32_t len;
};

struct board {
    struct note notes[BOARD_NOTES];
    uint64_t last; /* the newest note's number; 0: none */
};

/* Zeroed storage is an empty board. */
void board_fini(struct board *board);

/* Packs `message`, which is not longer than BOARD_NOTE_BYTES, as number `last` + 1. False when
 * memory is out: nothing changed. */
bool board_add(struct board *board, const ProtobufCMessage *message, uint64_t place) SL_MUST_CHECK;

/* The note with number `*number`, or the oldest if that is gone: then `*number` is its number. NULL
 * when it has not been left yet. Borrowed until the next board_add. */
const struct note *board_read(const struct board *board, uint64_t *number);

#endif
