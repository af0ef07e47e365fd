// Scenarios as configuration: a TOML file that says how rows differ from the usual ones
// (docs/formats/scenario.md).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "loop/source.h"

namespace maeil::loop {

// `place` of an entry is its file and line, for messages.
struct ScenarioConfig {
  // numbers become x * multiply + add
  struct Shift {
    std::string column;
    double multiply = 1, add = 0;
    std::string place = {};
  };
  // the share of a text's value, all else hanging on it
  struct Rate {
    std::string column, value;
    double share = 0;
    std::string place = {};
  };
  // a text in some rows, whatever stood there
  struct Category {
    std::string column, value;
    double share = 0;
    std::string place = {};
  };
  // values that go missing
  struct Nulls {
    std::string column;
    double share = 0;
    std::string place = {};
  };
  // base: the built-in portfolio's scenario
  std::string name, base = "calm";
  std::vector<Shift> shifts;
  std::vector<Rate> rates;
  std::vector<Category> categories;
  std::vector<Nulls> nulls;
};

// kBadInput, naming file, line and key: a key that is not known, missing or of another type, a share outside
// 0..1, a number that is not finite, a base that the portfolio does not know, two rates of one column (the
// second would undo the first).
Result<ScenarioConfig> parse_scenario_config(std::string_view toml, const std::string& file_name);
Result<ScenarioConfig> read_scenario_config(const std::filesystem::path& path);

// The source in this weather: rates first, then shifts, categories and nulls, each row by itself; the
// source's constraints hold again after that. `base` is left to whoever opens the source. kBadInput, naming
// the place: a column that is not there, of the wrong type or written by a sum; a rate that with_rate cannot
// bring about. Rows are refused in the same way where a shift makes a number too large to be written.
Result<Source> with_scenario(Source source, const ScenarioConfig& scenario);

// What is wrong with an entry of a scenario file, as an error of that file: kUsage, which would blame the
// command line, becomes kBadInput.
tl::unexpected<Error> at_entry(const std::string& place, std::string_view table, Error error);

}  // namespace maeil::loop
