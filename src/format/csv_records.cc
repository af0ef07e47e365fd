#include "format/csv_records.h"

#include <algorithm>
#include <limits>

#include "format/csv.h"

namespace maeil::format {
namespace {

constexpr size_t kNone = std::string_view::npos;
constexpr uint32_t kNever = std::numeric_limits<uint32_t>::max();
// Of a line whose quotes are read in every way: steps, and places times fields. Wider ones stay as they are;
// a line at the limit takes about a millisecond.
constexpr size_t kMendingSteps = 1 << 20;
constexpr size_t kMendingTable = 1 << 16;

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

// The quote that closes the field whose text begins at `at`; kNone: none does. What was found before for a
// field that began earlier holds for this one, unless this one begins inside a run of quotes, which then
// counts another number of them.
size_t DelimitedReader::find_close(size_t at) {
  const size_t limit = std::min(bytes_.size(), at + kMaxCsvRecord);
  const size_t begin = at;
  const bool in_run = at < limit && bytes_[at] == dialect_.quote;
  if (!in_run && at >= open_from_ && at <= open_to_) return open_to_;
  const auto found = [&](size_t quote) {
    open_from_ = begin, open_to_ = quote;
    return quote;
  };
  if (!in_run && at >= never_closed_from_ && at < never_closed_to_) at = never_closed_to_;
  while (at < limit) {
    const size_t quote = bytes_.find(dialect_.quote, at);
    if (quote == kNone || quote >= limit) break;
    if (dialect_.escape != '\0' && dialect_.escape != dialect_.quote) {
      size_t escapes = 0;
      while (quote - escapes > begin && bytes_[quote - escapes - 1] == dialect_.escape) ++escapes;
      if (escapes % 2 == 0 && closes(quote, bytes_.size())) return found(quote);
      at = quote + 1;
      continue;
    }
    size_t last = quote;
    while (last + 1 < limit && bytes_[last + 1] == dialect_.quote) ++last;
    const bool odd = (last - quote) % 2 == 0;
    if ((odd || dialect_.escape == '\0') && closes(last, bytes_.size())) return found(last);
    at = last + 1;
  }
  if (!in_run) never_closed_from_ = begin, never_closed_to_ = std::max(never_closed_to_, limit);
  return kNone;
}

// Whether the byte stands before another one of a quoted field only to say that that one is text.
bool DelimitedReader::escapes_next(size_t at, size_t end) const {
  if (dialect_.escape == '\0' || at + 1 >= end || bytes_[at] != dialect_.escape) return false;
  return bytes_[at + 1] == dialect_.quote || bytes_[at + 1] == dialect_.escape;
}

// Whether a quote in the field is text by itself.
bool DelimitedReader::has_stray(const Range& range) const {
  if (!range.quoted)
    return dialect_.quote != '\0' && range.begin < range.end && bytes_[range.begin] == dialect_.quote;
  for (size_t i = range.begin; i < range.end; ++i) {
    if (escapes_next(i, range.end)) {
      ++i;
    } else if (bytes_[i] == dialect_.quote) {
      return true;
    }
  }
  return false;
}

// The field's text, its escapes undone.
std::string_view DelimitedReader::text_of(const Range& range, bool& stray) {
  const std::string_view raw = bytes_.substr(range.begin, range.end - range.begin);
  stray |= has_stray(range);
  if (!range.quoted || dialect_.escape == '\0' || raw.find(dialect_.escape) == kNone) return raw;
  std::string& text = owned_.emplace_back();
  text.reserve(raw.size());
  for (size_t i = range.begin; i < range.end; ++i) {
    if (escapes_next(i, range.end)) ++i;
    text += bytes_[i];
  }
  return text;
}

// The fields of the record at at_, and its end. With `doubt`, kDoubtful as soon as one closes where a field
// that was read otherwise would have closed.
DelimitedReader::Found DelimitedReader::split(size_t first_line, bool doubt) {
  const size_t size = bytes_.size(), most = std::min(size, at_ + 2 * kMaxCsvRecord);
  ranges_.clear();
  const auto too_long = [&](size_t at) {
    end_ = line_end(at);
    return Found::kTooLong;
  };
  for (size_t at = at_;;) {
    if (at - at_ > kMaxCsvRecord) return too_long(at);
    size_t begin = at;
    while (dialect_.trim && begin < size && bytes_[begin] == ' ') ++begin;
    size_t close = kNone;
    if (dialect_.quote != '\0' && begin < size && bytes_[begin] == dialect_.quote)
      close = find_close(begin + 1);
    if (close != kNone) {
      if (doubt && close > first_line && close == rejected_close_) return Found::kDoubtful;
      ranges_.push_back({begin + 1, close, true});
      at = close + 1;
      while (at < most && bytes_[at] != dialect_.delimiter && !is_line_end(bytes_[at])) ++at;  // blanks
    } else {
      at = begin;
      while (at < most && bytes_[at] != dialect_.delimiter && !is_line_end(bytes_[at])) ++at;
      size_t end = at;
      while (dialect_.trim && end > begin && bytes_[end - 1] == ' ') --end;
      ranges_.push_back({begin, end, false});
    }
    if (at - at_ > kMaxCsvRecord) return too_long(at);
    if (at >= size || is_line_end(bytes_[at])) {
      end_ = at;
      return Found::kRecord;
    }
    ++at;
  }
}

// Every way to read the quotes of a line, by the fewest that are text; true where one gives the right number
// of fields. States: a field's start and how many fields precede it.
bool DelimitedReader::mend(size_t begin, size_t end) {
  std::vector<size_t> starts = {begin};
  std::vector<size_t> quotes;
  for (size_t i = begin; i < end && starts.size() <= kMendingTable; ++i) {
    if (bytes_[i] == dialect_.delimiter) starts.push_back(i + 1);
    if (bytes_[i] == dialect_.quote && closes(i, end)) quotes.push_back(i);
  }
  const size_t S = starts.size(), F = dialect_.fields;
  if (S < F || S * F > kMendingTable || S * (end - begin + quotes.size() * F) > kMendingSteps) return false;
  steps_.assign((S + 1) * (F + 1), Step{kNever, 0, kNone});  // (start or end, fields before)
  const auto step = [&](size_t s, size_t f) -> Step& { return steps_[s * (F + 1) + f]; };
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
      if (step(s, f).cost == kNever) continue;
      reach(s, f, s + 1, quoted ? 2 : 0, kNone);  // rather a stray quote in a field than one that opens none
      for (const auto& closer : closers) reach(s, f, closer.place, closer.stray, closer.quote);
    }
  }
  if (step(S, F).cost == kNever) return false;
  ranges_.assign(F, {});
  for (size_t s = S, f = F; f > 0; --f) {
    const Step& last = step(s, f);
    size_t from = starts[last.from];
    while (dialect_.trim && from < end && bytes_[from] == ' ') ++from;
    size_t to = s == S ? end : starts[s] - 1;
    while (dialect_.trim && to > from && bytes_[to - 1] == ' ') --to;
    ranges_[f - 1] = last.close == kNone ? Range{from, to, false} : Range{from + 1, last.close, true};
    s = last.from;
  }
  return true;
}

bool DelimitedReader::next(DelimitedRecord& record) {
  while (at_ < bytes_.size() && is_line_end(bytes_[at_])) {
    line_ += bytes_[at_] == '\n' || at_ + 1 == bytes_.size() || bytes_[at_ + 1] != '\n';
    ++at_;
  }
  if (at_ >= bytes_.size()) return false;
  owned_.clear();
  record.fields.clear();
  record.line = line_;
  record.stray = false;
  const size_t first_line = line_end(at_);
  Found found = split(first_line, true);
  const auto runs_over = [&](const Range& range) { return range.quoted && range.end > first_line; };
  const bool wrong = found == Found::kRecord && dialect_.fields > 0 && ranges_.size() != dialect_.fields;
  const bool doubtful =
      found == Found::kDoubtful || wrong || found == Found::kTooLong ||
      std::ranges::any_of(ranges_, [&](const Range& r) { return runs_over(r) && has_stray(r); });
  if (doubtful && dialect_.quote != '\0' && dialect_.fields > 0) {
    const size_t close = found == Found::kDoubtful ? rejected_close_ : open_to_;
    const size_t end = end_;
    auto as_it_is = std::move(ranges_);
    ranges_ = {};
    if (mend(at_, first_line)) {
      found = Found::kRecord;
      end_ = first_line;
      record.stray = true;
      if (close > first_line) rejected_close_ = close;
    } else if (found == Found::kDoubtful) {
      found = split(first_line, false);
    } else {
      ranges_ = std::move(as_it_is);
      end_ = end;
    }
  } else if (found == Found::kDoubtful) {
    found = split(first_line, false);
  }
  record.too_long = found == Found::kTooLong;
  if (!record.too_long) {
    for (const auto& range : ranges_) record.fields.push_back(text_of(range, record.stray));
  }
  for (size_t i = at_; i < end_; ++i) {
    if (bytes_[i] == '\n' || (bytes_[i] == '\r' && (i + 1 >= end_ || bytes_[i + 1] != '\n'))) ++line_;
  }
  at_ = end_;
  return true;
}

}  // namespace maeil::format
