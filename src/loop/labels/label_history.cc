#include "loop/labels/label_history.h"

#include <algorithm>
#include <tuple>

namespace maeil::loop {

void LabelHistory::add_row(RowKey key, Days day, int label, bool set_aside) {
  entries_.push_back({key, day, static_cast<uint32_t>(entries_.size()), static_cast<int8_t>(label),
                      set_aside ? Entry::Of::kSetAside : Entry::Of::kRow});
}

void LabelHistory::add_label(RowKey key, Days observed, int label) {
  entries_.push_back(
      {key, observed, static_cast<uint32_t>(entries_.size()), static_cast<int8_t>(label), Entry::Of::kLabel});
}

void LabelHistory::sort() {
  std::ranges::sort(entries_, {}, [](const Entry& e) { return std::tuple(e.key, e.observed, e.order); });
}

bool LabelHistory::has_row(RowKey key) const {
  for (auto at = std::ranges::lower_bound(entries_, key, {}, &Entry::key);
       at != entries_.end() && at->key == key; ++at) {
    if (at->of != Entry::Of::kLabel) return true;
  }
  return false;
}

bool LabelHistory::is_set_aside(RowKey key) const {
  bool any = false;
  for (auto at = std::ranges::lower_bound(entries_, key, {}, &Entry::key);
       at != entries_.end() && at->key == key; ++at) {
    if (at->of == Entry::Of::kRow) return false;
    any |= at->of == Entry::Of::kSetAside;
  }
  return any;
}

const LabelHistory::Entry* LabelHistory::find(RowKey key, Days known_on) const {
  const auto later = std::ranges::upper_bound(entries_, std::tuple(key, known_on), {},
                                              [](const Entry& e) { return std::tuple(e.key, e.observed); });
  for (auto at = later; at != entries_.begin();) {
    --at;
    if (at->key != key) break;
    if (at->label != kNoLabel) return &*at;
  }
  return nullptr;
}

int LabelHistory::label(RowKey key, Days known_on) const {
  const Entry* entry = find(key, known_on);
  return entry ? entry->label : kNoLabel;
}

Days LabelHistory::observed(RowKey key, Days known_on) const {
  const Entry* entry = find(key, known_on);
  return entry ? entry->observed : Days{};
}

LabelHistory::Counts LabelHistory::count(Days known_on) const {
  Counts out;
  for (size_t i = 0; i < entries_.size();) {
    const RowKey key = entries_[i].key;
    bool is_row = false, set_aside = false, labelled = false;
    for (; i < entries_.size() && entries_[i].key == key; ++i) {
      is_row |= entries_[i].of == Entry::Of::kRow;
      set_aside |= entries_[i].of == Entry::Of::kSetAside;
      labelled |= entries_[i].label != kNoLabel && entries_[i].observed <= known_on;
    }
    out.rows += is_row;
    out.labelled += is_row && labelled;
    out.set_aside += set_aside && !is_row;
  }
  return out;
}

}  // namespace maeil::loop
