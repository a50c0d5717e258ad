#include "stream/asking.h"

#include <stdlib.h>

static size_t count_paths(const struct sl_stream_member *members, size_t count)
{
    size_t paths = 0;

    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < members[i].asked_count; j++) {
            for (const char *const *path = members[i].asked[j].paths; *path; path++) {
                paths++;
            }
        }
    }
    return paths;
}

bool sl_asking_init(struct sl_asking *asking, const struct sl_stream_member *members, size_t count)
{
    size_t paths = count_paths(members, count);

    *asking = (struct sl_asking){.paths = calloc(paths + 1, sizeof(struct sl_asking_path))};
    for (size_t i = 0; asking->paths && i < count; i++) {
        for (size_t j = 0; j < members[i].asked_count; j++) {
            const struct sl_gnmi_asked *asked = &members[i].asked[j];
            for (const char *const *path = asked->paths; *path; path++) {
                asking->paths[asking->count++] = (struct sl_asking_path){i, asked, *path};
            }
        }
    }
    return asking->paths != NULL;
}

void sl_asking_fini(struct sl_asking *asking)
{
    free(asking->paths);
    *asking = (struct sl_asking){.paths = NULL};
}

/* One path, and the NULL behind it. */
struct single {
    const char *paths[2];
};

struct sl_status sl_asking_pack(const struct sl_asking *asking, const uint8_t *is_in,
                                const struct sl_gnmi_subscribe *subscribe,
                                const struct sl_gnmi_profile *profile, struct sl_buf *out,
                                uint32_t *in_force)
{
    struct sl_status status = sl_status_out_of_memory();
    struct single *singles = calloc(asking->count + 1, sizeof(*singles));
    struct sl_gnmi_asked *asked = calloc(asking->count + 1, sizeof(*asked));
    struct sl_gnmi_subscribe whole = *subscribe;

    whole.asked = asked;
    whole.asked_count = 0;
    for (size_t i = 0; singles && asked && i < asking->count; i++) {
        if (is_in && !is_in[i]) {
            continue;
        }
        singles[i].paths[0] = asking->paths[i].path;
        asked[whole.asked_count] = *asking->paths[i].asked;
        asked[whole.asked_count++].paths = singles[i].paths;
    }
    if (singles && asked) {
        status = sl_gnmi_subscribe_pack_for(&whole, profile, out, in_force);
    }
    free(singles);
    free(asked);
    return status;
}
