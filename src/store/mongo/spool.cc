// The bytes of a row are written straight from the columns: no document is built in between. Layout of a member: type byte, name,
// zero byte, value (double 8, int32 4, int64 8, text: length with its zero byte as 4, text, zero byte), little endian.
#include "store/mongo/spool.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "store/row_shape.h"

namespace maeil::store::mongo {
namespace {

constexpr size_t kInMemory = 64 << 20;
constexpr size_t kBlock = kHugePage;  // so that nothing is copied when there are more

template <class T>
void put(std::string& to, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  to.append(bytes, sizeof value);
}

// Of a row's members, in front of them.
void store_length(std::string& row) {
  const auto length = static_cast<uint32_t>(row.size() - sizeof(uint32_t));
  std::memcpy(row.data(), &length, sizeof length);
}

}  // namespace

Status Spool::append(const RowChunk& chunk) {
  MAEIL_TRY(check_row_shape(label_, columns_, columns_.empty(), chunk));
  if (columns_.empty()) {
    usual_.assign(sizeof(uint32_t), '\0');
    bool usual = true;
    for (const auto& column : chunk) {
      columns_.push_back({column.name, std::visit([](const auto& v) { return decltype(RowColumn::values)(std::decay_t<decltype(v)>()); }, column.values)});
      heads_.push_back('?' + (codec_.restricted ? escape_name(column.name) : column.name) + '\0');
      const bool number = std::holds_alternative<std::vector<double>>(column.values);
      usual &= !std::holds_alternative<std::vector<std::string>>(column.values);
      usual_ += heads_.back();
      usual_[usual_.size() - heads_.back().size()] = static_cast<char>(number ? BSON_TYPE_DOUBLE : BSON_TYPE_INT32);
      places_.push_back(usual_.size());
      usual_.append(number ? sizeof(double) : sizeof(int32_t), '\0');
    }
    if (!usual || usual_.size() > kBlock) usual_.clear();
    else store_length(usual_);
  }
  const size_t rows = chunk.empty() ? 0 : row_count(chunk[0].values);
  for (size_t row = 0; row < rows; ++row) {
    if (!encode_usual_row(chunk, row)) MAEIL_TRY(encode_row(chunk, row));
    ++rows_;
    if (in_blocks_ > kInMemory) MAEIL_TRY(spill());
  }
  return {};
}

HugeBytes& Spool::block_for(size_t bytes) {
  if (blocks_.empty() || blocks_.back().size() + bytes > blocks_.back().capacity()) {
    blocks_.emplace_back();
    blocks_.back().reserve(std::max(kBlock, bytes));
  }
  in_blocks_ += bytes;
  return blocks_.back();
}

bool Spool::encode_usual_row(const RowChunk& chunk, size_t row) {
  if (usual_.empty()) return false;
  HugeBytes& block = block_for(usual_.size());
  const size_t begin = block.size();
  block.insert(block.end(), usual_.begin(), usual_.end());
  bool usual = true;
  for (size_t c = 0; c < chunk.size(); ++c) {
    char* const to = block.data() + begin + places_[c];
    if (const auto* numbers = std::get_if<std::vector<double>>(&chunk[c].values)) {
      const double value = (*numbers)[row];
      usual &= std::isfinite(value);
      std::memcpy(to, &value, sizeof value);
    } else {
      const int64_t whole = (*std::get_if<std::vector<int64_t>>(&chunk[c].values))[row];
      const auto value = static_cast<int32_t>(whole);
      usual &= value == whole;
      std::memcpy(to, &value, sizeof value);
    }
  }
  if (usual) return true;
  block.resize(begin);
  in_blocks_ -= usual_.size();
  return false;
}

Status Spool::encode_row(const RowChunk& chunk, size_t row) {
  row_.assign(sizeof(uint32_t), '\0');
  const auto head = [&](size_t column, bson_type_t type) {
    const size_t at = row_.size();
    row_ += heads_[column];
    row_[at] = static_cast<char>(type);
  };
  int64_t nulled = 0;
  for (size_t c = 0; c < chunk.size(); ++c) {
    if (const auto* numbers = std::get_if<std::vector<double>>(&chunk[c].values)) {
      const double value = (*numbers)[row];
      if (std::isfinite(value)) {
        head(c, BSON_TYPE_DOUBLE);
        put(row_, value);
      } else {
        head(c, BSON_TYPE_NULL);
        ++nulled;
      }
    } else if (const auto* integers = std::get_if<std::vector<int64_t>>(&chunk[c].values)) {
      const int64_t value = (*integers)[row];
      const bool narrow = value >= INT32_MIN && value <= INT32_MAX;
      head(c, narrow ? BSON_TYPE_INT32 : BSON_TYPE_INT64);
      narrow ? put(row_, static_cast<int32_t>(value)) : put(row_, value);
    } else {
      const std::string& text = std::get<std::vector<std::string>>(chunk[c].values)[row];
      if (!bson_utf8_validate(text.data(), text.size(), true)) {
        return bad_input(fmt::format("{}: column {} holds text that is not UTF-8", label_, chunk[c].name));
      }
      head(c, BSON_TYPE_UTF8);
      put<uint32_t>(row_, static_cast<uint32_t>(text.size() + 1));
      row_ += text;
      row_ += '\0';
    }
    if (row_.size() > kMaxBsonBytes - (1 << 20)) {  // a mebibyte is left to the constants
      return bad_input(fmt::format("{}: a row is larger than a document may be (16 MiB)", label_));
    }
  }
  store_length(row_);
  HugeBytes& block = block_for(row_.size());
  block.insert(block.end(), row_.begin(), row_.end());
  nulled_ += nulled;
  return {};
}

Status Spool::spill() {
  const auto failed = [&] { return io_error(fmt::format("{}: cannot write a temporary file: {}", label_, std::generic_category().message(errno))); };
  if (!file_) {
    std::error_code error;
    std::string name = (std::filesystem::temp_directory_path(error) / "maeil-rows-XXXXXX").string();
    const int descriptor = ::mkstemp(name.data());
    if (descriptor < 0) return failed();
    ::unlink(name.c_str());
    file_.reset(::fdopen(descriptor, "w+b"));
    if (!file_) return failed();
  }
  if (std::fseek(file_.get(), 0, SEEK_END) != 0) return failed();
  for (const auto& block : blocks_) {
    if (std::fwrite(block.data(), 1, block.size(), file_.get()) != block.size()) return failed();
  }
  if (std::fflush(file_.get()) != 0) return failed();
  blocks_.clear();
  in_blocks_ = 0;
  return {};
}

Status Spool::for_each(const std::function<Status(std::string_view)>& visit) {
  if (file_) {
    const auto failed = [&] { return io_error(fmt::format("{}: cannot read a temporary file: {}", label_, std::generic_category().message(errno))); };
    if (std::fseek(file_.get(), 0, SEEK_SET) != 0) return failed();
    std::string members;
    uint32_t length = 0;
    while (std::fread(&length, sizeof length, 1, file_.get()) == 1) {
      members.resize(length);
      if (length > 0 && std::fread(members.data(), 1, length, file_.get()) != length) return failed();
      MAEIL_TRY(visit(members));
    }
    if (std::ferror(file_.get())) return failed();
  }
  for (const auto& bytes : blocks_) {
    const std::string_view block(bytes.data(), bytes.size());
    for (size_t at = 0; at < block.size();) {
      uint32_t length = 0;
      std::memcpy(&length, block.data() + at, sizeof length);
      MAEIL_TRY(visit(block.substr(at + sizeof length, length)));
      at += sizeof length + length;
    }
  }
  return {};
}

}  // namespace maeil::store::mongo
