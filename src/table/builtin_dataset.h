// The text of datasets/corporate_loan.toml, embedded when this was built: what builtin_dataset_spec() reads.
#pragma once

namespace maeil::table {

extern const char* const kCorporateLoanToml;

}  // namespace maeil::table
