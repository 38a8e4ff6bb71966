#pragma once
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

/* Swift does not import composite macros; an enumeration carries their values over. */
enum {
    CISAL_LEVEL0_BUFFER = ISAL_DEF_LVL0_DEFAULT,
    CISAL_LEVEL1_BUFFER = ISAL_DEF_LVL1_DEFAULT,
    CISAL_LEVEL2_BUFFER = ISAL_DEF_LVL2_DEFAULT,
    CISAL_LEVEL3_BUFFER = ISAL_DEF_LVL3_DEFAULT
};
