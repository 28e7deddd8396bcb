/*
 * Host: a line that tells machines apart whose layers take different times.
 */
#ifndef MX_SCHED_HOST_H
#define MX_SCHED_HOST_H

#include <stddef.h>

#define MX_HOST_TEXT_BYTES 256

/*
 * "AMD EPYC, 2 CPUs, avx512, OpenBLAS SkylakeX" into @text: the CPU's name, how
 * many are online, our kernels and OpenBLAS's, @blas_core (NULL: none loaded).
 */
void mx_host_text(const char *blas_core, char text[MX_HOST_TEXT_BYTES]);

/*
 * The CPU's name from the text of /proc/cpuinfo: its "model name", or else, as
 * on arm64, "CPU 0x41/0xd08" (implementer and part); "unknown CPU" if it has
 * neither. Of the first processor; cut to @room bytes with its 0.
 */
void mx_host_cpu(const char *cpuinfo, char *out, size_t room);

#endif
