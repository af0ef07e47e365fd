// What a dataset is called, and what of it is called after it where a store holds several.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace maeil {

inline constexpr std::string_view kBuiltinDataset = "corporate_loan";

// Between a dataset's name and that of its DAG.
inline constexpr std::string_view kAfterDataset = "__";

// kUsage: a name that cannot begin a DAG's id or be a folder (letters of any script, digits, "-", "_" and "."
// inside, no "__", 64 bytes at most), or that is one of maeil's own folders.
Status check_dataset_name(std::string_view name);

// "book__data_pipeline_dag"; of the built-in dataset, and of none, the name as it is.
std::string name_in_dataset(std::string_view dataset, std::string_view name);

// The dataset that a DAG's id names: "book"; "" where it names none.
std::string dataset_of_dag(std::string_view dag_id);

}  // namespace maeil
