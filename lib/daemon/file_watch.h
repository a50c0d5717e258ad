/* file_watch.h - tells that a file is another one, or says something else, once it is quiet.
 *
 * What is watched is not the file, which editors and orchestrators replace, but the directories in
 * which its name and the names of the symbolic links that lead to it are looked up (inotify(7)):
 * writing in place, renaming over it, and Kubernetes' swap of `..data` in a mounted ConfigMap are
 * all seen. Whatever happens there is looked at once in SL_FILE_WATCH_QUIET_MS; the file counts as
 * quiet when two looks in a row see the same (its inode, size and times).
 *
 * Belongs to its loop's thread.
 */
#ifndef SLUICE_DAEMON_FILE_WATCH_H
#define SLUICE_DAEMON_FILE_WATCH_H

#include "base/base.h"
#include "base/status.h"
#include "loop/loop.h"

enum {
    SL_FILE_WATCH_QUIET_MS = 250,
    SL_FILE_WATCH_LINKS = 40, /* that lead to it, one behind the other; as the kernel has it */
};

struct sl_file_watch;

/* `fn(arg)` is called whenever `file` has changed from what it is now, also when it is gone or is
 * there again. `file` outlives it. NULL with the reason in `why`. */
struct sl_file_watch *sl_file_watch_new(struct sl_loop *loop, const char *file, sl_loop_fn fn,
                                        void *arg, struct sl_status *why) SL_MUST_CHECK;
void sl_file_watch_free(struct sl_file_watch *watch); /* NULL is nothing */

#endif
