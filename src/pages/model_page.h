// A model version as a document for whoever has to judge it: what it is for, by which data and method it was
// made, how it was tested, where its limits are, who approved it. Pure: the same record gives the same
// document. From recorded facts alone; what is not recorded is said.
#pragma once

#include "pages/model_record.h"
#include "pages/section.h"

namespace maeil::pages {

Report model_report(const ModelRecord& record);

}  // namespace maeil::pages
