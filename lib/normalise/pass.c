#include "normalise/pass.h"

void sl_pass_begin(struct sl_pass *pass)
{
    SL_ASSERT(pass->paths && pass->intern && pass->out && pass->encoded);
    pass->start = pass->out->len;
    pass->prefix = sl_intern_prefix(pass->intern, pass->response->prefix);
}

/* The working memory's prefix is that of the response; worked out only when a path was not found.
 */
static bool build_prefix(struct sl_pass *pass)
{
    if (pass->built == SL_PASS_NOT_BUILT) {
        bool is_ok = pass->paths->begin(pass->arg, pass->response->prefix);
        pass->built = is_ok ? SL_PASS_BUILT : SL_PASS_REFUSED;
    }
    return pass->built == SL_PASS_BUILT;
}

static bool build(struct sl_pass *pass, struct sl_str path, struct sl_fragment *fragment)
{
    if (!build_prefix(pass)) {
        return false;
    }
    bool is_ok = pass->paths->build(pass->arg, path, fragment);

    pass->built_bytes += pass->paths->cost(pass->arg);
    pass->is_full = pass->is_full || pass->built_bytes > SL_ENCODER_MAX_RECORD_BYTES;
    if (is_ok && pass->prefix) {
        sl_intern_add(pass->intern, pass->prefix, path, fragment);
    }
    return is_ok;
}

bool sl_pass_find(struct sl_pass *pass, struct sl_str path, struct sl_fragment *fragment)
{
    if (pass->is_full) {
        return false;
    }
    bool is_interned = pass->prefix && sl_intern_find(pass->intern, pass->prefix, path, fragment);

    return is_interned || build(pass, path, fragment);
}

bool sl_pass_find_hinted(struct sl_pass *pass, struct sl_path_hint *hint, struct sl_str path,
                         struct sl_fragment *fragment)
{
    if (hint && hint->fragment && !pass->is_full) {
        *fragment = *hint->fragment;
        return true;
    }
    if (!sl_pass_find(pass, path, fragment)) {
        return false;
    }
    if (hint) {
        const struct sl_fragment *kept = sl_intern_last(pass->intern);
        hint->fragment = kept && kept->text == fragment->text ? kept : NULL;
    }
    return true;
}

bool sl_pass_fits(const struct sl_pass *pass, size_t more)
{
    uint64_t len = pass->made_bytes + (pass->out->len - pass->start);

    return !pass->is_full && more <= SL_ENCODER_MAX_RECORD_BYTES &&
           len <= SL_ENCODER_MAX_RECORD_BYTES - more;
}

bool sl_pass_has_room(struct sl_pass *pass, size_t more)
{
    pass->is_full = !sl_pass_fits(pass, more);
    return !pass->is_full;
}

void sl_pass_count(struct sl_pass *pass, size_t start, bool is_ok)
{
    if (is_ok && sl_pass_has_room(pass, 0)) {
        pass->encoded->published++;
    } else {
        pass->out->len = start;
        pass->encoded->dropped++;
    }
}
