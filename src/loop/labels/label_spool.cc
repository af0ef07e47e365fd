#include "loop/labels/label_spool.h"

#include <cstring>
#include <set>
#include <type_traits>

namespace maeil::loop {

static_assert(std::is_trivially_copyable_v<FileLabel>);

Status LabelSpool::add(FileLabel label, std::string_view id) {
  LabelsOfDay& day = open_[label.date];
  label.text = day.ids.size();
  label.size = static_cast<uint32_t>(id.size());
  day.ids += id;
  day.labels.push_back(label);
  dated_ += label.date.has_value();
  return dated_ < most_ ? Status() : write_out();
}

Status LabelSpool::write_out() {
  if (!file_) {
    MAEIL_ASSIGN(AtomicFile file, AtomicFile::create(scratch_, AtomicFile::Access::kPrivate));
    file_.emplace(std::move(file));
  }
  for (auto one = open_.begin(); one != open_.end();) {
    if (!one->first) {
      ++one;
      continue;
    }
    const LabelsOfDay& day = one->second;
    const std::string_view labels(reinterpret_cast<const char*>(day.labels.data()),
                                  day.labels.size() * sizeof(FileLabel));
    MAEIL_TRY(file_->write(labels));
    MAEIL_TRY(file_->write(day.ids));
    runs_[*one->first].push_back({size_, day.labels.size(), day.ids.size()});
    size_ += labels.size() + day.ids.size();
    one = open_.erase(one);
  }
  dated_ = 0;
  return {};
}

std::vector<Days> LabelSpool::dates() const {
  std::set<Days> out;
  for (const auto& [date, day] : open_) {
    if (date) out.insert(*date);
  }
  for (const auto& [date, runs] : runs_) out.insert(date);
  return {out.begin(), out.end()};
}

Result<LabelsOfDay> LabelSpool::take(std::optional<Days> date) {
  LabelsOfDay out;
  if (const auto runs = date ? runs_.find(*date) : runs_.end(); runs != runs_.end()) {
    if (!mapped_) {
      MAEIL_ASSIGN(MappedFile mapped, file_->map());
      mapped_.emplace(std::move(mapped));
    }
    for (const Run& run : runs->second) {
      const std::string_view bytes = mapped_->bytes().substr(run.at);
      const size_t before = out.labels.size(), ids = out.ids.size();
      out.labels.resize(before + run.labels);
      std::memcpy(out.labels.data() + before, bytes.data(), run.labels * sizeof(FileLabel));
      for (size_t i = before; i < out.labels.size(); ++i) out.labels[i].text += ids;
      out.ids += bytes.substr(run.labels * sizeof(FileLabel), run.ids);
    }
    runs_.erase(runs);
  }
  const auto open = open_.find(date);
  if (open == open_.end()) return out;
  if (out.labels.empty()) {
    out = std::move(open->second);
  } else {
    for (FileLabel label : open->second.labels) {
      label.text += out.ids.size();
      out.labels.push_back(label);
    }
    out.ids += open->second.ids;
  }
  open_.erase(open);
  return out;
}

}  // namespace maeil::loop
