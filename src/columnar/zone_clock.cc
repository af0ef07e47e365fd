#include "columnar/zone_clock.h"

#include <date/tz.h>

#include <exception>

namespace maeil::columnar {
namespace {

constexpr int64_t kFirst = -62135596800, kEnd = 253402300800;  // the years 1 to 9999

// "+09:00", "-0330", "+09": seconds; false for another text.
bool read_offset(std::string_view text, int64_t& out) {
  if (text.size() < 3 || (text[0] != '+' && text[0] != '-')) return false;
  std::string digits;
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == ':' && i == 3) continue;
    if (text[i] < '0' || text[i] > '9') return false;
    digits += text[i];
  }
  if (digits.size() != 2 && digits.size() != 4) return false;
  const int hours = std::stoi(digits.substr(0, 2)),
            minutes = digits.size() == 4 ? std::stoi(digits.substr(2)) : 0;
  if (hours > 23 || minutes > 59) return false;
  out = (hours * 3600 + minutes * 60) * (text[0] == '-' ? -1 : 1);
  return true;
}

}  // namespace

std::shared_ptr<const Zone> Zone::find(const std::string& name) {
  auto out = std::make_shared<Zone>();
  out->name_ = name;
  if (name == "UTC" || read_offset(name, out->offset_)) return out;
  try {
    out->table_ = date::locate_zone(name);
  } catch (const std::exception&) {
    return nullptr;
  }
  return out;
}

int64_t ZoneClock::shown(int64_t moment) {
  if (!zone_ || moment < kFirst || moment >= kEnd) return moment;
  if (!zone_->table_) return moment + zone_->offset_;
  if (moment < begin_ || moment >= end_) {
    try {
      const auto info = zone_->table_->get_info(date::sys_seconds(std::chrono::seconds(moment)));
      begin_ = info.begin.time_since_epoch().count();
      end_ = info.end.time_since_epoch().count();
      offset_ = info.offset.count();
    } catch (const std::exception&) {
      return moment;  // not to be met: the zone was found
    }
  }
  return moment + offset_;
}

}  // namespace maeil::columnar
