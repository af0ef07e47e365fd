// The realistic book's borrower: one bell of strain, drivers that show it weakly, and files that are the
// emptier the weaker the firm is.
#include "portfolio/realistic_parameters.h"
#include "portfolio/record.h"

namespace maeil::portfolio {

Borrower draw_realistic_borrower(Draw& draw) {
  Borrower borrower = draw_identity(draw);
  borrower.strain = draw.normal();
  std::array<double, kDriverCount> shown{};
  for (size_t id = 0; id < kDriverCount; ++id) {
    const Driver& driver = kDrivers[id];
    shown[id] = kShowing[id].load * borrower.strain + kShowing[id].noise * draw.normal();
    borrower.driver[id] = std::clamp(driver.centre + driver.unit * shown[id], driver.lowest, driver.highest);
  }
  const double weakness = 0.5 * (shown[kLeverage] + shown[kCoverage]);
  borrower.files_statements = draw.chance(
      borrower.person ? 0.0 : logistic(kFilingLogOdds[borrower.segment] - kFilingSlope * weakness));
  borrower.rated = draw.chance(borrower.person ? 1.0 - kUnratedPerson
                                               : logistic(kRatedLogOdds - kRatedSlope * shown[kRating]));
  borrower.in_register = !draw.chance(kNoPartyRecord);
  borrower.secured = draw.chance(kSecured);
  borrower.price_known = !draw.chance(kPriceUnknown);
  borrower.origin_known = !draw.chance(kOriginUnknown);
  for (size_t id = 0; id < kDriverCount; ++id) {
    if (!has_driver(borrower, static_cast<DriverId>(id))) borrower.driver[id] = kNone;
  }
  return borrower;
}

}  // namespace maeil::portfolio
