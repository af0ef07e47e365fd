// What is known of the labels of one day's rows, and since when.
//
// A label has a day on which it became known (`observed_at`): that of the day itself for a label that came
// with its row, else what its import says. What a date sees are the labels that were known on that date or
// before: the newest of them by that day, and of one day the one that was imported last. So a date that is
// done again sees what it saw, and besides only what an import since says was known by then.
#pragma once

#include <cstdint>
#include <vector>

#include "base/time.h"
#include "loop/labels/row_ids.h"

namespace maeil::loop {

inline constexpr int kNoLabel = -1;
inline constexpr Days kAlways = Days::max();  // everything that is known

// 40 bytes a row and a label. Filled first, asked after sort(); then thread safe.
class LabelHistory {
 public:
  // A row of the day, with its own label or kNoLabel. `set_aside`: by the day's contract.
  void add_row(RowKey key, Days day, int label, bool set_aside = false);
  // In the order of the imports.
  void add_label(RowKey key, Days observed, int label);
  void sort();

  bool has_row(RowKey key) const;              // set aside or not
  bool is_set_aside(RowKey key) const;         // all its rows are
  int label(RowKey key, Days known_on) const;  // 0, 1 or kNoLabel
  // The day on which what label() says was known; the epoch where there is none.
  Days observed(RowKey key, Days known_on) const;

  // Different rows that are not set aside, those of them that have a label, and those that are set aside.
  struct Counts {
    uint64_t rows = 0, labelled = 0, set_aside = 0;
  };
  Counts count(Days known_on) const;
  bool empty() const { return entries_.empty(); }

 private:
  struct Entry {
    RowKey key;
    Days observed;
    uint32_t order;
    int8_t label;
    enum class Of : uint8_t { kRow, kSetAside, kLabel } of;
  };
  const Entry* find(RowKey key, Days known_on) const;
  std::vector<Entry> entries_;
};

}  // namespace maeil::loop
