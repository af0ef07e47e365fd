#include "loop/labels/stored_rows.h"

#include <fmt/format.h>

#include "loop/labels/labelled_days.h"
#include "loop/labels/labelled_rows.h"
#include "loop/prepared/raw_data.h"
#include "prep/row_split.h"

namespace maeil::loop {
namespace {

constexpr double kTrainShare = 0.7;  // of the rows (prep/split.h)

}  // namespace

Result<LearningRows> stored_rows(store::Store& store, const Day& day, const std::vector<Days>& dates,
                                 Days known_on) {
  LearningRows out;
  for (const Days of : dates) {
    MAEIL_ASSIGN(const auto raw, raw_document(store, of));
    out.rows += raw.value("rows", uint64_t{0});
  }
  const double learnt = kTrainShare * static_cast<double>(out.rows);
  const double cap = static_cast<double>(day.settings.row_cap), kept = learnt > cap ? cap / learnt : 1;
  out.description = describe_dates(dates);
  out.note = {{"source", "stored days"},
              {"days", date_texts(dates)},
              {"known_on", format_date(known_on)},
              {"rows", out.rows},
              {"seed", day.settings.seed},
              {"row_cap", kept < 1 ? store::Document(day.settings.row_cap) : store::Document()}};
  out.read = [&store, &day, dates, known_on, kept](const PartSink& sink,
                                                   const RowProgress& progress) -> Status {
    const auto seed = static_cast<uint64_t>(day.settings.seed);
    std::vector<Part> parts;
    uint64_t done = 0;
    for (const Days of : dates) {
      MAEIL_ASSIGN(auto rows, LabelledRows::open(store, day, of, known_on));
      MAEIL_TRY(rows.read_tables([&](const Table& chunk, const std::vector<prep::Split>& splits,
                                     const std::vector<uint64_t>& numbers) -> Status {
        parts.clear();
        for (size_t i = 0; i < splits.size(); ++i) {
          const bool is_kept = kept >= 1 || prep::row_word(RandomStream::kLearntRows, seed, of, numbers[i]) <
                                                kept * 4294967296.0;
          parts.push_back(splits[i] == prep::Split::kTest || !is_kept ? Part::kLeftOut
                          : splits[i] == prep::Split::kTrain          ? Part::kLearn
                                                                      : Part::kHeldOut);
        }
        MAEIL_TRY(sink(chunk, parts));
        if (progress) progress(done += splits.size());
        return {};
      }));
    }
    return {};
  };
  return out;
}

}  // namespace maeil::loop
