// Rows of a file held against the contract of their dataset, in one pass: which are set aside, and what is
// found, all at once.
//
// Memory: a few numbers for each rule and the numbers of the rows that are set aside; 10 to 20 bytes a row
// more where ids are to be unique, which two rows with the same 64-bit hash of their ids are taken to break
// (of 10^7 different ids two have one hash once in 400,000 files).
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "table/dataset_spec.h"
#include "table/read_report.h"
#include "table/set_aside.h"
#include "table/table.h"

namespace maeil::table {

enum class Severity : uint8_t { kWarning, kError };

inline constexpr size_t kFindingExamples = 3;

// What was found of a rule. A rule of rows that few enough rows break is a warning: they are set aside.
struct Finding {
  std::string rule;    // the key of the contract: "min", "max_missing" ..., or "column", "type", "date"
  std::string column;  // "" where it is about the file or the whole row
  Severity severity = Severity::kWarning;
  uint64_t count = 0;                 // rows
  double share = 0;                   // of the rows that could have been right
  std::vector<std::string> examples;  // values; never of ids and groups
  std::string message;                // a sentence without a full stop
};

// Which rules of the file are held against it.
enum class FileRules : uint8_t {
  kAll,      // a day's file
  kNotRows,  // a history: how many rows a day's file has is not asked
  kSaid,     // any rows: what breaks is a warning
};

// The contract's rules on one dataset's rows. look() is thread safe; add() takes its pieces in the order of
// the rows.
class ContractCheck {
 public:
  // The first rule that a row breaks, and what the rules count.
  struct Piece {
    std::vector<uint16_t> broken_by;  // (rows) a rule, or kNone
    std::vector<uint8_t> counts;      // (rows) whether it breaks a rule without a `mostly` of its own
    std::vector<uint64_t> broken;     // (rules) rows
    std::vector<uint64_t> missing;    // (columns of the contract)
    std::vector<std::vector<std::string>> examples;  // (rules)
    std::vector<uint64_t> ids;                       // (rows) hashes; kNoId: one is missing
    uint64_t rows = 0, labelled = 0, positives = 0;
  };
  static constexpr uint16_t kNone = UINT16_MAX;

  // What it is given must outlive it. `absent`: (columns of the spec) that the file lacks.
  ContractCheck(const DatasetSpec& spec, std::vector<bool> absent);

  // `chunk` as read_csv makes it; `out` is used again.
  void look(const Table& chunk, Piece& out) const;
  void add(const Piece& piece, const std::vector<uint64_t>& row_index);

  // REQUIRES: all rows were added. `report`: of reading them from `file`.
  std::vector<Finding> findings(const ReadReport& report, const std::string& file,
                                FileRules file_rules) const;
  const SetAside& set_aside() const { return set_aside_; }
  uint64_t rows() const { return rows_; }  // that could be read
  uint64_t labelled() const { return labelled_; }
  uint64_t positives() const { return positives_; }

 private:
  enum class Kind : uint8_t { kMin, kMax, kAllowed, kUniqueId };
  struct Rule {
    Kind kind;
    size_t part = 0;  // of the contract's columns
    double mostly = kMostly;
    bool own_mostly = false;
  };
  static constexpr uint64_t kNoId = 0;

  void look_at_column(const Table& chunk, size_t part, Piece& out) const;
  void hash_ids(const Table& chunk, Piece& out) const;
  uint16_t rule_of(size_t part, double value) const;
  void hit(uint16_t rule, size_t row, Piece& out) const;
  void find_row_rules(std::vector<Finding>& out) const;
  void find_file_rules(FileRules file_rules, std::vector<Finding>& out) const;
  std::string name_of(const Rule& rule) const;
  std::string what_breaks(const Rule& rule) const;

  const DatasetSpec& spec_;
  const std::vector<bool> absent_;
  std::vector<size_t> position_;                   // (columns of the contract) in the spec
  std::vector<std::array<uint16_t, 3>> rules_of_;  // (columns of the contract) min, max, allowed
  std::vector<Rule> rules_;
  std::vector<size_t> ids_;  // positions in the spec; none where ids need not be unique
  uint16_t unique_rule_ = kNone;

  uint64_t rows_ = 0, labelled_ = 0, positives_ = 0, counted_ = 0;
  std::vector<uint64_t> broken_, missing_;
  std::vector<std::vector<std::string>> examples_;
  boost::unordered_flat_set<uint64_t> seen_;
  SetAside set_aside_;
};

// Findings about the reading itself: rows that cannot be read, dates that are none.
std::vector<Finding> read_findings(const DatasetSpec& spec, const ReadReport& report,
                                   const std::string& file);

bool has_error(const std::vector<Finding>& findings);

}  // namespace maeil::table
