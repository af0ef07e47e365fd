// Registering a version that a person made by a command, outside of the days.
#pragma once

#include "base/settings.h"
#include "model/model_file.h"
#include "registry/versions.h"
#include "store/store.h"

namespace maeil::loop {

struct ByHand {
  const char* act;                                   // in audit_log: "import", "calibrate"
  std::string from;                                  // what it was made of, there
  store::Document more = store::Document::object();  // further fields of the version's document
};

// Takes a name for `version` (whose id, names and facts of the file are filled here), puts the bytes into the
// store and below MODEL_SAVE_PATH, and commits its document, which is returned, with an entry of the audit
// log.
Result<store::Document> register_version(store::Store& store, const Settings& settings,
                                         const model::ModelFile& model, registry::NewVersion version,
                                         const ByHand& how);

}  // namespace maeil::loop
