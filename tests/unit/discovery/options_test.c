/* What no table says of a source. */
#include "test.h"

#include <string.h>

#include "discovery/options.h"

static struct sl_source_spec http(void)
{
    return (struct sl_source_spec){
        .name = "netbox",
        .options = {.type = SL_SOURCE_HTTP,
                    .url = "https://netbox.example/targets",
                    .token = "s3cret",
                    .tls = {.ca = "", .cert = "", .key = ""}},
    };
}

static void assert_refused(const struct sl_source_spec *spec, const char *words)
{
    struct sl_status why;

    assert_false(sl_source_check(spec, &why));
    assert_non_null(strstr(why.text, words));
    assert_null(strstr(why.text, "s3cret"));
}

static void a_good_source_is_good(void **state)
{
    struct sl_source_spec spec = http();
    struct sl_status why;

    (void)state;
    assert_true(sl_source_check(&spec, &why));
    spec.options.url = "http://127.0.0.1:1/";
    assert_true(sl_source_check(&spec, &why));
}

static void its_name_is_the_name_of_a_file_too(void **state)
{
    static const char *const wrong[] = {"", "a/b", "..", "a b", "a.b"};
    struct sl_source_spec spec = http();

    (void)state;
    for (size_t i = 0; i < SL_ARRAY_LEN(wrong); i++) {
        spec.name = wrong[i];
        assert_refused(&spec, "expected a name");
    }
}

static void what_is_no_url_or_header_is_refused(void **state)
{
    const struct sluice_pair split = {"X-A", "b\r\nX-C: d"};
    const struct sluice_pair colon = {"X-A: b", "c"};
    struct sl_source_spec spec = http();

    (void)state;
    spec.options.url = "file:///etc/passwd";
    assert_refused(&spec, "expected http:// or https://");
    spec.options.url = "https://user:s3cret@netbox.example/";
    assert_refused(&spec, "credentials do not belong there");
    spec = http();
    spec.options.headers = (struct sluice_map){&split, 1};
    assert_refused(&spec, "'headers'");
    spec.options.headers = (struct sluice_map){&colon, 1};
    assert_refused(&spec, "'headers'");
    spec = http();
    spec.options.token = "s3cret\nX: y";
    assert_refused(&spec, "'headers'");
}

static void a_certificate_needs_its_key(void **state)
{
    struct sl_source_spec spec = http();

    (void)state;
    spec.options.tls.cert = "me.pem";
    assert_refused(&spec, "'tls'");
    spec.options.tls.cert = "";
    spec.options.tls.key = "me.key";
    assert_refused(&spec, "'tls'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_source_is_good),
        cmocka_unit_test(its_name_is_the_name_of_a_file_too),
        cmocka_unit_test(what_is_no_url_or_header_is_refused),
        cmocka_unit_test(a_certificate_needs_its_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
