/* mailbox.h - how other threads of a plugin reach its instance.
 *
 * What they post runs on the loop thread, in order, as long as the instance is open; what is still
 * there when it closes is forgotten, so no post ever meets a freed instance. The mailbox itself
 * lives until the loop has run the last wake-up for it.
 */
#ifndef SLUICE_SINK_MAILBOX_H
#define SLUICE_SINK_MAILBOX_H

#include <stdbool.h>

#include "base/base.h"
#include "loop/loop.h"

struct sl_mailbox;

/* NULL when memory is out. `loop` outlives the mailbox. */
struct sl_mailbox *sl_mailbox_open(struct sl_loop *loop) SL_MUST_CHECK;

/* Loop thread. Nothing posted runs from now on. */
void sl_mailbox_close(struct sl_mailbox *mailbox);

/* Any thread, until the mailbox is closed. False when memory is out. */
bool sl_mailbox_post(struct sl_mailbox *mailbox, sl_loop_fn fn, void *arg) SL_MUST_CHECK;

#endif
