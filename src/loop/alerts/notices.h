// Notices: what is no trouble and people may want to hear, to the channels that ALERT_ROUTES names for INFO.
#pragma once

#include <string>
#include <vector>

#include "base/settings.h"
#include "base/time.h"
#include "registry/versions.h"
#include "store/store.h"

namespace maeil::loop {

// Messages for the outbox, to be committed with what they are about. `rule`: MODEL_DEPLOYED, MODEL_APPROVED.
// kUsage: the channels or routes of the settings are not sound.
Result<std::vector<store::Batch::Put>> notices(store::Store& store, const Settings& settings,
                                               const std::string& rule, const registry::ModelVersion& version,
                                               Days date, const std::string& message);

}  // namespace maeil::loop
