#include "loop/processed_csv.h"

#include <boost/unordered/unordered_flat_map.hpp>
#include <limits>

namespace maeil::loop {
namespace {

Column number_column(std::string name, size_t rows, auto&& value) {
  Column out;
  out.name = std::move(name);
  out.type = ColumnType::kNumber;
  out.numbers.resize(rows);
  for (size_t i = 0; i < rows; ++i) out.numbers[i] = value(i);
  return out;
}

Column text_column(std::string name, const std::vector<std::string>& values) {
  Column out;
  out.name = std::move(name);
  out.codes.reserve(values.size());
  boost::unordered_flat_map<std::string_view, uint32_t> dictionary;
  for (const auto& text : values) {
    if (text.empty()) {
      out.codes.push_back(kMissing);
      continue;
    }
    const auto [entry, fresh] = dictionary.emplace(text, static_cast<uint32_t>(dictionary.size()));
    if (fresh) out.dictionary.push_back(text);
    out.codes.push_back(entry->second);
  }
  return out;
}

}  // namespace

Result<ProcessedCsv> ProcessedCsv::create(const std::filesystem::path& path, const table::DatasetSpec& spec, const prep::Preparation& preparation) {
  MAEIL_ASSIGN(AtomicFile file, AtomicFile::create(path));
  return ProcessedCsv(std::move(file), spec, preparation);
}

ProcessedCsv::ProcessedCsv(AtomicFile file, const table::DatasetSpec& spec, const prep::Preparation& preparation)
    : file_(std::make_unique<AtomicFile>(std::move(file))), categorical_(preparation.categorical.size()), numeric_(preparation.numeric.size()) {
  std::vector<NumberFormat> formats;
  const auto add = [&](const std::string& name, NumberFormat format) {
    names_.push_back(name);
    formats.push_back(format);
  };
  for (const auto& f : preparation.categorical) add(f.name, NumberFormat::kInteger);
  for (const auto& f : preparation.numeric) add(f.name, NumberFormat::kFloat);
  add(spec.target, NumberFormat::kInteger);
  for (const auto& column : spec.columns) {
    if (column.keep_date) add(column.name, NumberFormat::kFloat);
  }
  add("split", NumberFormat::kFloat);
  AtomicFile* target = file_.get();
  writer_ = std::make_unique<table::CsvWriter>(names_, formats, [target](std::string_view bytes) { return target->write(bytes); });
}

Status ProcessedCsv::write(const prep::Prepared& prepared, const std::vector<std::string>& splits) {
  Table chunk;
  chunk.rows = prepared.rows;
  size_t at = 0;
  for (size_t f = 0; f < categorical_; ++f) {
    chunk.columns.push_back(number_column(names_[at++], prepared.rows, [&](size_t i) { return prepared.codes[i * categorical_ + f]; }));
  }
  for (size_t f = 0; f < numeric_; ++f) {
    chunk.columns.push_back(number_column(names_[at++], prepared.rows, [&](size_t i) { return prepared.numbers[i * numeric_ + f]; }));
  }
  chunk.columns.push_back(number_column(names_[at++], prepared.rows, [&](size_t i) {
    return prepared.labels[i] < 0 ? std::numeric_limits<double>::quiet_NaN() : prepared.labels[i];
  }));
  for (const auto& date : prepared.dates) chunk.columns.push_back(text_column(names_[at++], date.values));
  chunk.columns.push_back(text_column(names_[at], splits));
  return writer_->write(chunk);
}

Status ProcessedCsv::commit() { return file_->commit(); }

}  // namespace maeil::loop
