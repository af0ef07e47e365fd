// `maeil db`: find, as in mongosh.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>

#include "cli/commands.h"
#include "cli/output.h"
#include "format/json.h"

namespace maeil::cli {
namespace {

// "timestamp:-1,f1:1"
Result<std::vector<std::pair<std::string, int>>> parse_sort(const std::string& text) {
  std::vector<std::pair<std::string, int>> sort;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(',', at), text.size());
    const std::string part = text.substr(at, end - at);
    at = end + 1;
    const size_t colon = part.rfind(':');
    const std::string direction = colon == std::string::npos ? "1" : part.substr(colon + 1);
    const std::string field = part.substr(0, colon);
    if (field.empty() || (direction != "1" && direction != "-1")) {
      return usage_error(fmt::format("--sort '{}' must be FIELD:1 or FIELD:-1", part));
    }
    sort.emplace_back(field, direction == "1" ? 1 : -1);
  }
  return sort;
}

// "model_version,status"
Result<std::vector<std::string>> parse_projection(const std::string& text) {
  std::vector<std::string> fields;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(',', at), text.size());
    fields.push_back(text.substr(at, end - at));
    at = end + 1;
    if (fields.back().empty() || fields.back().find('.') != std::string::npos) {
      return usage_error(fmt::format("--projection '{}' must be top-level fields, comma separated", text));
    }
  }
  return fields;
}

}  // namespace

Result<int> db(Context& context, const DbOptions& options) {
  store::FindOptions find;
  find.filter = store::parse_document(options.filter);
  if (json_nested_deeper(options.filter, store::kMaxDepth)) {
    return usage_error(fmt::format("--filter is nested more than {} deep", store::kMaxDepth));
  }
  if (!find.filter.is_object())
    return usage_error(fmt::format("--filter must be a JSON object, not '{}'", options.filter));
  MAEIL_ASSIGN(find.sort, parse_sort(options.sort));
  MAEIL_ASSIGN(find.projection, parse_projection(options.projection));
  find.skip = options.skip;
  MAEIL_ASSIGN(store::Store & store, context.whole_store(Access::kRead));
  int64_t count = 0;
  if (options.count) {
    find.sort.clear();
    find.projection = {"_id"};
    MAEIL_TRY(store.find_each(options.collection, find, [&](store::Document&&) { return ++count, true; }));
    context.json ? print_json(count) : print_line(std::to_string(count));
    return 0;
  }
  const int64_t limit = options.limit.value_or(kShownDocuments);
  find.limit =
      options.limit ? limit : limit + 1;  // one more tells whether the limit cuts that nobody asked for
  bool cut = false;
  // Documents are printed as they come, so that a million rows need no memory here.
  if (context.json) std::fputs("[", stdout);
  MAEIL_TRY(store.find_each(options.collection, find, [&](store::Document&& document) {
    if (!options.limit && count == limit) return !(cut = true);
    const std::string text = document.dump(-1, ' ', false, store::Document::error_handler_t::replace);
    if (context.json) {
      std::fputs(count ? ",\n " : "", stdout);
      std::fwrite(text.data(), 1, text.size(), stdout);
    } else {
      print_line(document.dump(2, ' ', false, store::Document::error_handler_t::replace));
    }
    ++count;
    return true;
  }));
  if (context.json) std::fputs("]\n", stdout);
  if (cut)
    note(fmt::format("{} of more are shown: --limit N shows N, --limit 0 all, --count says how many", count));
  if (!context.json && count == 0) {
    MAEIL_ASSIGN(const auto names, store.collections());
    note(fmt::format("nothing in '{}' matches; there are: {}", options.collection, fmt::join(names, ", ")));
  }
  return 0;
}

}  // namespace maeil::cli
