// Two states of one dataset's description: in what they differ, for people, and how rows of now are read for
// a model that was trained by the older one.
#pragma once

#include <string>
#include <vector>

#include "table/dataset_spec.h"

namespace maeil::table {

// "column 'rate' is new", "column 'grade': a number, was a text" ...; none where models see no difference.
std::vector<std::string> spec_differences(const DatasetSpec& before, const DatasetSpec& now);

// The columns, day counts and the target of `trained`, by which its features are made; the roles and [read]
// of `now`, with the columns that these need. The roles stay those of `trained` where one of now's was a
// number then, and so may be a feature.
DatasetSpec spec_to_prepare_by(const DatasetSpec& trained, const DatasetSpec& now);

}  // namespace maeil::table
