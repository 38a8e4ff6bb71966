#pragma once
/* Linked as an archive of the same version, so what zstd keeps for static linking may be used: frame headers. */
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#include <zstd_errors.h>

/* zstd 1.5.7 gave the type another name and kept the old one as a macro, which Swift does not see. */
#if ZSTD_VERSION_NUMBER >= 10507
typedef ZSTD_FrameHeader CZstdFrameHeader;
#else
typedef ZSTD_frameHeader CZstdFrameHeader;
#endif
