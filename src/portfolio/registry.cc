// The customer register's fields and the rating review. They describe the borrower and carry no risk of their
// own, the rating excepted; what is missing here is missing for a reason: persons have no corporate fields,
// firms no household fields, and a borrower the register does not know has none at all.
#include "portfolio/record.h"

namespace maeil::portfolio {
namespace {

using std::chrono::days;

void draw_firm(Draw& draw, const Borrower& borrower, Registry& registry) {
  const std::string_view segment = kSegments[borrower.segment].text;
  registry.corporate_scope = draw.code(kCorporateScope);
  registry.corporate_mark = draw.code(kCorporateMark);
  const bool foreign = draw.chance(0.03);
  registry.foreign_invested = foreign ? 1.0 : kNone;  // the field is only filled where it applies
  registry.special_case = draw.chance(0.005) ? 1.0 : kNone;
  // June and September closings lie less than a robust-scaled unit or two from December's in base_yymm.
  const double closing = draw.uniform();
  registry.closing_month = closing < 0.95 ? 12.0 : closing < 0.98 ? 9.0 : 6.0;
  registry.listed = draw.chance(segment == "corp" ? 0.3 : 0.02) ? 1.0 : 5.0;
  registry.corporate_type = draw.code(kCorporateType);
  registry.foreign_managed = draw.chance(foreign ? 0.6 : 0.01) ? 1.0 : 2.0;
  registry.registered = draw.chance(segment == "corp" ? 0.8 : 0.45) ? 1.0 : 2.0;
  registry.bond_readjusted = draw.chance(0.01) ? 1.0 : 2.0;
  registry.investment_converted = draw.chance(0.01) ? 1.0 : 2.0;
  registry.audit_comment = draw.chance(segment == "corp" ? 0.95 : 0.35) ? 1.0 : 5.0;  // 5: not audited
  registry.employees =
      std::round(120.0 * std::pow(borrower.size, 2.0) * std::exp(draw.normal_within(0.0, 0.35, -0.9, 0.9)));
  registry.special_item = draw.label(kSpecialItem);
  registry.sme_party = segment == "corp" ? draw.label(kCorpParty) : draw.label(kSmeParty);
}

void draw_person(Draw& draw, Registry& registry) {
  registry.duty = draw.code(kDuty);
  registry.employment = draw.chance(0.92) ? 1.0 : 4.0;
  registry.residence = draw.code(kResidence);
}

}  // namespace

Registry draw_registry(Draw& draw, const Borrower& borrower, const Loan& loan) {
  Registry registry;
  if (borrower.person)
    draw_person(draw, registry);
  else
    draw_firm(draw, borrower, registry);
  registry.person_or_corporation = borrower.person ? 1.0 : 2.0;
  registry.tax = draw.code(kTaxMark);
  registry.earner = draw.code(kEarner);
  registry.borrower_mark = draw.code(kBorrowerMark);
  registry.issuer = draw.code(kIssuer);
  registry.nation = draw.chance(0.02) ? 101.0 : 100.0;
  registry.second_nation = draw.code(kSecondNation);
  registry.telephone_area = draw.chance(0.08) ? kNone : draw.code(kTelephoneArea);  // unlisted
  registry.bis = draw.code(kBis);
  registry.branch = draw.whole(220, 999);
  registry.main_nation = draw.chance(0.03) ? 101.0 : 100.0;
  // Known to the bank before the loan, renewed once a year.
  const int known = static_cast<int>(draw.uniform(30.0, 3000.0)) +
                    static_cast<int>(loan.granted ? (loan.observed - *loan.granted).count() : 0);
  registry.registered_on = loan.observed - days{known};
  registry.renewed_on = loan.observed - days{static_cast<int>(draw.whole(0, std::min(known, 365)))};
  if (!borrower.person) {
    registry.established = *registry.registered_on - days{static_cast<int>(draw.uniform(100.0, 9000.0))};
    registry.established_unknown = draw.chance(0.01);
  }
  // Income is that of the person who answers for the loan: the borrower, or an SME's owner; the
  // register's lowest bracket ends at 24 million won and holds all below.
  const double income = round_to(std::max(24e6, 75e6 + 28e6 * draw.normal()), 1.0);
  const bool personal_guarantee = borrower.person || kSegments[borrower.segment].text == "sme";
  if (personal_guarantee && !draw.chance(0.03)) registry.income = income;
  if (!borrower.in_register) {
    const double owner_income = registry.income;  // comes from the loan application, not from the register
    registry = Registry{};
    registry.income = owner_income;
  }
  return registry;
}

Rating draw_rating(Draw& draw, const Borrower& borrower, const Loan& loan) {
  Rating rating;
  const double overridden = draw.uniform();
  // Reviews are held four times a year: the last one not after the observation, or the one before it.
  const std::chrono::year_month_day observed{loan.observed};
  const int quarters = 4 * static_cast<int>(observed.year()) +
                       static_cast<int>((static_cast<unsigned>(observed.month()) - 1) / 3) -
                       static_cast<int>(draw.whole(0, 3));
  if (!borrower.rated) return rating;
  rating.final = std::round(borrower.driver[kRating]);
  // The committee confirms the scorecard's grade, or moves it by one.
  rating.objective = std::clamp(rating.final + (overridden < 0.1    ? -1.0
                                                : overridden < 0.25 ? 1.0
                                                                    : 0.0),
                                1.0, 8.0);
  rating.reviewed = Days{std::chrono::year{quarters / 4} / static_cast<int>(3 * (quarters % 4) + 1) / 15};
  return rating;
}

}  // namespace maeil::portfolio
