#include "loop/reference_rows.h"

#include "base/hash.h"
#include "prep/split.h"

namespace maeil::loop {

LearningRows reference_rows(const ReferencePlan& plan) {
  LearningRows out;
  out.description = plan.source->description;
  out.rows = plan.rows;
  out.note = {{"source", plan.source->description},
              {"rows", plan.rows},
              {"seed", plan.seed},
              {"logical_date", format_date(plan.date)}};
  out.read = [plan](const PartSink& sink, const RowProgress& progress) -> Status {
    const uint64_t seed = hash64("reference", plan.seed);
    uint64_t row = 0;
    std::vector<Part> parts;
    return read_typed_rows(
        *plan.source, plan.spec, plan.date, plan.rows, seed,
        [&](const Table& chunk) -> Status {
          parts.clear();
          for (size_t i = 0; i < chunk.rows; ++i) {
            const bool held_out = prep::split_of(seed, plan.date, row++) == prep::Split::kTest;
            parts.push_back(held_out ? Part::kHeldOut : Part::kLearn);
          }
          return sink(chunk, parts);
        },
        progress);
  };
  return out;
}

}  // namespace maeil::loop
