// A batch's writes as bytes, for servers without transactions: written whole before the first of them is applied, so that whoever
// comes after a crash can finish. Applying twice is harmless.
#pragma once

#include <string>
#include <vector>

#include "store/mongo/control.h"

namespace maeil::store::mongo {

Status write_journal(Connection& connection, const std::string& intent, const std::vector<Write>& writes);
Result<std::vector<Write>> read_journal(Connection& connection, const std::string& intent);
Status remove_journal(Connection& connection, const std::string& intent);

// Applies in steps while the slot is ours; false when another process took over.
Result<bool> apply_writes(Connection& connection, Slot& slot, const std::vector<Write>& writes);

}  // namespace maeil::store::mongo
