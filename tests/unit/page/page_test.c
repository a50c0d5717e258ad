#include "test.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "page/page.h"

static bool holds(struct sl_str bytes, const char *text)
{
    return memmem(bytes.data, bytes.len, text, strlen(text)) != NULL;
}

static void a_path_finds_its_asset_and_no_other(void **state)
{
    const struct sl_page_asset *index = sl_page_find("/");
    const char *const strangers[] = {"",
                                     "/page",
                                     "/page/",
                                     "/page/../",
                                     "/index.html",
                                     "page/main.js",
                                     "/page/main.js?",
                                     "/PAGE/main.js"};

    (void)state;
    assert_non_null(index);
    assert_string_equal(index->type, "text/html; charset=utf-8");
    assert_true(sl_str_starts_with(index->bytes, SL_STR("<!doctype html>")));
    for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
        assert_null(sl_page_find(strangers[i]));
    }
}

/* Each word behind `before` up to `end` is the path of an asset, with `prefix` before it. */
static size_t check_references(struct sl_str bytes, const char *before, char end,
                               const char *prefix)
{
    char *text = sl_str_dup(bytes);
    size_t found = 0;

    assert_non_null(text);
    for (char *at = strstr(text, before); at; at = strstr(at, before)) {
        char path[128];
        char *close;

        at += strlen(before);
        close = strchr(at, end);
        assert_non_null(close);
        snprintf(path, sizeof(path), "%s%.*s", prefix, (int)(close - at), at);
        if (!sl_page_find(path)) {
            fail_msg("%s is not among the assets", path);
        }
        found++;
    }
    free(text);
    return found;
}

static void what_an_asset_refers_to_is_one(void **state)
{
    (void)state;
    assert_true(check_references(sl_page_find("/")->bytes, "src=\"", '"', "/") == 3);
    assert_true(check_references(sl_page_find("/")->bytes, "href=\"page", '"', "/page") == 2);
    for (size_t i = 0; i < sl_page_asset_count; i++) {
        if (strcmp(sl_page_assets[i].path, "/page/chart.js") != 0) {
            check_references(sl_page_assets[i].bytes, "from './", '\'', "/page/");
        }
    }
}

/* What the policy would refuse, and what would make elements out of text. */
static void nothing_is_inline_and_nothing_is_elsewhere(void **state)
{
    const char *const refused[] = {"<style",    " style=\"",          "<script>",
                                   "onclick=",  "javascript:",        "innerHTML",
                                   "outerHTML", "insertAdjacentHTML", "document.write",
                                   "eval(",     "new Function",       "http://",
                                   "https://"};

    (void)state;
    for (size_t i = 0; i < sl_page_asset_count; i++) {
        const struct sl_page_asset *asset = &sl_page_assets[i];

        for (size_t r = 0; r < sizeof(refused) / sizeof(refused[0]); r++) {
            bool is_ours = strcmp(asset->path, "/page/chart.js") != 0;
            bool is_namespace = strcmp(asset->path, "/page/icon.svg") == 0;

            if (is_ours && !is_namespace && holds(asset->bytes, refused[r])) {
                fail_msg("%s has %s", asset->path, refused[r]);
            }
        }
    }
    assert_string_equal(sl_page_headers[0].name, "Content-Security-Policy");
    assert_non_null(strstr(sl_page_headers[0].value, "default-src 'none'"));
    assert_null(strstr(sl_page_headers[0].value, "unsafe"));
}

static void an_etag_is_quoted_and_one_of_its_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < sl_page_asset_count; i++) {
        const char *etag = sl_page_assets[i].etag;
        size_t len = strlen(etag);

        assert_true(len == 18 && etag[0] == '"' && etag[len - 1] == '"');
        for (size_t c = 1; c + 1 < len; c++) {
            assert_true(isxdigit((unsigned char)etag[c]));
        }
        for (size_t other = 0; other < i; other++) {
            assert_string_not_equal(etag, sl_page_assets[other].etag);
        }
    }
}

static void a_build_without_the_page_finds_nothing(void **state)
{
    (void)state;
    assert_true(sl_page_asset_count == 0);
    assert_null(sl_page_find("/"));
}

int main(void)
{
    const struct CMUnitTest with[] = {
        cmocka_unit_test(a_path_finds_its_asset_and_no_other),
        cmocka_unit_test(what_an_asset_refers_to_is_one),
        cmocka_unit_test(nothing_is_inline_and_nothing_is_elsewhere),
        cmocka_unit_test(an_etag_is_quoted_and_one_of_its_own),
    };
    const struct CMUnitTest without[] = {
        cmocka_unit_test(a_build_without_the_page_finds_nothing),
    };

    return SL_TEST_PAGE ? cmocka_run_group_tests(with, NULL, NULL)
                        : cmocka_run_group_tests(without, NULL, NULL);
}
