/* wrap: malloc calloc realloc strdup strndup asprintf */
#include "tests/onnx_fixture.h"

#include "tests/faults.h"

FAULT(void *, malloc, (size_t size), (size), ENOMEM, NULL)
FAULT(void *, calloc, (size_t count, size_t size), (count, size), ENOMEM, NULL)
FAULT(void *, realloc, (void *old, size_t size), (old, size), ENOMEM, NULL)
FAULT(char *, strdup, (const char *text), (text), ENOMEM, NULL)
FAULT(char *, strndup, (const char *text, size_t size), (text, size), ENOMEM,
      NULL)

/* Not worth its variable arguments: names are made by it, nothing else is. */
int __wrap_asprintf(char **out, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int __wrap_asprintf(char **out, const char *fmt, ...)
{
	va_list args;
	int length;

	if (fault(ENOMEM))
		return -1;
	va_start(args, fmt);
	length = vasprintf(out, fmt, args);
	va_end(args);
	return length;
}

static const char everything[] =
	"input x 1,2,4,4\n"
	"init w T1:2,2,3,3:*\n"
	"init b T1:2:1,2\n"
	"init c T1:4,4:*\n"
	"init t T4:2:1,2\n"
	"Conv x,w,b -> c1 pads=1,1,1,1\n"
	"ConvTranspose c1,w,b -> c2\n"
	"AveragePool c2 -> p kernel_shape=2,2 dilations=2,2\n"
	"BatchNormalization p,b,b,b,b -> n\n"
	"BatchNormalization n,b,b,b,b -> o spatial=1\n"
	"InstanceNormalization o,b,b -> i\n"
	"PRelu i,c -> pr\n"
	"Mul pr,c -> m\n"
	"Add m,s -> a\n"
	"init s T1::2\n"
	"Add s,c -> ev\n"
	"ReduceSum ev -> rs axes=0,\n"
	"Concat rs,c -> cc axis=0\n"
	"Gather cc,g -> gc\n"
	"init g T7:2:-1,0\n"
	"Gather a,g -> ga axis=-1\n"
	"MatMul ga,mw -> mm\n"
	"init mw T1:2,3:*\n"
	"Resize mm,,,z -> q mode='linear'\n"
	"init z T7:4:1,2,8,8\n"
	"Sum q,q,q -> su\n"
	"Split su -> s1,s2 axis=1\n"
	"Concat s1,s2,s1 -> k axis=1\n"
	"Where cond,k,k -> wh\n"
	"init cond T9::1\n"
	"Constant - -> cf value_floats=1.5,2.5\n"
	"Cast cf -> ci to=7\n"
	"Transpose c -> ct\n"
	"Reshape ct,sh -> cr\n"
	"init sh T7:1:16\n"
	"Range r0,r1,r2 -> ra\n"
	"init r0 T7::0\n"
	"init r1 T7::4\n"
	"init r2 T7::1\n"
	"Tile cf,g2 -> ti\n"
	"init g2 T7:1:2\n"
	"LSTM x -> l\n"
	"output wh\n"
	"output gc\n"
	"output ra\n"
	"output cr\n"
	"output ci\n"
	"output ti\n";

/* Whichever allocation fails, nothing leaks and the status says so. */
static void every_failed_allocation_is_survived(const char *text, int want)
{
	const struct mx_import_opts opts = {.keep_batch = 1};
	struct pb model = {0};
	struct import import;
	long nth;
	int rc, fired = 1;

	model_of(text, &model);
	for (nth = 0; fired; nth++) {
		faults_arm(nth);
		rc = import_bytes(&import, &model, &opts);
		fired = faults_disarm();
		if (fired && rc != -ENOMEM)
			fail_msg("call %ld: status %d: %s", nth, rc,
				 import.err.text);
		import_end(&import);
	}
	assert_int_equal(rc, want);
	assert_true(nth > 100);
	free(model.data);
}

static void failed_allocations_are_survived(void **state)
{
	char *text;
	char *lstm;

	(void)state;
	every_failed_allocation_is_survived(everything, -ENOTSUP);
	/* The same without what is unsupported. */
	text = strdup(everything);
	assert_non_null(text);
	lstm = strstr(text, "LSTM");
	memmove(lstm, strchr(lstm, '\n') + 1,
		strlen(strchr(lstm, '\n') + 1) + 1);
	every_failed_allocation_is_survived(text, 0);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failed_allocations_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
