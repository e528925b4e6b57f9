/* micro_widths: the loops of micro.h by vector width; columns in sixteens. Internal to micro*.c. */
#ifndef AN_KERNEL_MICRO_WIDTHS_H
#define AN_KERNEL_MICRO_WIDTHS_H

#include "kernel/micro.h"

void an_micro_baseline_rows(const an_micro_rows *job);
void an_micro_baseline_panel(const an_micro_panel *job);
void an_micro_baseline_outer(const an_micro_outer *job);
#if defined(__x86_64__) && defined(__GNUC__)
#define AN_MICRO_X86 1
void an_micro_avx2_rows(const an_micro_rows *job);
void an_micro_avx2_panel(const an_micro_panel *job);
void an_micro_avx2_outer(const an_micro_outer *job);
void an_micro_avx512_rows(const an_micro_rows *job);
void an_micro_avx512_panel(const an_micro_panel *job);
void an_micro_avx512_outer(const an_micro_outer *job);
#endif

#endif
