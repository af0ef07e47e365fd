// Who borrows: segment, industry, size; and of the separable book what the bank has on file, hidden strain,
// and the seven risk drivers it shows in.
#include "portfolio/record.h"

namespace maeil::portfolio {

bool has_driver(const Borrower& borrower, DriverId id) {
  switch (id) {
    case kRating:
      return borrower.rated;
    case kPrice:
      return borrower.price_known;
    case kLeverage:
    case kCoverage:
      return borrower.files_statements;
    case kCollateral:
      return borrower.secured;
    case kAge:
      return borrower.origin_known;
    default:
      return true;
  }
}

namespace {

// Strain shows the stronger the fewer drivers the bank has, so that the score is centred on strain for
// everybody.
void draw_drivers(Draw& draw, Borrower& borrower) {
  double weight = 0.0;
  for (size_t id = 0; id < kDriverCount; ++id) {
    if (has_driver(borrower, static_cast<DriverId>(id))) weight += kDrivers[id].weight;
  }
  for (size_t id = 0; id < kDriverCount; ++id) {
    const Driver& driver = kDrivers[id];
    const double shown = borrower.strain / weight + driver.noise * draw.normal();
    const double value = std::clamp(driver.centre + driver.unit * shown, driver.lowest, driver.highest);
    borrower.driver[id] = has_driver(borrower, static_cast<DriverId>(id)) ? value : kNone;
  }
}

}  // namespace

Borrower draw_identity(Draw& draw) {
  Borrower borrower;
  borrower.segment = draw.index(kSegments);
  const Segment& segment = kSegments[borrower.segment];
  borrower.person = segment.person;
  const size_t sector = draw.index(kSectors);
  const size_t industry_class = static_cast<size_t>(draw.whole(0, 2));
  const std::string_view person_class = draw.label(kPersonIndustry);
  const bool in_business = !segment.person || segment.text == "indi";
  borrower.sector = in_business ? sector : kOtherIndustry;
  borrower.industry_class = in_business ? kSectors[sector].classes[industry_class] : person_class;
  // Narrow on purpose: amounts then read nearly as ratios do, and the filing rules cut both tails anyway.
  borrower.size = std::exp(draw.normal_within(0.0, 0.16, -0.4, 0.4));
  return borrower;
}

Borrower draw_borrower(Draw& draw) {
  Borrower borrower = draw_identity(draw);
  const Segment& segment = kSegments[borrower.segment];
  borrower.files_statements = draw.chance(segment.files_statements);
  borrower.rated = !draw.chance(segment.person ? kUnratedPerson : kUnratedFirm);
  borrower.in_register = !draw.chance(kNoPartyRecord);
  borrower.secured = draw.chance(kSecured);
  borrower.price_known = !draw.chance(kPriceUnknown);
  borrower.origin_known = !draw.chance(kOriginUnknown);
  const StrainGroup& group = kStrain[draw.index(kStrain)];
  borrower.strain = group.centre + group.spread * draw.normal();
  draw_drivers(draw, borrower);
  return borrower;
}

}  // namespace maeil::portfolio
