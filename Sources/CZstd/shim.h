#pragma once
/* Linked as an archive of the same version, so what zstd keeps for static linking may be used: frame headers. */
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#include <zstd_errors.h>
