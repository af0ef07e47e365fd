#include "columnar/batch_builder.h"

#include <memory>

namespace maeil::columnar {
namespace {

const char* format_of(OutKind kind) {
  switch (kind) {
    case OutKind::kWhole:
      return "l";
    case OutKind::kNumber:
      return "g";
    case OutKind::kDate:
      return "tdD";
    default:
      return "u";
  }
}

// What a schema's private_data owns.
struct SchemaParts {
  std::string name;
  std::vector<ArrowSchema> children;
  std::vector<ArrowSchema*> pointers;
};

template <class T, class Parts>
void release(T* value) {
  for (int64_t c = 0; c < value->n_children; ++c) {
    // Whoever took a child over alone has emptied it.
    if (value->children[c]->release) value->children[c]->release(value->children[c]);
  }
  delete static_cast<Parts*>(value->private_data);
  value->release = nullptr;
}

void fill(ArrowSchema& out, const char* format, const std::string& name, SchemaParts* parts) {
  parts->name = name;
  out = {};
  out.format = format;
  out.name = parts->name.c_str();
  out.flags = ARROW_FLAG_NULLABLE;
  out.n_children = static_cast<int64_t>(parts->children.size());
  out.children = parts->pointers.empty() ? nullptr : parts->pointers.data();
  out.release = release<ArrowSchema, SchemaParts>;
  out.private_data = parts;
}

struct ArrayParts {
  std::string valid, data;
  std::vector<int32_t> offsets;
  std::vector<const void*> buffers;
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> pointers;
};

void fill(ArrowArray& out, size_t rows, size_t missing, ArrayParts* parts) {
  out = {};
  out.length = static_cast<int64_t>(rows);
  out.null_count = static_cast<int64_t>(missing);
  out.n_buffers = static_cast<int64_t>(parts->buffers.size());
  out.buffers = parts->buffers.data();
  out.n_children = static_cast<int64_t>(parts->children.size());
  out.children = parts->pointers.empty() ? nullptr : parts->pointers.data();
  out.release = release<ArrowArray, ArrayParts>;
  out.private_data = parts;
}

}  // namespace

OwnedSchema schema_of(const std::vector<OutColumn>& columns) {
  auto parts = std::make_unique<SchemaParts>();
  parts->children.resize(columns.size());
  for (size_t c = 0; c < columns.size(); ++c) {
    fill(parts->children[c], format_of(columns[c].kind), columns[c].name, new SchemaParts());
    parts->pointers.push_back(&parts->children[c]);
  }
  OwnedSchema out;
  fill(*out.get(), "+s", "", parts.release());
  return out;
}

ColumnBuilder::ColumnBuilder(OutKind kind) : kind_(kind) {
  if (kind == OutKind::kText) offsets_.push_back(0);
}

void ColumnBuilder::add_valid(bool valid) {
  if (rows_ % 8 == 0) valid_ += '\0';
  if (valid) valid_.back() = static_cast<char>(valid_.back() | 1 << (rows_ % 8));
  missing_ += !valid;
  ++rows_;
}

void ColumnBuilder::add(std::string_view text) {
  data_ += text;
  offsets_.push_back(static_cast<int32_t>(data_.size()));
  add_valid(true);
}

void ColumnBuilder::add(int64_t whole) {
  put(whole);
  add_valid(true);
}

void ColumnBuilder::add(double number) {
  put(number);
  add_valid(true);
}

void ColumnBuilder::add_day(int32_t days) {
  put(days);
  add_valid(true);
}

void ColumnBuilder::add_missing() {
  if (kind_ == OutKind::kText)
    offsets_.push_back(static_cast<int32_t>(data_.size()));
  else if (kind_ == OutKind::kDate)
    put(int32_t{0});
  else
    put(int64_t{0});
  add_valid(false);
}

OwnedArray take_batch(std::vector<ColumnBuilder>& columns) {
  auto batch = std::make_unique<ArrayParts>();
  batch->children.resize(columns.size());
  batch->buffers = {nullptr};
  const size_t rows = columns.empty() ? 0 : columns[0].rows_;
  for (size_t c = 0; c < columns.size(); ++c) {
    ColumnBuilder& column = columns[c];
    auto parts = std::make_unique<ArrayParts>();
    parts->valid = std::move(column.valid_);
    parts->data = std::move(column.data_);
    parts->offsets = std::move(column.offsets_);
    parts->buffers = {column.missing_ > 0 ? parts->valid.data() : nullptr};
    if (column.kind_ == OutKind::kText) parts->buffers.push_back(parts->offsets.data());
    parts->buffers.push_back(parts->data.data());
    fill(batch->children[c], rows, column.missing_, parts.release());
    batch->pointers.push_back(&batch->children[c]);
    column = ColumnBuilder(column.kind_);
  }
  OwnedArray out;
  fill(*out.get(), rows, 0, batch.release());
  return out;
}

}  // namespace maeil::columnar
