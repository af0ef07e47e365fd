#include "dag/task_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "store/field_rules.h"

namespace maeil::dag {
namespace {

using store::Document;
using store::text_field;

int64_t count_field(const Document& document, const char* name) {
  const auto found = document.find(name);
  return found != document.end() && found->is_number_integer() ? std::max<int64_t>(found->get<int64_t>(), 0)
                                                               : 0;
}

}  // namespace

Result<LogPlace> end_of_log(store::Store& store, const TaskName& name, int try_number) {
  store::FindOptions find;
  find.filter = {{"logical_date", format_date(name.logical_date)},
                 {"dag_id", name.dag_id},
                 {"task_id", name.task_id},
                 {"try_number", try_number}};
  LogPlace place;
  MAEIL_TRY(store.find_each(kTaskLogs, find, [&](Document&& part) {
    const auto lines = part.find("lines");
    const size_t count = lines != part.end() && lines->is_array() ? lines->size() : 0;
    place.part = std::max(place.part, static_cast<size_t>(count_field(part, "part")) + 1);
    place.line = std::max(place.line, static_cast<size_t>(count_field(part, "from_line")) + count);
    return true;
  }));
  return place;
}

TaskLog::TaskLog(store::Store& store, TaskName name, int try_number, std::string run_id, LogPlace begin,
                 std::chrono::milliseconds write_every)
    : store_(store),
      name_(std::move(name)),
      try_number_(try_number),
      run_id_(std::move(run_id)),
      write_every_(write_every),
      next_line_(begin.line) {
  written_.next = begin.part;
}

TaskLog::~TaskLog() = default;  // the thread, the last member, ends first

std::string TaskLog::add(std::string_view line) {
  std::string clean = clean_text(line, kMaxLineBytes);
  std::lock_guard lock(mutex_);
  lines_.push_back({next_line_++, clean});
  if (lines_.size() >=
      2 * (kFirstLines + kLastLines)) {  // now and then, so that a line costs the same whatever is kept
    const auto first =
        std::ranges::find_if(lines_, [](const Line& kept) { return kept.number >= kFirstLines; });
    if (lines_.end() - first > static_cast<std::ptrdiff_t>(kLastLines))
      lines_.erase(first, lines_.end() - kLastLines);
  }
  if (!writer_.joinable()) writer_ = std::jthread([this](const std::stop_token& stop) { write(stop); });
  said_.notify_one();
  return clean;
}

void TaskLog::finish(store::Batch& batch) {
  std::jthread ended;
  {
    std::lock_guard lock(mutex_);
    std::swap(ended, writer_);
  }
  if (ended.joinable()) {
    ended.request_stop();
    ended.join();
  }
  std::lock_guard lock(mutex_);
  (void)put_parts(lines_, /*at_least_one=*/true, batch);
}

void TaskLog::write(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  for (;;) {
    said_.wait_for(lock, stop, write_every_, [] { return false; });
    if (!said_.wait(lock, stop, [&] { return !lines_.empty(); }) || stop.stop_requested()) return;
    std::deque<Line> lines = std::move(lines_);
    lines_.clear();
    store::Batch batch;
    Written then = put_parts(lines, false, batch);
    lock.unlock();
    const Status done = store_.commit(batch);
    lock.lock();
    if (done) {
      written_ = std::move(then);
    } else {  // the same parts again, longer ones perhaps: with them, or with the final commit, which says
              // what is wrong
      lines_.insert(lines_.begin(), std::make_move_iterator(lines.begin()),
                    std::make_move_iterator(lines.end()));
    }
  }
}

TaskLog::Written TaskLog::put_parts(const std::deque<Line>& lines, bool at_least_one,
                                    store::Batch& batch) const {
  Written then = written_;
  const size_t late =
      std::ranges::count_if(lines, [](const Line& line) { return line.number >= kFirstLines; });
  const size_t left_out = late > kLastLines ? late - kLastLines : 0;
  const size_t first_late = lines.size() - late;
  const auto put = [&](size_t begin, size_t end) {
    Document texts = Document::array();
    for (size_t i = begin; i < end; ++i) texts.push_back(lines[i].text);
    const size_t from = begin < lines.size() ? lines[begin].number : next_line_;
    batch.puts.push_back({kTaskLogs,
                          {{"_id", store::id_value(part_id(then.next))},
                           {"logical_date", format_date(name_.logical_date)},
                           {"dag_id", name_.dag_id},
                           {"task_id", name_.task_id},
                           {"try_number", try_number_},
                           {"run_id", run_id_},
                           {"part", then.next},
                           {"from_line", from},
                           {"lines", std::move(texts)},
                           {"timestamp", store::date_value(now())}}});
    if (from >= kFirstLines) {
      then.last.emplace_back(then.next, end - begin);
      then.last_lines += end - begin;
    }
    ++then.next;
  };
  for (size_t begin = 0; begin < lines.size();) {
    if (begin == first_late) begin += left_out;
    size_t end = begin + 1;
    while (end < lines.size() && end - begin < kPartLines && end != first_late &&
           lines[end].number == lines[end - 1].number + 1)
      ++end;
    put(begin, end);
    begin = end;
  }
  if (at_least_one && then.next == 0) put(0, 0);
  while (!then.last.empty() && then.last_lines - then.last.front().second >= kLastLines) {
    batch.erases.push_back({kTaskLogs, part_id(then.last.front().first)});
    then.last_lines -= then.last.front().second;
    then.last.pop_front();
  }
  return then;
}

// The first part has the id that the one document of a try had in older maeils.
std::string TaskLog::part_id(size_t part) const {
  return part == 0 ? store::task_object_id(name_.key(), kTaskLogs, try_number_)
                   : store::task_object_id(fmt::format("{}/try {}", name_.key(), try_number_), kTaskLogs,
                                           static_cast<int>(part));
}

std::vector<Document> join_parts(std::vector<Document> parts) {
  using Try = std::tuple<std::string, std::string, std::string, int64_t>;
  std::vector<std::vector<Document>> tries;
  std::map<Try, size_t> places;
  for (auto& part : parts) {
    const Try name{text_field(part, "logical_date"), text_field(part, "dag_id"), text_field(part, "task_id"),
                   count_field(part, "try_number")};
    const auto [place, is_new] = places.try_emplace(name, tries.size());
    if (is_new) tries.emplace_back();
    tries[place->second].push_back(std::move(part));
  }
  std::vector<Document> out;
  for (auto& of_try : tries) {
    std::ranges::stable_sort(of_try, {}, [](const Document& part) { return count_field(part, "part"); });
    Document joined = of_try.front();
    Document lines = Document::array();
    int64_t next = 0;
    for (auto& part : of_try) {
      const int64_t from = count_field(part, "from_line");
      if (from > next) lines.push_back(fmt::format("... {} lines were not kept", from - next));
      const auto found = part.find("lines");
      if (found == part.end() || !found->is_array()) continue;
      next = from + static_cast<int64_t>(found->size());
      for (auto& line : *found) lines.push_back(std::move(line));
    }
    joined.erase("part");
    joined.erase("from_line");
    joined["lines"] = std::move(lines);
    out.push_back(std::move(joined));
  }
  return out;
}

}  // namespace maeil::dag
