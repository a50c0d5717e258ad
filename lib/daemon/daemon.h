/* daemon.h - a collector from its start to its end: what `sluice run` runs. */
#ifndef SLUICE_DAEMON_DAEMON_H
#define SLUICE_DAEMON_DAEMON_H

#include "base/base.h"
#include "base/status.h"
#include "daemon/settings.h"

/* Runs on the calling thread until SIGTERM or SIGINT, then drains: no more credit, what is held is
 * waited for at most shutdown-timeout, the calls are cancelled, the ledger is logged. A second
 * signal ends the process at once. Where all targets replay captures (target/options.h) it ends by
 * itself when everything is acknowledged; and where a required sink will never take records again,
 * as after a signal. SIGHUP takes `file`, from which the settings are, anew. An error is a start
 * that failed, a capture that was damaged, or such a sink.
 */
struct sl_status sl_daemon_run(struct sl_settings *settings, const char *file) SL_MUST_CHECK;

#endif
