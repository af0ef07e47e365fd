// A Parquet or Arrow file that is written, batch after batch.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "columnar/batch_builder.h"
#include "columnar/plugin_interface.h"

namespace maeil::columnar {

// What a file of this name is written as: .parquet and .pq; .arrow, .feather and .ipc. None: another file.
std::optional<ArrowFileKind> kind_by_name(const std::string& path);

// Not thread safe. Destroyed before finish(), it leaves a piece of a file.
class FileWriter {
 public:
  using Sink = std::function<Status(std::string_view bytes)>;
  // `name`: for messages. kNotFound: no plug-in (plugin.h).
  static Result<FileWriter> begin(ArrowFileKind kind, const std::vector<OutColumn>& columns,
                                  const std::string& name, Sink sink);
  FileWriter(FileWriter&&) noexcept;
  FileWriter& operator=(FileWriter&&) = delete;
  ~FileWriter();

  // The sink's errors; kInternal.
  Status append(OwnedArray batch);
  Status finish();

 private:
  struct State;
  explicit FileWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace maeil::columnar
