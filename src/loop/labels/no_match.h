// Why a file of labels has none of a stored row, in a sentence: what was compared with what. Of ids only the
// shape is said, never one of them (docs/contract.md).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/settings.h"
#include "loop/labels/label_file.h"
#include "store/store.h"

namespace maeil::loop {

// "M310" is "A999": letters as A, digits as 9, all else as it is; at most 40 characters.
std::string shape_of(std::string_view id);

// `dates`: of the labels, sorted. `of_pruned_days`: labels whose day is past its retention. Errors: the store
// cannot be read.
Result<std::string> why_nothing_matched(store::Store& store, const Settings& settings,
                                        const table::DatasetSpec& spec, const LabelRequest& request,
                                        const LabelFile& file, const std::vector<Days>& dates,
                                        uint64_t of_pruned_days);

}  // namespace maeil::loop
