// The clock of a time zone: what it shows at a moment.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace date {
class time_zone;
}

namespace maeil::columnar {

// Immutable, so threads may share it.
class Zone {
 public:
  // "Asia/Seoul" of the system's table, "UTC", "+09:00"; null where there is none of the name.
  static std::shared_ptr<const Zone> find(const std::string& name);
  const std::string& name() const { return name_; }

 private:
  friend class ZoneClock;
  std::string name_;
  const date::time_zone* table_ = nullptr;  // none: always `offset_`
  int64_t offset_ = 0;                      // seconds
};

// Keeps the offset that it used last, which is most often the next one's. Not thread safe.
class ZoneClock {
 public:
  // `zone` null: shows the moments as they are. It must outlive the clock.
  explicit ZoneClock(const Zone* zone) : zone_(zone) {}
  // Seconds since 1970 that the clock shows at a moment. Moments outside of the years 1 to 9999 stay as they
  // are.
  int64_t shown(int64_t moment);

 private:
  const Zone* zone_;
  int64_t begin_ = 0, end_ = 0, offset_ = 0;  // of the moments with this offset
};

}  // namespace maeil::columnar
