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

template <class T>
void put(std::string& to, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  to.append(bytes, sizeof value);
}

}  // namespace

Status Spool::append(const RowChunk& chunk) {
  MAEIL_TRY(check_row_shape(label_, columns_, columns_.empty(), chunk));
  if (columns_.empty()) {
    for (const auto& column : chunk) {
      columns_.push_back({column.name, std::visit([](const auto& v) { return decltype(RowColumn::values)(std::decay_t<decltype(v)>()); }, column.values)});
      heads_.push_back('?' + (codec_.restricted ? escape_name(column.name) : column.name) + '\0');
    }
  }
  const size_t rows = chunk.empty() ? 0 : row_count(chunk[0].values);
  for (size_t row = 0; row < rows; ++row) MAEIL_TRY(encode_row(chunk, row));
  return {};
}

Status Spool::encode_row(const RowChunk& chunk, size_t row) {
  const size_t begin = buffer_.size();
  put<uint32_t>(buffer_, 0);
  const auto head = [&](size_t column, bson_type_t type) {
    const size_t at = buffer_.size();
    buffer_ += heads_[column];
    buffer_[at] = static_cast<char>(type);
  };
  for (size_t c = 0; c < chunk.size(); ++c) {
    if (const auto* numbers = std::get_if<std::vector<double>>(&chunk[c].values)) {
      const double value = (*numbers)[row];
      if (std::isfinite(value)) {
        head(c, BSON_TYPE_DOUBLE);
        put(buffer_, value);
      } else {
        head(c, BSON_TYPE_NULL);
        ++nulled_;
      }
    } else if (const auto* integers = std::get_if<std::vector<int64_t>>(&chunk[c].values)) {
      const int64_t value = (*integers)[row];
      const bool narrow = value >= INT32_MIN && value <= INT32_MAX;
      head(c, narrow ? BSON_TYPE_INT32 : BSON_TYPE_INT64);
      narrow ? put(buffer_, static_cast<int32_t>(value)) : put(buffer_, value);
    } else {
      const std::string& text = std::get<std::vector<std::string>>(chunk[c].values)[row];
      if (!bson_utf8_validate(text.data(), text.size(), true)) {
        buffer_.resize(begin);
        return bad_input(fmt::format("{}: column {} holds text that is not UTF-8", label_, chunk[c].name));
      }
      head(c, BSON_TYPE_UTF8);
      put<uint32_t>(buffer_, static_cast<uint32_t>(text.size() + 1));
      buffer_ += text;
      buffer_ += '\0';
    }
    if (buffer_.size() - begin > kMaxBsonBytes - (1 << 20)) {  // a mebibyte is left to the constants
      buffer_.resize(begin);
      return bad_input(fmt::format("{}: a row is larger than a document may be (16 MiB)", label_));
    }
  }
  const auto length = static_cast<uint32_t>(buffer_.size() - begin - sizeof(uint32_t));
  std::memcpy(buffer_.data() + begin, &length, sizeof length);
  ++rows_;
  return buffer_.size() > kInMemory ? spill() : Status{};
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
  if (std::fseek(file_.get(), 0, SEEK_END) != 0 || std::fwrite(buffer_.data(), 1, buffer_.size(), file_.get()) != buffer_.size() ||
      std::fflush(file_.get()) != 0) {
    return failed();
  }
  buffer_.clear();
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
  for (size_t at = 0; at < buffer_.size();) {
    uint32_t length = 0;
    std::memcpy(&length, buffer_.data() + at, sizeof length);
    MAEIL_TRY(visit(std::string_view(buffer_).substr(at + sizeof length, length)));
    at += sizeof length + length;
  }
  return {};
}

}  // namespace maeil::store::mongo
