// A day's scores judged once labels of its rows are known: performance_metrics with dataset_name `matured`,
// for the day and the version that scored it. Every scored row with a label counts, since the model saw none
// of these labels when it scored. Labels that come later, and scores that are made again, add a document that
// supersedes the one before.
#pragma once

#include <functional>
#include <string>

#include "base/settings.h"
#include "loop/labels/label_history.h"
#include "store/store.h"
#include "table/dataset_spec.h"

namespace maeil::loop {

inline constexpr const char* kMatured = "matured";

// Labels of a date may be imported while its scores are made again, and each would judge without the other.
// Whoever does either reads the fence before labels and scores, and commits with it: the second is kConflict,
// and begins again.
//
// label_fences  one document a date: logical_date, `by` (the import or the predictions that wrote last),
//               timestamp
struct LabelFence {
  Days date;
  store::Batch::Expect as_read;
};
Result<LabelFence> read_label_fence(store::Store& store, Days date);
void add_label_fence(const LabelFence& fence, const store::Document& by, store::Batch& batch);

// The date's document of `predictions` that counts and whose bytes are there; null: none.
Result<store::Document> present_predictions(store::Store& store, Days date);

// Adds to `batch` the document for `predictions`, judged with everything that `history` knows; `stamp` gives
// it its _id and what every document carries. Its metrics; null where no scored row has a label: nothing is
// added. kBadInput: the scores cannot be read.
Result<store::Document> add_matured(store::Store& store, const Settings& settings,
                                    const table::DatasetSpec& spec, Days date,
                                    const store::Document& predictions, const LabelHistory& history,
                                    const std::function<store::Document(store::Document)>& stamp,
                                    store::Batch& batch);

}  // namespace maeil::loop
