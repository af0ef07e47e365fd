// The rows of one Parquet or Arrow file, or of several that are parts of one table, batch after batch.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "columnar/bound_column.h"
#include "columnar/part_files.h"
#include "columnar/plugin.h"

namespace maeil::columnar {

struct Part {
  MappedFile bytes;
  std::string label;  // for messages
  std::vector<PartKey> keys;
};

// A column that every part has, or a key of their folders.
struct PartColumn {
  std::string name;
  ColumnType type;      // in the first part
  bool is_key = false;  // a text, the same in a whole part
};

class OpenFile;

class PartRows {
 public:
  // Whether the caller will read a column, so that it must be there in every part and of a type that can be
  // read. None: of every column that can be; those that cannot are left out.
  using Wanted = std::function<bool(const std::string& name)>;

  // `name`: of all parts together, for messages. kNotFound: no plug-in (plugin.h). kBadInput, naming the
  // part: damage; a wanted column of a nested or another refused type, or that not all parts have alike.
  static Result<PartRows> open(std::vector<Part> parts, std::string name, Wanted wanted);

  const std::string& name() const { return name_; }
  const std::vector<PartColumn>& columns() const { return columns_; }
  // "Parquet, 3 parts, seen by the clock of Asia/Seoul": for people.
  std::string how() const;
  // "column 'tags' is a list, and is left out": the columns that cannot be read.
  const std::vector<std::string>& left_out() const { return left_out_; }

 private:
  friend class BatchReader;
  Status add_part(size_t part, const Wanted& wanted);
  Status add_columns(const ArrowSchema& schema, const Wanted& wanted);
  Status compare(size_t part, const ArrowSchema& schema, const Wanted& wanted);
  Result<std::shared_ptr<OpenFile>> open_part(size_t part) const;

  const ArrowPlugin* plugin_ = nullptr;
  std::vector<Part> parts_;
  std::string name_;
  std::vector<PartColumn> columns_;
  std::vector<std::string> left_out_;
  std::shared_ptr<OpenFile> only_;  // where there is one part: not opened again
};

// Rows of all columns asked for, as they lie in one array. Threads may share it.
class Batch {
 public:
  size_t rows = 0;
  const std::string& label() const { return part_->label; }
  // Of the reader's column `c`, of all of the batch's rows. REQUIRES: !key(c).
  BoundColumn column(size_t c, const DateText* date_text = nullptr) const;
  // Of a column that is a key of the part's folders: its text, "" where it is missing; null: it is none.
  const std::string* key(size_t c) const { return (*keys_)[c].get(); }

 private:
  friend class BatchReader;
  using Keys = std::vector<std::shared_ptr<const std::string>>;
  const Part* part_ = nullptr;
  struct Held {  // the array's memory is its file's, so they go together, the array first
    Held(std::shared_ptr<OpenFile> of, OwnedArray rows);
    std::shared_ptr<OpenFile> file;
    OwnedArray array;
  };
  std::shared_ptr<const Held> held_;
  std::shared_ptr<const std::vector<ColumnType>> types_;
  std::shared_ptr<const std::vector<size_t>> children_;
  std::shared_ptr<const Keys> keys_;
};

// Not thread safe. The rows must outlive it and its batches.
class BatchReader {
 public:
  // `columns`: numbers of rows.columns(), ascending.
  BatchReader(const PartRows& rows, std::vector<size_t> columns);
  // The next batch that has rows; false at the end. kBadInput, naming the part.
  Result<bool> next(Batch& batch);

 private:
  Result<bool> begin_part();
  const PartRows* rows_;
  std::vector<size_t> columns_;
  size_t part_ = 0;  // that is begun next
  std::shared_ptr<OpenFile> file_;
  OwnedStream stream_;
  Batch form_;  // what the batches of the part share
};

}  // namespace maeil::columnar
