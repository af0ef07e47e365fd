// What a task says during one try, as documents of task_logs that are written once and added to by more of
// them.
//
// task_logs  one document per part of a try: logical_date, dag_id, task_id, try_number, run_id, lines,
//            part (0, 1, ...), from_line (the number of its first line in the try), timestamp (when it was
//            written). Every try that has ended has part 0, be it empty. Documents of older maeils have
//            neither `part` nor `from_line`: one was all.
// Lines are written two seconds after they were said, so a kill loses no more than that. Of a long log the
// first lines stay and the last ones, the error among them: parts between are removed, and joined lines say
// how many are not there.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "dag/task_record.h"
#include "store/store.h"

namespace maeil::dag {

inline constexpr const char* kTaskLogs = "task_logs";

// Where the log of a try goes on: a sensor that is asked again, by another process, is the same try.
struct LogPlace {
  size_t part = 0, line = 0;
};
Result<LogPlace> end_of_log(store::Store& store, const TaskName& name, int try_number);

// Thread safe but for finish(). What is not written when it is destroyed is lost.
class TaskLog {
 public:
  static constexpr size_t kFirstLines = 1000, kLastLines = 4000, kPartLines = 500;
  static constexpr size_t kMaxLineBytes =
      2000;  // a part has 1 MB at most, a batch 10: a document may have 16
  static constexpr std::chrono::milliseconds kWriteEvery{2000};

  TaskLog(store::Store& store, TaskName name, int try_number, std::string run_id, LogPlace begin = {},
          std::chrono::milliseconds write_every = kWriteEvery);
  ~TaskLog();
  std::string add(std::string_view line);  // the line as it is kept: valid UTF-8, not too long
  // Ends the writing by itself, and adds to `batch` what is not written yet. Once more, with what was said
  // since, when that commit failed.
  void finish(store::Batch& batch);

 private:
  struct Line {
    size_t number;
    std::string text;
  };
  // What is in the store.
  struct Written {
    size_t next = 0;                             // part
    std::deque<std::pair<size_t, size_t>> last;  // parts after the first lines: number, lines
    size_t last_lines = 0;
  };
  void write(const std::stop_token& stop);
  Written put_parts(const std::deque<Line>& lines, bool at_least_one, store::Batch& batch) const;
  std::string part_id(size_t part) const;

  store::Store& store_;
  const TaskName name_;
  const int try_number_;
  const std::string run_id_;
  const std::chrono::milliseconds write_every_;
  std::mutex mutex_;
  std::condition_variable_any said_;
  std::deque<Line> lines_;  // not written
  size_t next_line_;
  Written written_;
  std::jthread writer_;  // begun with the first line
};

// Parts in the order of their timestamps -> one document for each try, in the order of its first part, with
// all its lines in theirs.
std::vector<store::Document> join_parts(std::vector<store::Document> parts);

}  // namespace maeil::dag
