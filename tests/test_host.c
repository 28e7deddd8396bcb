#include "sched/host.h"

#include <string.h>

#include "tests/check.h"

static void the_cpu_has_a_name(void **state)
{
	static const struct {
		const char *text, *name;
	} cases[] = {
		{"processor\t: 0\nmodel\t\t: 17\nmodel name\t: AMD EPYC\n"
		 "processor\t: 1\nmodel name\t: Other\n",
		 "AMD EPYC"},
		{"processor\t: 0\nCPU implementer\t: 0x41\nCPU variant\t: 0x0\n"
		 "CPU part\t: 0xd08\n",
		 "CPU 0x41/0xd08"},
		{"CPU part\t: 0xd08", "unknown CPU"},
		{"model name\t:\n", "unknown CPU"},
		{"model name", "unknown CPU"},
		{"", "unknown CPU"},
		{"model name: a name that is rather long", "a name that is "},
	};
	char out[16];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		mx_host_cpu(cases[i].text, out, sizeof(out));
		assert_string_equal(out, cases[i].name);
	}
}

static void the_text_names_what_computes(void **state)
{
	char text[MX_HOST_TEXT_BYTES];
	char other[MX_HOST_TEXT_BYTES];

	(void)state;
	mx_host_text("SkylakeX", text);
	assert_non_null(strstr(text, ", OpenBLAS SkylakeX"));
	assert_non_null(strstr(text, " CPU"));
	mx_host_text(NULL, other);
	assert_non_null(strstr(other, ", OpenBLAS none"));
	assert_string_not_equal(text, other);
	mx_host_text("SkylakeX", other);
	assert_string_equal(text, other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_cpu_has_a_name),
		cmocka_unit_test(the_text_names_what_computes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
