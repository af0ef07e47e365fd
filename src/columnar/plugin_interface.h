// What libmaeil_arrow.so gives maeil: one function, which gives a table of functions. It is the only code
// that is compiled with Arrow's headers; rows cross here as the C data interface has them, errors as text.
//
// No exception and no type of C++'s library crosses. A change of anything here is a new kArrowPluginVersion.
#pragma once

#include <cstddef>
#include <cstdint>

#include "columnar/c_data.h"

namespace maeil::columnar {

inline constexpr uint32_t kArrowPluginVersion = 1;
inline constexpr const char* kArrowPluginFunction = "maeil_arrow_plugin";

enum ArrowPluginStatus : int {
  kPluginDone = 0,
  kPluginBadData = 1,  // the bytes are no such file, are damaged, or hold what this Arrow cannot read
  kPluginMemory = 2,   // more would be needed at once than the limit
  kPluginSink = 3,     // the sink of a writer refused its bytes
};

struct ArrowPluginError {
  char text[1024];  // ends with a zero byte; one line
};

enum ArrowFileKind : int { kParquetFile = 0, kArrowIpcFile = 1, kArrowIpcStream = 2 };

struct ArrowPluginFile;    // an opened file
struct ArrowPluginWriter;  // one that is being written

// Each function returns an ArrowPluginStatus and fills `error` where that is not kPluginDone. A file or a
// writer is used by one thread at a time.
struct ArrowPlugin {
  uint32_t version;           // kArrowPluginVersion
  const char* arrow_version;  // "26.0.1"
  // `bytes` must stay until the file is closed and every stream of it is released. `memory_limit`: of what is
  // decoded at once, in bytes. `threads`: that decode columns beside each other.
  int (*open)(ArrowFileKind kind, const void* bytes, size_t size, int64_t memory_limit, int threads,
              ArrowPluginFile** out, ArrowPluginError* error);
  // The file's columns, as a struct's children.
  int (*schema)(ArrowPluginFile* file, ArrowSchema* out, ArrowPluginError* error);
  // The rows of these columns (numbers of the schema's children, ascending, none of them nested), a batch of
  // at most some ten thousand rows after another; of IPC, the batches that the file has. Arrays are checked:
  // whatever the bytes are, offsets and indices lie inside of the buffers. Texts are not held to be UTF-8.
  // The error's kind is get_next's: ENOMEM kPluginMemory, else kPluginBadData.
  int (*read)(ArrowPluginFile* file, const int32_t* columns, int32_t count, ArrowArrayStream* out,
              ArrowPluginError* error);
  void (*close)(ArrowPluginFile* file);

  // `write` is called with the file's bytes in order, and returns 0, or anything else to end the writing.
  // Takes over the schema. kParquetFile and kArrowIpcFile.
  int (*create)(ArrowFileKind kind, ArrowSchema* schema, int (*write)(void*, const void*, size_t),
                void* context, ArrowPluginWriter** out, ArrowPluginError* error);
  // Takes over the batch. The bytes of the file depend on the batches' rows and on where they are cut.
  int (*append)(ArrowPluginWriter* writer, ArrowArray* batch, ArrowPluginError* error);
  int (*finish)(ArrowPluginWriter* writer, ArrowPluginError* error);
  void (*discard)(ArrowPluginWriter* writer);  // finished or not
};

// Null where it has not this version.
using ArrowPluginFunction = const ArrowPlugin* (*)(uint32_t version);

}  // namespace maeil::columnar
