/* answer.h - what a simulated device answers to Capabilities, Get and Set: messages in, bytes out.
 *
 * gnmi-specification.md 3.2 to 3.4. Values in the encoding that is asked for: JSON and JSON_IETF as
 * one value for all that a path names, PROTO, ASCII and BYTES leaf by leaf. Paths in an answer are
 * whole; its prefix has the target and the origin of the request.
 */
#ifndef SLUICE_DEVICE_ANSWER_H
#define SLUICE_DEVICE_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/status.h"
#include "device/tree.h"

enum {
    SL_DEVICE_MAX_ANSWER_BYTES = 15 * 1024 * 1024,
    SL_DEVICE_MAX_GET_PATHS = 128,
};

/* Appends a CapabilityResponse: the models that the simulated leaves are of, all encodings. */
struct sl_status sl_device_answer_capabilities(const Gnmi__CapabilityRequest *request,
                                               struct sl_buf *out) SL_MUST_CHECK;

/* Appends a GetResponse. NOT_FOUND: a path without wildcards names nothing; UNIMPLEMENTED: an
 * unknown encoding; RESOURCE_EXHAUSTED beyond a limit. */
struct sl_status sl_device_answer_get(const struct sl_device_tree *tree,
                                      const Gnmi__GetRequest *request, int64_t now_ns,
                                      struct sl_buf *out) SL_MUST_CHECK;

/* Appends the SetResponse to a request that was done. */
struct sl_status sl_device_answer_set(const Gnmi__SetRequest *request, int64_t now_ns,
                                      struct sl_buf *out) SL_MUST_CHECK;

/* Whether that is one of the models; an organization or version that is not said is any. */
bool sl_device_knows_model(const Gnmi__ModelData *asked);

/* ---- their parts, for Subscribe too ---- */

/* Appends field `tag` of a message: its bytes behind tag and length. */
void sl_device_add_message(struct sl_buf *out, char tag, const ProtobufCMessage *message);
void sl_device_add_bytes(struct sl_buf *out, char tag, struct sl_str bytes);

/* Appends timestamp and prefix of a Notification: the prefix has `asked`'s target and origin, and
 * there is none where both are empty. `asked` may be NULL. */
void sl_device_add_head(struct sl_buf *out, int64_t timestamp_ns, const char *target,
                        const char *origin);

/* Appends an Update of a Notification with one leaf in an encoding. */
void sl_device_add_update(struct sl_buf *out, const struct sl_device_leaf *leaf,
                          Gnmi__Encoding encoding);

/* The same with all that these leaves, which share their first `above` elements, are below them:
 * JSON and JSON_IETF alone. */
void sl_device_add_subtree(struct sl_buf *out, struct sl_device_leaf *const *leaves, size_t count,
                           size_t above, Gnmi__Encoding encoding);

/* Appends a SubscribeResponse that says that a change of configuration is through. */
void sl_device_add_sync_done(struct sl_buf *out, const char *commit_id, uint64_t number);

/* The level of a depth extension among these; 0: none. */
uint32_t sl_device_depth(GnmiExt__Extension *const *extensions, size_t count);

#endif
