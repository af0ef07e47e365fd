// Values come most often again and again, so each different one of a chunk is written as text once: of a
// dictionary's values by their place, of 64 bits by these, of texts by themselves (text_codes.h).
#include "table/columnar_chunks.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cmath>
#include <cstring>
#include <deque>

#include "base/blanks.h"
#include "format/csv.h"
#include "table/field_values.h"
#include "table/text_codes.h"

namespace maeil::table {
namespace {

using columnar::BoundColumn;

// Why a text makes its row none, as split_record has it; "": it does not.
std::string_view fault_of(std::string_view text) {
  if (std::memchr(text.data(), '\0', text.size())) return "a NUL byte";
  return format::is_utf8(text) ? "" : "bytes that are not UTF-8";
}

void set_fault(std::string_view fault, std::string& wrong) {
  if (wrong.empty() && !fault.empty()) wrong = fmt::format("the row has {}", fault);
}

// Calls `look(text)` for a value's text the first time that it is met, and `use(row, what)` for each row with
// a value, with what look() said of its value. Texts stay as long as `texts`.
template <class What, class Look, class Use>
void each_value(BoundColumn& column, size_t first, size_t count, std::deque<std::string>& texts,
                const Look& look, const Use& use) {
  const auto text_at = [&](BoundColumn& of, size_t row) -> std::string_view {
    if (of.is_text()) return of.view(row);
    of.append_text(row, texts.emplace_back());
    return texts.back();
  };
  if (BoundColumn* values = column.dictionary(); values && column.dictionary_size() <= 4 * count + 1024) {
    std::vector<What> known(column.dictionary_size());
    std::vector<uint8_t> is_known(known.size());
    for (size_t i = 0; i < count; ++i) {
      if (column.is_null(first + i)) continue;
      const size_t at = column.index(first + i);
      if (!is_known[at]) known[at] = look(text_at(*values, at)), is_known[at] = 1;
      use(i, known[at]);
    }
    return;
  }
  if (column.has_bits()) {
    constexpr size_t kRecent = 1024;
    struct Recent {
      bool known = false;
      uint64_t bits = 0;
      What what{};
    };
    std::vector<Recent> recent(kRecent);
    for (size_t i = 0; i < count; ++i) {
      if (column.is_null(first + i)) continue;
      const uint64_t bits = column.bits(first + i);
      Recent& entry = recent[bits * 0x9E3779B97F4A7C15u >> 54];
      if (!entry.known || entry.bits != bits) entry = {true, bits, look(text_at(column, first + i))};
      use(i, entry.what);
    }
    return;
  }
  for (size_t i = 0; i < count; ++i) {
    if (column.is_null(first + i)) continue;
    if (BoundColumn* values = column.dictionary())
      use(i, look(text_at(*values, column.index(first + i))));
    else
      use(i, look(text_at(column, first + i)));
  }
}

}  // namespace

ColumnarChunks::ColumnarChunks(const RowFile& file, const DatasetSpec& spec)
    : file_(file.columnar()), rules_(file.rules()) {
  for (const auto& column : spec.columns)
    date_texts_.push_back(date_text_of(column.type == SpecType::kDate ? column.format : std::nullopt));
}

bool ColumnarChunks::is_missing_word(std::string_view text) const {
  return !rules_.missing.empty() && rules_.missing.contains(without_blanks(text));
}

void ColumnarChunks::begin(const Layout& layout, size_t slots) {
  slots_.resize(slots);
  std::vector<size_t> columns;
  for (const int field : layout.field_of_column) {
    if (field >= 0) columns.push_back(static_cast<size_t>(field));
  }
  std::ranges::sort(columns);
  const auto repeated = std::ranges::unique(columns);
  columns.erase(repeated.begin(), repeated.end());
  for (const int field : layout.field_of_column) {
    const auto at = std::ranges::find(columns, static_cast<size_t>(std::max(field, 0)));
    read_.push_back(field < 0 ? -1 : static_cast<int>(at - columns.begin()));
  }
  reader_ = std::make_unique<columnar::BatchReader>(file_->rows, std::move(columns));
}

Result<size_t> ColumnarChunks::take(size_t slot) {
  Piece& piece = slots_[slot];
  if (taken_ == ahead_.rows) {
    MAEIL_ASSIGN(const bool more, reader_->next(ahead_));
    taken_ = 0;
    if (!more) {
      ahead_ = {};
      return 0;
    }
  }
  piece.batch = ahead_;
  piece.first = taken_;
  piece.count = std::min(kChunkRows, ahead_.rows - taken_);
  piece.first_row = rows_;
  taken_ += piece.count;
  rows_ += piece.count;
  return piece.count;
}

Status ColumnarChunks::split(size_t slot, std::vector<std::string>&) {
  Piece& piece = slots_[slot];
  piece.columns.clear();
  for (size_t c = 0; c < read_.size(); ++c) {
    const bool bound = read_[c] >= 0 && !piece.batch.key(static_cast<size_t>(read_[c]));
    piece.columns.push_back(bound ? std::make_unique<BoundColumn>(
                                        piece.batch.column(static_cast<size_t>(read_[c]), &date_texts_[c]))
                                  : nullptr);
  }
  return {};
}

void ColumnarChunks::finished(size_t slot) {
  slots_[slot].columns.clear();
  slots_[slot].batch = {};
}

void ColumnarChunks::read_numbers(size_t slot, const Wanted& wanted, std::vector<std::string>& wrong,
                                  std::vector<double>& numbers, std::vector<uint32_t>& bad) {
  Piece& piece = slots_[slot];
  struct Number {
    double value;
    bool is_number;
    std::string_view fault;
  };
  const auto look = [&](std::string_view text) -> Number {
    Number out{std::numeric_limits<double>::quiet_NaN(), true, ""};
    if (is_missing_word(text)) return out;
    out.is_number = parse_number(text, wanted.spec->thousands, out.value);
    if (!out.is_number) out.fault = fault_of(text);
    return out;
  };
  const auto use = [&](size_t row, const Number& number) {
    numbers[row] = number.value;
    if (number.is_number) return;
    set_fault(number.fault, wrong[row]);
    bad.push_back(static_cast<uint32_t>(row));
  };
  if (!piece.columns[wanted.column]) {
    const Number number = look(*piece.batch.key(static_cast<size_t>(read_[wanted.column])));
    for (size_t i = 0; i < numbers.size(); ++i) use(i, number);
    return;
  }
  BoundColumn& column = *piece.columns[wanted.column];
  if (rules_.missing.empty() && column.copy_numbers(piece.first, piece.count, numbers.data())) {
    for (size_t i = 0; i < numbers.size(); ++i) {
      if (std::isinf(numbers[i])) bad.push_back(static_cast<uint32_t>(i));
    }
    return;
  }
  std::deque<std::string> texts;
  each_value<Number>(column, piece.first, piece.count, texts, look, use);
}

void ColumnarChunks::read_texts(size_t slot, const Wanted& wanted, std::vector<std::string>& wrong,
                                std::vector<uint32_t>& codes, std::vector<std::string>& dictionary) {
  Piece& piece = slots_[slot];
  TextCodes code_of(dictionary);
  const auto look = [&](std::string_view text) -> uint32_t {
    if (text.empty() || (wanted.missing_words && is_missing(text)) || is_missing_word(text)) return kMissing;
    return code_of.code(text);
  };
  if (BoundColumn* column = piece.columns[wanted.column].get(); column && column->bits_are_texts()) {
    // No text is looked up: the bits tell whether it is there.
    boost::unordered_flat_map<uint64_t, uint32_t> known;
    std::string text;
    for (size_t i = 0; i < codes.size(); ++i) {
      const size_t row = piece.first + i;
      if (column->is_null(row)) continue;
      const auto [entry, fresh] = known.try_emplace(column->bits(row), kMissing);
      if (fresh) {
        text.clear();
        column->append_text(row, text);
        if (!is_missing_word(text)) {
          entry->second = static_cast<uint32_t>(dictionary.size());
          dictionary.push_back(text);
        }
      }
      codes[i] = entry->second;
    }
    return;
  }
  if (!piece.columns[wanted.column]) {
    std::ranges::fill(codes, look(*piece.batch.key(static_cast<size_t>(read_[wanted.column]))));
  } else {
    std::deque<std::string> texts;
    each_value<uint32_t>(*piece.columns[wanted.column], piece.first, piece.count, texts, look,
                         [&](size_t row, uint32_t code) { codes[row] = code; });
  }
  // Each different text is looked at once more; faults are rare.
  std::vector<std::string_view> faults;
  bool any = false;
  for (const auto& text : dictionary) any |= !faults.emplace_back(fault_of(text)).empty();
  for (size_t i = 0; any && i < codes.size(); ++i) {
    if (codes[i] == kMissing || faults[codes[i]].empty()) continue;
    set_fault(faults[codes[i]], wrong[i]);
    codes[i] = kMissing;
  }
}

std::string ColumnarChunks::field(size_t slot, size_t column, size_t row) {
  Piece& piece = slots_[slot];
  if (!piece.columns[column]) return *piece.batch.key(static_cast<size_t>(read_[column]));
  std::string out;
  BoundColumn& bound = *piece.columns[column];
  if (!bound.is_null(piece.first + row)) bound.append_text(piece.first + row, out);
  return out;
}

}  // namespace maeil::table
