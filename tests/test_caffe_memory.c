/* wrap: malloc calloc realloc strdup */
/*
 * The importer without memory: every allocation fails in its turn.
 */
#include "tests/caffe_fixture.h"
#include "tests/faults.h"

FAULT(void *, malloc, (size_t size), (size), ENOMEM, NULL)
FAULT(void *, calloc, (size_t count, size_t size), (count, size), ENOMEM, NULL)
FAULT(void *, realloc, (void *old, size_t size), (old, size), ENOMEM, NULL)
FAULT(char *, strdup, (const char *text), (text), ENOMEM, NULL)

static const char net[] =
	"name: 'n' input: 'x' input_shape { dim: [1,4,8,8] }\n"
	"layer { name: 'c' type: 'Convolution' bottom: 'x' top: 'c' "
	"convolution_param { num_output: 4 kernel_size: 3 } }\n"
	"layer { name: 'n' type: 'BatchNorm' bottom: 'c' top: 'c' }\n"
	"layer { name: 's' type: 'Scale' bottom: 'c' top: 'c' scale_param { "
	"bias_term: true } }\n"
	"layer { name: 'b' type: 'Bias' bottom: 'c' top: 'c' }\n"
	"layer { name: 'p' type: 'PReLU' bottom: 'c' top: 'c' prelu_param { "
	"channel_shared: true } }\n"
	"layer { name: 'z' type: 'Normalize' bottom: 'c' top: 'z' }\n"
	"layer { name: 'q' type: 'PriorBox' bottom: 'z' bottom: 'x' top: 'q' "
	"prior_box_param { min_size: 2 } }\n"
	"layer { name: 'm' type: 'Scale' bottom: 'z' top: 'm' scale_param { "
	"num_axes: 2 } }\n"
	"layer { name: 'f' type: 'InnerProduct' bottom: 'm' top: 'f' "
	"inner_product_param { num_output: 3 } }\n";

static void sweep(const char *text, int want)
{
	const struct mx_import_opts opts = {.seed = 1};
	struct import import;
	long n;
	int rc, fired;

	for (n = 0;; n++) {
		faults_arm(n);
		rc = import_net(&import, text, NULL, &opts);
		fired = faults_disarm();
		if (!fired)
			break;
		if (rc != -ENOMEM)
			fail_msg("call %ld: %d %s", n, rc, import.err.text);
		import_end(&import);
	}
	assert_int_equal(rc, want);
	assert_true(n > 10);
	import_end(&import);
}

static void each_failed_allocation_is_reported(void **state)
{
	(void)state;
	sweep(net, 0);
	sweep("input: 'x' input_dim: 1 layer { name: 'a' type: 'Foo' "
	      "bottom: 'x' top: 'y' } layer { name: 'b' type: 'Pooling' "
	      "bottom: 'x' top: 'z' }",
	      -ENOTSUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_failed_allocation_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
