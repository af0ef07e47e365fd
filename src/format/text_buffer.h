// A growing piece of text that is written through a raw pointer: room for a whole line is made once, and no
// field of it is checked again. What clear() leaves allocated is used again.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "format/csv.h"

namespace maeil::format {

class TextBuffer {
 public:
  // Room for `bytes` more; the pointer is valid until the next call. advance(end) takes what was written.
  char* reserve(size_t bytes) {
    if (size_ + bytes > capacity_) grow(size_ + bytes);
    return data_.get() + size_;
  }
  void advance(const char* end) { size_ = static_cast<size_t>(end - data_.get()); }
  void append(std::string_view text) {
    std::memcpy(reserve(text.size()), text.data(), text.size());
    size_ += text.size();
  }
  void clear() { size_ = 0; }
  std::string_view view() const { return {data_.get(), size_}; }

 private:
  void grow(size_t least) {
    const size_t capacity = std::max<size_t>({least, 2 * capacity_, 4096});
    auto larger = std::make_unique_for_overwrite<char[]>(capacity);
    if (size_ > 0) std::memcpy(larger.get(), data_.get(), size_);
    data_ = std::move(larger);
    capacity_ = capacity;
  }
  std::unique_ptr<char[]> data_;
  size_t size_ = 0, capacity_ = 0;
};

// The texts of one column as they are written into CSV lines: each is quoted when it is first needed, and
// kept so that copying it is a move or two of 16 bytes. Refers to the dictionary.
class CsvTexts {
 public:
  explicit CsvTexts(const std::vector<std::string>& dictionary)
      : dictionary_(dictionary), places_(dictionary.size()) {
    for (const auto& text : dictionary) longest_ = std::max(longest_, 2 * text.size() + 2);
  }
  // Bytes that copy may write to: every character may have to be doubled.
  size_t longest() const { return longest_ + kStep; }
  char* copy(uint32_t code, char* out) {
    Place& place = places_[code];
    if (place.begin == 0) add(code, place);
    const char* from = arena_.data() + place.begin;
    std::memcpy(out, from, kStep);
    for (size_t at = kStep; at < place.size; at += kStep) std::memcpy(out + at, from + at, kStep);
    return out + place.size;
  }

 private:
  static constexpr size_t kStep = 16;
  struct Place {
    size_t begin = 0, size = 0;  // begin 0: not there yet
  };
  void add(uint32_t code, Place& place) {
    arena_.resize(end_);
    append_csv_text(arena_, dictionary_[code]);
    place = {end_, arena_.size() - end_};
    end_ = arena_.size();
    arena_.resize(end_ + kStep);  // copy reads whole steps
  }
  const std::vector<std::string>& dictionary_;
  std::vector<Place> places_;
  std::string arena_;
  size_t end_ = 1, longest_ = 0;
};

}  // namespace maeil::format
