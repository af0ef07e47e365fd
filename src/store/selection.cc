#include "store/selection.h"

#include <algorithm>

#include "store/order.h"

namespace maeil::store {
namespace {

// Keeps the first `count` of what it is given in sorted order (all when 0), in memory for about twice as
// many.
class Sorted {
 public:
  Sorted(const Sorter& sorter, size_t count) : sorter_(sorter), count_(count) {}

  void add(Document&& document) {
    found_.emplace_back(sorter_.key(document), std::move(document));
    if (count_ > 0 && found_.size() > 2 * count_ + 1000) {
      sort();
      found_.resize(count_);
    }
  }
  std::vector<std::pair<SortKey, Document>>& sort() {
    std::ranges::stable_sort(found_,
                             [&](const auto& a, const auto& b) { return sorter_.less(a.first, b.first); });
    return found_;
  }

 private:
  const Sorter& sorter_;
  size_t count_;
  std::vector<std::pair<SortKey, Document>> found_;
};

}  // namespace

Status select(const FindOptions& options, const Take& visit, const Source& source) {
  if (options.skip < 0 || options.limit < 0) return usage_error("skip and limit may not be negative");
  const Sorter sorter(options.sort);
  int64_t number = 0;  // of the match
  const auto hand_out = [&](Document&& document) {
    if (number++ < options.skip) return true;
    project(document, options.projection);
    const bool last = options.limit > 0 && number - options.skip >= options.limit;
    return visit(std::move(document)) && !last;
  };
  bool in_order = sorter.empty();
  const auto bounded = [](int64_t n) { return static_cast<size_t>(std::min<int64_t>(n, INT64_MAX / 4)); };
  Sorted sorted(sorter, options.limit > 0 ? bounded(options.limit) + bounded(options.skip) : 0);
  const auto take = [&](Document&& document) {
    if (in_order) return hand_out(std::move(document));
    sorted.add(std::move(document));
    return true;
  };
  MAEIL_TRY(source(take, in_order));
  for (auto& [key, document] : sorted.sort()) {
    if (!hand_out(std::move(document))) break;
  }
  return {};
}

// The top-level fields that a find looks at; empty means all of them.
std::vector<std::string> fields_needed(const FindOptions& options, const Filter& filter) {
  std::vector<std::string> fields = options.projection;
  if (fields.empty()) return fields;
  filter.add_fields(fields);
  for (const auto& [path, direction] : options.sort) fields.push_back(split_path(path)[0]);
  return fields;
}

}  // namespace maeil::store
