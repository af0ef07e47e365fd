#include "format/csv_records.h"

#include <algorithm>
#include <limits>

#include "format/csv.h"

namespace maeil::format {
namespace {

constexpr size_t kNone = std::string_view::npos;
constexpr size_t kMendable =
    1 << 23;  // steps to look at all ways to read a line's quotes, a few milliseconds

bool is_line_end(char c) { return c == '\n' || c == '\r'; }

}  // namespace

DelimitedReader::DelimitedReader(std::string_view bytes, const CsvDialect& dialect)
    : bytes_(bytes), dialect_(dialect) {}

size_t DelimitedReader::line_end(size_t at) const {
  return std::min(bytes_.find_first_of("\r\n", at), bytes_.size());
}

// Whether a quote stands where one closes a field: before a separator or a line end, blanks aside.
bool DelimitedReader::closes(size_t quote, size_t limit) const {
  size_t next = quote + 1;
  while (dialect_.trim && next < limit && bytes_[next] == ' ') ++next;
  return next == limit || bytes_[next] == dialect_.delimiter || is_line_end(bytes_[next]);
}

// The quote that closes the field whose text begins at `at`; kNone: none does.
size_t DelimitedReader::find_close(size_t at) {
  const size_t limit = std::min(bytes_.size(), at + kMaxCsvRecord);
  if (at >= open_from_ && at <= open_to_) return open_to_;  // the first that closes is the same
  const size_t begin = at;
  const auto found = [&](size_t quote) {
    open_from_ = begin, open_to_ = quote;
    return quote;
  };
  if (at >= never_closed_from_ && at < never_closed_to_) at = never_closed_to_;
  while (at < limit) {
    const size_t quote = bytes_.find(dialect_.quote, at);
    if (quote == kNone || quote >= limit) break;
    if (dialect_.escape == '\\') {
      size_t slashes = 0;
      while (quote - slashes > begin && bytes_[quote - slashes - 1] == '\\') ++slashes;
      if (slashes % 2 == 0 && closes(quote, bytes_.size())) return found(quote);
      at = quote + 1;
      continue;
    }
    size_t last = quote;
    while (last + 1 < limit && bytes_[last + 1] == dialect_.quote) ++last;
    const bool odd = (last - quote) % 2 == 0;
    if ((odd || dialect_.escape == '\0') && closes(last, bytes_.size())) return found(last);
    at = last + 1;
  }
  never_closed_from_ = begin;
  never_closed_to_ = std::max(never_closed_to_, limit);
  return kNone;
}

// The text between the quotes at begin - 1 and end, its escapes undone.
std::string_view DelimitedReader::inner_text(size_t begin, size_t end, bool& stray) {
  const std::string_view raw = bytes_.substr(begin, end - begin);
  if (raw.find(dialect_.quote) == kNone && (dialect_.escape != '\\' || raw.find('\\') == kNone)) return raw;
  std::string& text = owned_.emplace_back();
  text.reserve(raw.size());
  for (size_t i = 0; i < raw.size(); ++i) {
    const bool pair = i + 1 < raw.size();
    if (raw[i] == '\\' && dialect_.escape == '\\' && pair &&
        (raw[i + 1] == dialect_.quote || raw[i + 1] == '\\')) {
      ++i;
    } else if (raw[i] == dialect_.quote) {
      if (dialect_.escape == dialect_.quote && pair && raw[i + 1] == dialect_.quote) {
        ++i;
      } else {
        stray = true;
      }
    }
    text += raw[i];
  }
  return text;
}

// The fields of the record at `at`; where it ends. `limit`: of the bytes that may belong to it.
size_t DelimitedReader::split(size_t at, size_t limit, DelimitedRecord& record) {
  record.fields.clear();
  for (;;) {
    size_t begin = at;
    while (dialect_.trim && begin < limit && bytes_[begin] == ' ') ++begin;
    size_t close = kNone;
    if (dialect_.quote != '\0' && begin < limit && bytes_[begin] == dialect_.quote) {
      close = find_close(begin + 1);
      if (close == kNone || close >= limit) record.stray = true, close = kNone;
    }
    if (close != kNone) {
      record.fields.push_back(inner_text(begin + 1, close, record.stray));
      at = close + 1;
      while (at < limit && bytes_[at] != dialect_.delimiter && !is_line_end(bytes_[at])) ++at;  // blanks
    } else {
      at = begin;
      while (at < limit && bytes_[at] != dialect_.delimiter && !is_line_end(bytes_[at])) ++at;
      size_t end = at;
      while (dialect_.trim && end > begin && bytes_[end - 1] == ' ') --end;
      record.fields.push_back(bytes_.substr(begin, end - begin));
    }
    if (at >= limit || is_line_end(bytes_[at])) return at;
    ++at;
  }
}

// Every way to read the quotes of a line, by the fewest that are text; true where one gives the right number
// of fields. States: a field's start and how many fields precede it.
bool DelimitedReader::mend(size_t begin, size_t end, DelimitedRecord& record) {
  std::vector<size_t> starts = {begin};
  std::vector<size_t> quotes;
  for (size_t i = begin; i < end; ++i) {
    if (bytes_[i] == dialect_.delimiter) starts.push_back(i + 1);
    if (bytes_[i] == dialect_.quote && closes(i, end)) quotes.push_back(i);
  }
  const size_t S = starts.size(), F = dialect_.fields;
  if (quotes.empty() || S < F || S > kMendable / (end - begin + quotes.size() * F)) return false;
  struct Step {
    uint32_t cost = std::numeric_limits<uint32_t>::max();
    size_t from = 0, close = kNone;
  };
  std::vector<Step> best((S + 1) * (F + 1));  // (start or end, fields before)
  const auto step = [&](size_t s, size_t f) -> Step& { return best[s * (F + 1) + f]; };
  step(0, 0).cost = 0;
  const auto reach = [&](size_t s, size_t f, size_t to, uint32_t cost, size_t close) {
    Step& there = step(to, f + 1);
    if (step(s, f).cost + cost < there.cost) there = {step(s, f).cost + cost, s, close};
  };
  const auto place_of = [&](size_t delimiter) {  // the state behind the separator, or the end
    return static_cast<size_t>(std::ranges::upper_bound(starts, delimiter) - starts.begin());
  };
  struct Closer {
    size_t quote, place;
    uint32_t stray;
  };
  std::vector<Closer> closers;
  for (size_t s = 0; s < S; ++s) {
    size_t text = starts[s];
    while (dialect_.trim && text < end && bytes_[text] == ' ') ++text;
    const bool quoted = text < end && bytes_[text] == dialect_.quote;
    // For each quote that may close the field: how many quotes before it would be text, one of each odd run.
    closers.clear();
    uint32_t odd = 0, run = 0;
    for (size_t i = text + 1, q = 0; quoted && i < end; ++i) {
      while (q < quotes.size() && quotes[q] < i) ++q;
      if (bytes_[i] != dialect_.quote) {
        odd += run % 2, run = 0;
        continue;
      }
      if (q < quotes.size() && quotes[q] == i) closers.push_back({i, place_of(i), odd + run % 2});
      ++run;
    }
    for (size_t f = 0; f < F; ++f) {
      if (step(s, f).cost == std::numeric_limits<uint32_t>::max()) continue;
      reach(s, f, s + 1, quoted ? 2 : 0, kNone);  // rather a stray quote in a field than one that opens none
      for (const auto& closer : closers) reach(s, f, closer.place, closer.stray, closer.quote);
    }
  }
  if (step(S, F).cost == std::numeric_limits<uint32_t>::max()) return false;
  record.fields.assign(F, {});
  for (size_t s = S, f = F; f > 0; --f) {
    const Step& last = step(s, f);
    size_t from = starts[last.from];
    while (dialect_.trim && from < end && bytes_[from] == ' ') ++from;
    size_t to = s == S ? end : starts[s] - 1;
    while (dialect_.trim && to > from && bytes_[to - 1] == ' ') --to;
    record.fields[f - 1] =
        last.close == kNone ? bytes_.substr(from, to - from) : inner_text(from + 1, last.close, record.stray);
    s = last.from;
  }
  record.mended = true;
  return true;
}

bool DelimitedReader::next(DelimitedRecord& record) {
  while (at_ < bytes_.size() && is_line_end(bytes_[at_])) {
    line_ += bytes_[at_] == '\n' || at_ + 1 == bytes_.size() || bytes_[at_ + 1] != '\n';
    ++at_;
  }
  if (at_ >= bytes_.size()) return false;
  owned_.clear();
  record.line = line_;
  record.stray = record.mended = false;
  size_t end = split(at_, bytes_.size(), record);
  const bool wrong = dialect_.fields > 0 && record.fields.size() != dialect_.fields;
  if (wrong && dialect_.quote != '\0') {
    const size_t first_line = line_end(at_);
    DelimitedRecord other;
    if (mend(at_, first_line, other)) {
      record.fields = std::move(other.fields);
      record.mended = record.stray = true;
      end = first_line;
    }
  }
  record.bytes = bytes_.substr(at_, end - at_);
  for (size_t i = at_; i < end; ++i) {
    if (bytes_[i] == '\n' || (bytes_[i] == '\r' && (i + 1 >= end || bytes_[i + 1] != '\n'))) ++line_;
  }
  at_ = end;
  return true;
}

}  // namespace maeil::format
