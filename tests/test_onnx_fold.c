#include "tests/onnx_fixture.h"

static void constants_are_joined_and_picked(void **state)
{
	(void)state;
	expect("init a T1:2,2:*\n"
	       "init b T1:2,1:7,8\n"
	       "Concat a,b -> c axis=1\n"
	       "init i T7:2:-1,0\n"
	       "Gather c,i -> d axis=1\n"
	       "init s T7::1\n"
	       "Gather c,s -> e\n"
	       "output c\n"
	       "output d\n"
	       "output e\n",
	       "Constant() shape=2,3 rows=1,2,7,3,4,8 -> c 2x3\n"
	       "Constant() shape=2,2 rows=7,1,8,3 -> d 2x2\n"
	       "Constant() shape=3 rows=3,4,8 -> e 3\n");
	expect("init a T7:1:5\n"
	       "init b T7:2:6,7\n"
	       "Concat a,b -> c axis=0\n"
	       "output c\n",
	       "Constant() shape=3 rows=5,6,7 -> c 3\n");
}

static void ranges_and_choices(void **state)
{
	(void)state;
	expect("init a T7::1\n"
	       "init b T7::6\n"
	       "init t T7::2\n"
	       "Range a,b,t -> c\n"
	       "init x T1::0.5\n"
	       "init y T1::2\n"
	       "Range x,y,x -> d\n"
	       "init w T9:3:1,0,1\n"
	       "init p T1:3:1,2,3\n"
	       "init q T1::9\n"
	       "Where w,p,q -> e\n"
	       "Where w,c,b -> f\n"
	       "output c\n"
	       "output d\n"
	       "output e\n"
	       "output f\n",
	       "Constant() shape=3 rows=1,3,5 -> c 3\n"
	       "Constant() shape=3 rows=0.5,1,1.5 -> d 3\n"
	       "Constant() shape=3 rows=1,9,3 -> e 3\n"
	       "Constant() shape=3 rows=1,6,5 -> f 3\n");
}

static void parts_that_do_not_fit_are_refused(void **state)
{
	(void)state;
	expect_failure(
		"init a T1:2,2:*\n"
		"init b T1:3,1:*\n"
		"Concat a,b -> c axis=1\n"
		"output c\n",
		-EBADMSG,
		"FILE: node Concat:c (Concat): input 1 has other dimensions");
	expect_failure(
		"init a T1:2,2:*\n"
		"init b T1:3:*\n"
		"Concat a,b -> c axis=1\n"
		"output c\n",
		-EBADMSG,
		"FILE: node Concat:c (Concat): input 1 has another rank");
	expect_failure(
		"init a T1:2,2:*\n"
		"Concat a,a -> c axis=2\n"
		"output c\n",
		-EBADMSG,
		"FILE: node Concat:c (Concat): axis 2 is outside of rank 2");
	expect_failure(
		"init a T1:2:*\n"
		"init i T7:1:2\n"
		"Gather a,i -> c\n"
		"output c\n",
		-EBADMSG,
		"FILE: node Gather:c (Gather): index 0 is outside of the 2 "
		"entries");
	expect_failure("init a T1:2:*\n"
		       "Range a,a,a -> c\n"
		       "output c\n",
		       -EBADMSG,
		       "FILE: node Range:c (Range): input 0 is no scalar");
	expect_failure("init a T1::0\n"
		       "init b T1::1\n"
		       "init t T1::0\n"
		       "Range a,b,t -> c\n"
		       "output c\n",
		       -ENOTSUP, "FILE: not supported: Range: inf values");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(constants_are_joined_and_picked),
		cmocka_unit_test(ranges_and_choices),
		cmocka_unit_test(parts_that_do_not_fit_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
