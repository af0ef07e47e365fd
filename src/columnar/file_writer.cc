#include "columnar/file_writer.h"

#include <fmt/format.h>

#include "columnar/plugin.h"

namespace maeil::columnar {

struct FileWriter::State {
  const ArrowPlugin* plugin = nullptr;
  std::string name;
  Sink sink;
  Status written;  // of the sink
  ArrowPluginWriter* writer = nullptr;
  ~State() {
    if (writer) plugin->discard(writer);
  }

  static int write(void* state, const void* bytes, size_t size) {
    auto& self = *static_cast<State*>(state);
    if (self.written) self.written = self.sink({static_cast<const char*>(bytes), size});
    return self.written ? 0 : 1;
  }
  Status checked(int status, const ArrowPluginError& error) const {
    if (!written) return written;
    if (status == kPluginDone) return {};
    return internal_error(fmt::format("{} cannot be written: {}", name, error.text));
  }
};

std::optional<ArrowFileKind> kind_by_name(const std::string& path) {
  const auto ends = [&](std::string_view ending) { return path.ends_with(ending); };
  if (ends(".parquet") || ends(".pq")) return kParquetFile;
  if (ends(".arrow") || ends(".feather") || ends(".ipc")) return kArrowIpcFile;
  return std::nullopt;
}

FileWriter::FileWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
FileWriter::FileWriter(FileWriter&&) noexcept = default;
FileWriter::~FileWriter() = default;

Result<FileWriter> FileWriter::begin(ArrowFileKind kind, const std::vector<OutColumn>& columns,
                                     const std::string& name, Sink sink) {
  auto state = std::make_unique<State>();
  MAEIL_ASSIGN(state->plugin, load_plugin(name));
  state->name = name;
  state->sink = std::move(sink);
  OwnedSchema schema = schema_of(columns);
  ArrowPluginError error{};
  const int status =
      state->plugin->create(kind, schema.get(), State::write, state.get(), &state->writer, &error);
  MAEIL_TRY(state->checked(status, error));
  return FileWriter(std::move(state));
}

Status FileWriter::append(OwnedArray batch) {
  ArrowPluginError error{};
  return state_->checked(state_->plugin->append(state_->writer, batch.get(), &error), error);
}

Status FileWriter::finish() {
  ArrowPluginError error{};
  return state_->checked(state_->plugin->finish(state_->writer, &error), error);
}

}  // namespace maeil::columnar
