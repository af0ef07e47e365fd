// The bytes of a row are written straight from the columns: no document is built in between. Layout of a row:
// its length as 4 bytes, its id, the constants, the columns, a zero byte; of a member: type byte, name, zero
// byte, value (double 8, int32 4, int64 8, text: length with its zero byte as 4, text, zero byte), little
// endian.
#include "store/mongo/row_writer.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstring>

#include "base/huge_pages.h"
#include "store/mongo/generation.h"
#include "store/row_shape.h"

namespace maeil::store::mongo {
namespace {

// one insert command: larger ones were not faster, and a slow server answers in time
constexpr size_t kBulkBytes = kHugePage;
constexpr size_t kConstantsBytes = 1 << 20;
// in a row: after its length, "\x07_id\0" and the generation's half of the id
constexpr size_t kRowNumberAt = 4 + 5 + 8;

template <class T>
void put(std::string& to, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  to.append(bytes, sizeof value);
}

class MongoRowWriter : public RowWriter {
 public:
  MongoRowWriter(std::shared_ptr<Server> server, Partition partition, Bson constants)
      : server_(std::move(server)),
        label_(fmt::format("rows of {} {}", partition.collection, partition.name)),
        partition_(std::move(partition)),
        constants_(std::move(constants)) {
    buffer_.reserve(kBulkBytes);
  }

  // What was not finished is of no use to anybody; where the server is away it is garbage.
  ~MongoRowWriter() override {
    if (finished_) return;
    Connection connection(*server_, /*retry=*/false);
    (void)drop_generation(connection, {partition_.collection, partition_.generation});
  }

  Status append(const RowChunk& chunk) override {
    if (finished_) return internal_error(fmt::format("{}: append after finish", label_));
    MAEIL_TRY(check_row_shape(label_, columns_, columns_.empty(), chunk));
    if (columns_.empty()) learn_columns(chunk);
    const size_t rows = chunk.empty() ? 0 : row_count(chunk[0].values);
    for (size_t row = 0; row < rows; ++row) {
      if (partition_.rows > INT64_C(0xffffffff))
        return bad_input(fmt::format("{}: more than 4294967296 rows", label_));
      if (buffer_.size() + usual_.size() > kBulkBytes) MAEIL_TRY(send());
      if (!encode_usual_row(chunk, row)) MAEIL_TRY(encode_row(chunk, row));
      ++partition_.rows;
    }
    return {};
  }

  Result<std::string> finish() override {
    if (finished_) return internal_error(fmt::format("{}: finish twice", label_));
    MAEIL_TRY(send());
    Connection connection(*server_);
    MAEIL_TRY(finish_generation(connection, partition_, nulled_));
    finished_ = true;
    return partition_.generation;
  }

 private:
  void learn_columns(const RowChunk& chunk) {
    start_.assign(sizeof(uint32_t), '\0');
    start_.append("\x07_id", 5);  // with its zero byte
    const bson_oid_t id = oid_of(partition_.generation);
    start_.append(reinterpret_cast<const char*>(id.bytes), sizeof id.bytes);
    bson_iter_t at;
    Bson own;  // the constants that no column replaces
    for (bson_iter_init(&at, constants_.get()); bson_iter_next(&at);) {
      const auto is_it = [&](const RowColumn& column) {
        return stored_name(column.name) == bson_iter_key(&at);
      };
      if (std::ranges::none_of(chunk, is_it)) bson_append_iter(own.get(), nullptr, 0, &at);
    }
    start_ += own.bytes().substr(sizeof(uint32_t), own.bytes().size() - sizeof(uint32_t) - 1);
    usual_ = start_;
    bool usual = true;
    for (const auto& column : chunk) {
      partition_.columns.emplace_back(column.name, "ids"[column.values.index()]);
      columns_.push_back(
          {column.name,
           std::visit([](const auto& v) { return decltype(RowColumn::values)(std::decay_t<decltype(v)>()); },
                      column.values)});
      heads_.push_back('?' + stored_name(column.name) + '\0');
      const bool number = std::holds_alternative<std::vector<double>>(column.values);
      usual &= !std::holds_alternative<std::vector<std::string>>(column.values);
      usual_ += heads_.back();
      usual_[usual_.size() - heads_.back().size()] =
          static_cast<char>(number ? BSON_TYPE_DOUBLE : BSON_TYPE_INT32);
      places_.push_back(usual_.size());
      usual_.append(number ? sizeof(double) : sizeof(int32_t), '\0');
    }
    usual_ += '\0';
    if (!usual || usual_.size() > kBulkBytes) usual_.clear();
  }

  std::string stored_name(const std::string& name) const {
    return server_->codec().restricted ? escape_name(name) : name;
  }

  // Its length and its number, into a row that ends the buffer.
  void complete(size_t begin) {
    char* const row = buffer_.data() + begin;
    const auto length = static_cast<uint32_t>(buffer_.size() - begin);
    std::memcpy(row, &length, sizeof length);
    const uint32_t number = __builtin_bswap32(static_cast<uint32_t>(partition_.rows));
    std::memcpy(row + kRowNumberAt, &number, sizeof number);
    starts_.push_back(begin);
  }

  // A row whose layout is the usual one: finite numbers, whole numbers of 32 bits, no text. False: it is
  // none.
  bool encode_usual_row(const RowChunk& chunk, size_t row) {
    if (usual_.empty()) return false;
    const size_t begin = buffer_.size();
    buffer_.insert(buffer_.end(), usual_.begin(), usual_.end());
    bool usual = true;
    for (size_t c = 0; c < chunk.size(); ++c) {
      char* const to = buffer_.data() + begin + places_[c];
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
    if (usual)
      complete(begin);
    else
      buffer_.resize(begin);
    return usual;
  }

  Status encode_row(const RowChunk& chunk, size_t row) {
    row_ = start_;
    const auto head = [&](size_t column, bson_type_t type) {
      const size_t at = row_.size();
      row_ += heads_[column];
      row_[at] = static_cast<char>(type);
    };
    int64_t nulled = 0;
    for (size_t c = 0; c < chunk.size(); ++c) {
      if (const auto* numbers = std::get_if<std::vector<double>>(&chunk[c].values)) {
        const double value = (*numbers)[row];
        head(c, std::isfinite(value) ? BSON_TYPE_DOUBLE : BSON_TYPE_NULL);
        if (std::isfinite(value))
          put(row_, value);
        else
          ++nulled;
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
      if (row_.size() > kMaxBsonBytes - 64)
        return bad_input(fmt::format("{}: a row is larger than a document may be (16 MiB)", label_));
    }
    row_ += '\0';
    if (buffer_.size() + row_.size() > kBulkBytes) MAEIL_TRY(send());
    const size_t begin = buffer_.size();
    buffer_.insert(buffer_.end(), row_.begin(), row_.end());
    complete(begin);
    nulled_ += nulled;
    return {};
  }

  Status send() {
    std::vector<BsonView> documents(starts_.size());
    for (size_t i = 0; i < starts_.size(); ++i) {
      const size_t end = i + 1 < starts_.size() ? starts_[i + 1] : buffer_.size();
      if (!bson_init_static(&documents[i].value,
                            reinterpret_cast<const uint8_t*>(buffer_.data()) + starts_[i],
                            end - starts_[i])) {
        return internal_error("a row was not encoded as BSON");
      }
    }
    Connection connection(*server_);
    MAEIL_TRY(connection.insert(partition_.collection, documents));
    if (const auto at = std::chrono::steady_clock::now(); at > kept_ + std::chrono::minutes(1)) {
      MAEIL_TRY(keep_generation(connection, partition_.generation));
      kept_ = at;
    }
    buffer_.clear();
    starts_.clear();
    return {};
  }

  std::shared_ptr<Server> server_;
  const std::string label_;
  Partition partition_;  // as far as it is written
  const Bson constants_;
  RowChunk columns_;                // names and kinds, no values
  std::vector<std::string> heads_;  // a type byte's place, the name, a zero byte
  // of every row: length and id, still without the row's number, and the constants
  std::string start_;
  std::string usual_;           // a whole usual row, all values zero
  std::vector<size_t> places_;  // where in it the columns' values are
  std::string row_;             // the row being written
  HugeBytes buffer_;            // rows that were not sent yet, and where each begins
  std::vector<size_t> starts_;
  std::chrono::steady_clock::time_point kept_ = std::chrono::steady_clock::now();
  int64_t nulled_ = 0;  // cells that were NaN or infinite
  bool finished_ = false;
};

}  // namespace

Result<std::unique_ptr<RowWriter>> begin_rows(std::shared_ptr<Server> server, std::string_view collection,
                                              std::string_view partition, const Document& constants) {
  Partition rows{std::string(collection),
                 std::string(partition),
                 "",
                 0,
                 {},
                 constants.is_null() ? Document::object() : constants};
  const std::string label = fmt::format("rows of {} {}", collection, partition);
  if (const Status valid = check_document(rows.constants); !valid) return with_context(label, valid.error());
  Document in_rows = rows.constants;
  in_rows.erase("_id");
  MAEIL_ASSIGN(Bson bson, to_bson(in_rows, server->codec()));
  if (bson.bytes().size() > kConstantsBytes)
    return bad_input(fmt::format("{}: the constants have more than 1 MiB", label));
  Connection connection(*server);
  MAEIL_TRY(connection.ensure_collection(rows.collection, false));
  MAEIL_ASSIGN(rows.generation, begin_generation(connection, collection, partition));
  return std::make_unique<MongoRowWriter>(std::move(server), std::move(rows), std::move(bson));
}

}  // namespace maeil::store::mongo
