// The zlib of the system: gzip files, and the sections of a trace.dat compressed with zlib.
#include <zlib.h>

// The initialiser is a macro in zlib.h, and Swift sees no macros with arguments.
static inline int tracetool_inflate_init(z_stream *stream) {
  // 32 + 15: a zlib or a gzip header, whichever is there, and the largest window.
  return inflateInit2(stream, 47);
}
