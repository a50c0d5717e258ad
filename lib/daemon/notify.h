/* notify.h - what the service manager is told: sd_notify(3)'s protocol.
 *
 * A datagram of lines NAME=VALUE to the unix socket that $NOTIFY_SOCKET names. The protocol is
 * stable and of one page, and libsystemd would take a MiB of memory for it, so it is spoken here.
 * Where nobody listens, nothing is sent. One thread at a time.
 */
#ifndef SLUICE_DAEMON_NOTIFY_H
#define SLUICE_DAEMON_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

enum { SL_NOTIFY_BYTES = 512 }; /* a message beyond that is cut off */

/* Whether a manager listens. */
bool sl_notify_is_heard(void);

/* Sends lines like "READY=1\nSTATUS=3 targets". Waits a second at most for a manager that does not
 * read; a message that cannot be sent is lost. */
void sl_notify(const char *format, ...) SL_PRINTF(1, 2);

/* READY=1: started, or the new configuration is in force. RELOADING=1 comes before the latter, with
 * the time that systemd 253 and later want. */
void sl_notify_ready(void);
void sl_notify_reloading(void);

/* STOPPING=1; the manager is asked to wait `at_most_ms` for the end. */
void sl_notify_stopping(uint64_t at_most_ms);

/* The time within which the manager wants to hear WATCHDOG=1 again ($WATCHDOG_USEC, where
 * $WATCHDOG_PID is this process or unset); 0: never. */
uint64_t sl_notify_watchdog_ms(void);

#endif
