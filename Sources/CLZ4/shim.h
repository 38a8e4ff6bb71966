#pragma once
#include <lz4.h>
#include <lz4frame.h>
#include <lz4hc.h>
/* The checksums of LZ4's frame format. */
#include <xxhash.h>
