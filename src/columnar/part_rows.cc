#include "columnar/part_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "base/threads.h"
#include "format/csv.h"

namespace maeil::columnar {

// An opened file of the plug-in.
class OpenFile {
 public:
  OpenFile(const ArrowPlugin& plugin, ArrowPluginFile* file) : plugin_(plugin), file_(file) {}
  OpenFile(const OpenFile&) = delete;
  ~OpenFile() { plugin_.close(file_); }
  ArrowPluginFile* get() const { return file_; }

 private:
  const ArrowPlugin& plugin_;
  ArrowPluginFile* file_;
};

Batch::Held::Held(std::shared_ptr<OpenFile> of, OwnedArray rows)
    : file(std::move(of)), array(std::move(rows)) {}

namespace {

// Of what is decoded at once: a batch of a file that somebody wrote to be read has a hundredth of it.
constexpr int64_t kMemoryLimit = int64_t{4} << 30;

std::string quoted(const std::string& name) { return fmt::format("'{}'", format::clip_utf8(name, 80)); }

tl::unexpected<Error> damaged(const std::string& label, const char* said, bool memory) {
  std::string_view why = said && *said ? said : "it cannot be read";
  for (const std::string_view kind :
       {"Invalid: ", "IOError: ", "Out of memory: "}) {  // Arrow's words for codes
    if (why.starts_with(kind)) why.remove_prefix(kind.size());
  }
  if (!memory) return bad_input(fmt::format("{}: {}", label, why));
  return bad_input(fmt::format("{}: a batch of its rows needs more than {} GiB of memory: {}", label,
                               kMemoryLimit >> 30, why));
}

ArrowFileKind kind_of(std::string_view bytes) {
  if (bytes.starts_with("ARROW1")) return kArrowIpcFile;
  return bytes.starts_with("\xff\xff\xff\xff") ? kArrowIpcStream : kParquetFile;
}

const ArrowSchema* find(const ArrowSchema& schema, const std::string& name) {
  for (int64_t c = 0; c < schema.n_children; ++c) {
    if (schema.children[c]->name == name) return schema.children[c];
  }
  return nullptr;
}

}  // namespace

Result<PartRows> PartRows::open(std::vector<Part> parts, std::string name, Wanted wanted) {
  PartRows out;
  MAEIL_ASSIGN(out.plugin_, load_plugin(name));
  out.parts_ = std::move(parts);
  out.name_ = std::move(name);
  for (size_t p = 0; p < out.parts_.size(); ++p) MAEIL_TRY(out.add_part(p, wanted));
  return out;
}

Result<std::shared_ptr<OpenFile>> PartRows::open_part(size_t part) const {
  if (only_) return only_;
  const std::string_view bytes = parts_[part].bytes.bytes();
  ArrowPluginFile* file = nullptr;
  ArrowPluginError error{};
  const int status =
      plugin_->open(kind_of(bytes), bytes.data(), bytes.size(), kMemoryLimit, thread_count(), &file, &error);
  if (status != kPluginDone) return damaged(parts_[part].label, error.text, status == kPluginMemory);
  return std::make_shared<OpenFile>(*plugin_, file);
}

Status PartRows::add_part(size_t part, const Wanted& wanted) {
  MAEIL_ASSIGN(auto file, open_part(part));
  OwnedSchema schema;
  ArrowPluginError error{};
  if (const int status = plugin_->schema(file->get(), schema.get(), &error); status != kPluginDone)
    return damaged(parts_[part].label, error.text, status == kPluginMemory);
  MAEIL_TRY(part == 0 ? add_columns(*schema, wanted) : compare(part, *schema, wanted));
  if (parts_.size() == 1) only_ = std::move(file);
  return {};
}

Status PartRows::add_columns(const ArrowSchema& schema, const Wanted& wanted) {
  const std::string& label = parts_[0].label;
  for (int64_t c = 0; c < schema.n_children; ++c) {
    const ArrowSchema& child = *schema.children[c];
    const std::string name = child.name ? child.name : "";
    if (!format::is_utf8(name))
      return bad_input(fmt::format("{}: the name of column {} has bytes that are not UTF-8", label, c + 1));
    ColumnType type = column_type(child);
    if (type.kind != ValueKind::kRefused) {
      columns_.push_back({name, std::move(type), false});
    } else if (wanted && wanted(name)) {
      return bad_input(fmt::format(
          "{}: column {} is of type {}, which is no text, number or date: write it as one of these", label,
          quoted(name), type.name));
    } else {
      left_out_.push_back(fmt::format("column {} is left out: its type is {}", quoted(name), type.name));
    }
  }
  for (const auto& key : parts_[0].keys) {
    const bool known =
        find(schema, key.name) || std::ranges::find(columns_, key.name, &PartColumn::name) != columns_.end();
    if (known || (wanted && !wanted(key.name))) continue;
    columns_.push_back({key.name, {.kind = ValueKind::kText, .width = 4, .name = "text"}, true});
  }
  return {};
}

// A further part against the first. A column that nobody asked for need not be alike: it is left out.
Status PartRows::compare(size_t part, const ArrowSchema& schema, const Wanted& wanted) {
  const std::string &label = parts_[part].label, &first = parts_[0].label;
  for (size_t c = columns_.size(); c-- > 0;) {
    const PartColumn& column = columns_[c];
    std::string why;
    if (column.is_key) {
      if (std::ranges::find(parts_[part].keys, column.name, &PartKey::name) == parts_[part].keys.end())
        why = fmt::format("a folder of {} says {}=..., and none of {}", first, column.name, label);
      else if (find(schema, column.name))
        why = fmt::format("it is a column of {}, and of {} a folder says it", label, first);
    } else if (const ArrowSchema* child = find(schema, column.name)) {
      if (const ColumnType type = column_type(*child);
          type.kind == ValueKind::kRefused || !is_alike(column.type, type))
        why = fmt::format("{} in {} and {} in {}", column.type.name, first, type.name, label);
      else if (column.type.kind == ValueKind::kNull)
        columns_[c].type = type;
    } else {
      why = fmt::format("{} has it, and {} has not", first, label);
    }
    if (why.empty()) continue;
    if (!wanted || wanted(column.name))
      return bad_input(
          fmt::format("{}: column {} is not the same in all parts: {}", name_, quoted(column.name), why));
    left_out_.push_back(fmt::format("column {} is left out: {}", quoted(column.name), why));
    columns_.erase(columns_.begin() + static_cast<ptrdiff_t>(c));
  }
  for (int64_t c = 0; c < schema.n_children; ++c) {
    const std::string name = schema.children[c]->name;
    const auto same = [&](const PartColumn& column) { return column.name == name; };
    if (std::ranges::any_of(columns_, same) || column_type(*schema.children[c]).kind == ValueKind::kRefused)
      continue;
    const std::string why = fmt::format("{} has it, and {} has not", label, first);
    if ((!wanted || wanted(name)))
      return bad_input(
          fmt::format("{}: column {} is not the same in all parts: {}", name_, quoted(name), why));
  }
  return {};
}

std::string PartRows::how() const {
  bool parquet = false, arrow = false;
  for (const auto& part : parts_) (kind_of(part.bytes.bytes()) == kParquetFile ? parquet : arrow) = true;
  std::string out = parquet && arrow ? "Parquet and Arrow IPC" : parquet ? "Parquet" : "Arrow IPC";
  if (parts_.size() > 1) out += fmt::format(", {} parts", parts_.size());
  for (const auto& column : columns_) {
    if (column.type.zone)
      out += fmt::format(", {} by the clock of {}", quoted(column.name), column.type.zone->name());
    if (column.is_key) out += fmt::format(", {} from the folders' names", quoted(column.name));
  }
  return out;
}

BoundColumn Batch::column(size_t c, const DateText* date_text) const {
  const ArrowArray& whole = *held_->array;
  const size_t child = (*children_)[c];
  return {(*types_)[child], *whole.children[child], whole.offset, date_text};
}

BatchReader::BatchReader(const PartRows& rows, std::vector<size_t> columns)
    : rows_(&rows), columns_(std::move(columns)) {}

Result<bool> BatchReader::begin_part() {
  stream_.reset();
  file_.reset();
  if (part_ == rows_->parts_.size()) return false;
  const Part& part = rows_->parts_[part_];
  MAEIL_ASSIGN(file_, rows_->open_part(part_));
  ++part_;
  OwnedSchema schema;
  ArrowPluginError error{};
  const auto checked = [&](int status) -> Status {
    if (status == kPluginDone) return {};
    return damaged(part.label, error.text, status == kPluginMemory);
  };
  MAEIL_TRY(checked(rows_->plugin_->schema(file_->get(), schema.get(), &error)));
  // The file's columns of these names, in the file's order.
  std::vector<int32_t> fields;
  std::vector<size_t> children(columns_.size());
  auto keys = std::make_shared<Batch::Keys>(columns_.size());
  for (int64_t f = 0; f < schema->n_children; ++f) {
    for (size_t c = 0; c < columns_.size(); ++c) {
      const PartColumn& column = rows_->columns_[columns_[c]];
      if (column.is_key || column.name != schema->children[f]->name) continue;
      children[c] = fields.size();
      fields.push_back(static_cast<int32_t>(f));
      break;
    }
  }
  for (size_t c = 0; c < columns_.size(); ++c) {
    const PartColumn& column = rows_->columns_[columns_[c]];
    if (!column.is_key) continue;
    const auto key = std::ranges::find(part.keys, column.name, &PartKey::name);
    (*keys)[c] = std::make_shared<const std::string>(key->value.value_or(""));
  }
  // Where only keys are asked for, a column tells how many rows there are.
  if (fields.empty()) {
    for (int64_t f = 0; f < schema->n_children && fields.empty(); ++f) {
      if (column_type(*schema->children[f]).kind != ValueKind::kRefused)
        fields.push_back(static_cast<int32_t>(f));
    }
    if (fields.empty()) return bad_input(fmt::format("{}: it has no column that can be read", part.label));
  }
  MAEIL_TRY(checked(rows_->plugin_->read(file_->get(), fields.data(), static_cast<int32_t>(fields.size()),
                                         stream_.get(), &error)));
  // The stream's own types: a text may come as a dictionary or not.
  OwnedSchema streamed;
  if (stream_->get_schema(stream_.get(), streamed.get()) != 0)
    return damaged(part.label, stream_->get_last_error(stream_.get()), false);
  auto types = std::make_shared<std::vector<ColumnType>>();
  for (int64_t f = 0; f < streamed->n_children; ++f) types->push_back(column_type(*streamed->children[f]));
  form_.part_ = &part;
  form_.types_ = std::move(types);
  form_.children_ = std::make_shared<const std::vector<size_t>>(std::move(children));
  form_.keys_ = std::move(keys);
  return true;
}

Result<bool> BatchReader::next(Batch& batch) {
  for (;;) {
    if (!stream_) {
      MAEIL_ASSIGN(const bool any, begin_part());
      if (!any) return false;
    }
    OwnedArray array;
    if (const int code = stream_->get_next(stream_.get(), array.get()); code != 0)
      return damaged(form_.part_->label, stream_->get_last_error(stream_.get()), code == ENOMEM);
    if (!array) {
      stream_.reset();
      continue;
    }
    if (array->length == 0) continue;
    batch = form_;
    batch.rows = static_cast<size_t>(array->length);
    batch.held_ = std::make_shared<const Batch::Held>(file_, std::move(array));
    return true;
  }
}

}  // namespace maeil::columnar
