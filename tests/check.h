/*
 * What every test program begins with.
 */
#ifndef MX_TESTS_CHECK_H
#define MX_TESTS_CHECK_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#endif
