// Scenarios as configuration: a TOML file that says how rows differ from the usual ones (docs/formats/scenario.md).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "loop/source.h"

namespace maeil::loop {

struct ScenarioConfig {
  struct Shift { std::string column; double multiply = 1, add = 0; };        // numbers become x * multiply + add
  struct Rate { std::string column, value; double share = 0; };              // the share of a text's value, all else hanging on it
  struct Category { std::string column, value; double share = 0; };          // a text in some rows, whatever stood there
  struct Nulls { std::string column; double share = 0; };                    // values that go missing
  std::string name, base = "calm";                                           // base: the built-in portfolio's scenario
  std::vector<Shift> shifts;
  std::vector<Rate> rates;
  std::vector<Category> categories;
  std::vector<Nulls> nulls;
};

// kBadInput, naming file, line and key.
Result<ScenarioConfig> parse_scenario_config(std::string_view toml, const std::string& file_name);
Result<ScenarioConfig> read_scenario_config(const std::filesystem::path& path);

// The source in this weather: rates first, then shifts, categories and nulls, each row by itself; the source's constraints hold again
// after that. `base` is left to whoever opens the source. kUsage: a column that is not there or of the wrong type; with_rate's.
Result<Source> with_scenario(Source source, const ScenarioConfig& scenario);

}  // namespace maeil::loop
