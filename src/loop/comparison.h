// Champion against challenger: a version and the one whose place it would take, on the same rows.
//
// The champion is the version in force, or the attempt that passed in its place. F1 of both is that of their
// own decisions (thresholds); the interval of the difference is a paired bootstrap (metrics/bootstrap.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "loop/day.h"
#include "loop/prepared/read_rows.h"

namespace maeil::loop {

// Labelled positives below which a segment says nothing about a version.
inline constexpr int64_t kLeastSegmentPositives = 30;

// Groups or ids below which no interval is told of them: of a few the bootstrap is far too sure (of 10 it
// finds a difference in 5 to 6 % of equal pairs, of 3 in 12 %, where 2.5 % are meant).
inline constexpr size_t kLeastUnits = 30;

// The segments of the dataset as a version knows them.
struct Segments {
  std::vector<size_t> features;      // of preparation.categorical, in the spec's order
  std::vector<std::string> unknown;  // columns that are no feature of the version
};
Segments segments_of(const table::DatasetSpec& spec, const prep::Preparation& preparation);

// Whether an attempt is compared with the version in force before it may pass: GATE_RULE = lower_bound, or a
// column is a segment. Otherwise its own F1 decides, as in the Python project.
bool compares_attempts(const Day& day);

// Field `comparison` of what an evaluation records: {champion_id, champion_version, must_be_better, rows,
// units, positives, champion_f1_score, f1_difference, f1_difference_interval, segments, small_segments,
// unknown_segments}. `must_be_better`: whether the whole interval of the difference has to be above 0.
// The interval is by rows, or, where `units` is there, by so many groups or ids whose rows belong together.
// `segments`: {column, value, rows, positives, f1_score, champion_f1_score, f1_difference} of those with
// kLeastSegmentPositives; `small_segments`: how many have fewer; a value that the version never saw is
// "(unknown)". Undefined is null. REQUIRES: scores have the champion's decisions and the codes of `segments`.
store::Document compare(const Scores& scores, const Segments& segments, const prep::Preparation& preparation,
                        const registry::ModelVersion& champion, bool must_be_better, uint64_t seed);

// Why the version may not take the champion's place, one sentence without a full stop; nullopt: it may. No
// segment may fall by more than MAX_SEGMENT_LOSS, and all must be known.
std::optional<std::string> reason_against(const store::Document& comparison, const Settings& settings);

}  // namespace maeil::loop
