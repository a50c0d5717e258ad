/* journal.h - a line of the log as an entry of systemd's journal.
 *
 * The native protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/): one datagram an entry, or,
 * when it is larger than a datagram may be, a sealed memfd that is sent instead. Each field of the
 * line is one of the journal's, whatever bytes it holds:
 *
 *     MESSAGE=level=warn target=leaf1 msg="connection ended" ...   as logfmt has it
 *     PRIORITY=4  SYSLOG_IDENTIFIER=sluice  SLUICE_MSG=connection ended
 *     SLUICE_TARGET=leaf1  SLUICE_LEFT_OUT=7                        of left-out=7
 *
 * No libsystemd: it would cost a MiB in every process.
 */
#ifndef SLUICE_BASE_JOURNAL_H
#define SLUICE_BASE_JOURNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/un.h>

#include "base/base.h"
#include "base/log.h"

#define SL_JOURNAL_SOCKET "/run/systemd/journal/socket"

enum {
    SL_JOURNAL_FIELDS = 48,               /* of an entry; what is beyond is left out of it */
    SL_JOURNAL_VALUE_BYTES = 64 * SL_KIB, /* what is longer is cut off */
    SL_JOURNAL_NAME_BYTES = 64,           /* of a field's name, as the journal has it */
    SL_JOURNAL_PATIENCE_MS = 100,         /* for a journal that does not read */
};

struct sl_journal {
    int fd; /* -1: not open */
    struct sockaddr_un address;
    atomic_bool is_stuck; /* it took nothing at the last entry: the next one does not wait */
};

/* True when standard error is a stream of the journal: it is the file of $JOURNAL_STREAM, a device
 * and an inode (systemd.exec(5)). */
bool sl_journal_has_stderr(void);

/* False when nothing is there that takes datagrams; nothing is open then. */
bool sl_journal_open(struct sl_journal *journal, const char *path) SL_MUST_CHECK;
void sl_journal_close(struct sl_journal *journal);

/* Any thread, several at once. 0; or why the entry is lost, as errno: EAGAIN says that the journal
 * is there and does not read. */
int sl_journal_send(struct sl_journal *journal, const struct sl_log_event *event) SL_MUST_CHECK;

#endif
