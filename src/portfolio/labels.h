// What the text and code columns may say, with weights: the vocabularies of the seed's checkpoints, and KSIC
// (Korean standard industry) classes for each industry group. A weight is a share within its table.
#pragma once

#include <array>
#include <string_view>

#include "portfolio/draw.h"

namespace maeil::portfolio {

// Segments: how big their standard credit line is (million won), whether the borrower is a person, and the
// share that files statements. Lines differ little, so that a balance reads as utilisation.
struct Segment {
  std::string_view text;
  double weight, line, files_statements;
  bool person;
};
constexpr std::array<Segment, 6> kSegments = {{
    {"corp", 0.28, 1080.0, 1.00, false},
    {"sme", 0.52, 1000.0, 0.95, false},  // the smallest are exempt from filing
    {"etc", 0.05, 1000.0, 0.80, false},  // associations, schools, public bodies
    {"indi", 0.08, 940.0, 0.0, true},    // sole proprietors
    {"HOUSEHOLD", 0.05, 920.0, 0.0, true},
    {"card", 0.02, 900.0, 0.0, true},
}};

// Industry groups: share among firms, effect on the default score (strain), whether the sector shock hits
// them.
struct Sector {
  std::string_view text;
  double weight, effect;
  bool cyclical;
  std::array<std::string_view, 3> classes;
};
constexpr std::array<Sector, 24> kSectors = {{
    {"C10/11", 0.010, -0.05, false, {"C10712", "C11201", "C10742"}},
    {"C10/C11", 0.045, -0.05, false, {"C10795", "C10309", "C11122"}},
    {"C13/14/15", 0.030, 0.08, false, {"C13213", "C14111", "C15129"}},
    {"C19", 0.008, -0.08, false, {"C19210", "C19229", "C19221"}},
    {"C20", 0.040, -0.05, false, {"C20412", "C20119", "C20499"}},
    {"C21", 0.020, -0.12, false, {"C21210", "C21102", "C21300"}},
    {"C241", 0.020, 0.00, false, {"C24112", "C24122", "C24191"}},
    {"C242/243", 0.018, 0.03, false, {"C24212", "C24311", "C24321"}},
    {"C25", 0.060, 0.04, false, {"C25924", "C25113", "C25999"}},
    {"C261", 0.020, -0.12, false, {"C26111", "C26121", "C26112"}},
    {"C262-266", 0.040, -0.05, false, {"C26299", "C26429", "C26519"}},
    {"C27/28/29", 0.085, 0.00, false, {"C27213", "C28114", "C29271"}},
    {"C30", 0.050, 0.03, false, {"C30399", "C30332", "C30320"}},
    {"C31", 0.030, 0.10, false, {"C31111", "C31321", "C31114"}},
    {"C기타제조업", 0.055, 0.02, false, {"C22299", "C33999", "C18119"}},
    {"F/L", 0.085, 0.12, true, {"F41221", "F42201", "L68122"}},
    {"G", 0.130, 0.02, false, {"G46413", "G47219", "G45110"}},
    {"H운송", 0.040, 0.05, false, {"H49302", "H50111", "H52102"}},
    {"I", 0.040, 0.12, false, {"I56111", "I55101", "I56114"}},
    {"K64", 0.015, -0.12, false, {"K64121", "K64912", "K64992"}},
    {"K65", 0.008, -0.12, false, {"K65110", "K65121", "K65303"}},
    {"K66", 0.010, -0.10, false, {"K66199", "K66121", "K66202"}},
    {"L임대", 0.100, 0.10, true, {"L68112", "L68121", "L68221"}},
    {"Z기타산업", 0.091, 0.00, false, {"S96112", "M70121", "N75210"}},
}};
constexpr size_t kOtherIndustry = 23;
// Persons without a business: the bank's own filler codes.
constexpr std::array<Label, 4> kPersonIndustry = {
    {{"S00000", 0.5}, {"R00000", 0.15}, {"R000", 0.05}, {"", 0.3}}};

// Month ends of the observation year and the won per dollar of each.
struct MonthEnd {
  unsigned month, day;
  double won;
};
constexpr std::array<MonthEnd, 12> kMonthEnds = {{{1, 31, 1334.6},
                                                  {2, 29, 1331.5},
                                                  {3, 31, 1346.8},
                                                  {4, 30, 1382.0},
                                                  {5, 31, 1384.5},
                                                  {6, 30, 1376.7},
                                                  {7, 31, 1376.5},
                                                  {8, 31, 1335.3},
                                                  {9, 30, 1319.6},
                                                  {10, 31, 1379.9},
                                                  {11, 30, 1394.7},
                                                  {12, 31, 1470.0}}};

constexpr std::array<Code, 8> kSecuredTitles = {
    {{1201, 4}, {1205, 3}, {1210, 2}, {1222, 2}, {1231, 1.5}, {1240, 1}, {1255, 1}, {1262, 0.5}}};
constexpr std::array<Code, 8> kUnsecuredTitles = {
    {{1485, 4}, {1490, 2}, {1501, 2}, {1518, 1.5}, {1525, 1}, {1533, 1}, {1550, 0.7}, {1571, 0.5}}};
constexpr std::array<Code, 6> kPersonTitles = {
    {{2068, 3}, {2075, 2}, {2101, 1.5}, {2118, 1}, {2125, 0.8}, {2518, 0.7}}};
// What the rate is tied to: fixed, certificates of deposit, COFIX, bank bonds ...
constexpr std::array<Code, 8> kRateCodes = {
    {{2, 1}, {9, 1.5}, {17, 2}, {20, 2.5}, {24, 2.5}, {30, 2}, {36, 1}, {43, 0.5}}};

constexpr std::array<Code, 7> kCorporateScope = {
    {{9, 0.1}, {4, 0.35}, {1, 0.2}, {2, 0.2}, {3, 0.1}, {6, 0.03}, {5, 0.02}}};
constexpr std::array<Code, 7> kCorporateMark = {
    {{1, 0.83}, {2, 0.07}, {9, 0.03}, {7, 0.03}, {6, 0.02}, {4, 0.01}, {3, 0.01}}};
constexpr std::array<Code, 4> kTaxMark = {{{2, 0.58}, {1, 0.35}, {9, 0.06}, {3, 0.01}}};
constexpr std::array<Code, 7> kEarner = {
    {{111, 0.28}, {115, 0.2}, {122, 0.2}, {134, 0.14}, {140, 0.1}, {158, 0.05}, {201, 0.03}}};
constexpr std::array<Code, 4> kBorrowerMark = {{{3, 0.56}, {2, 0.28}, {1, 0.09}, {8, 0.07}}};
constexpr std::array<Code, 6> kIssuer = {
    {{5, 0.05}, {10, 0.15}, {14, 0.3}, {17, 0.25}, {20, 0.15}, {25, 0.1}}};
constexpr std::array<Code, 5> kSecondNation = {
    {{100, 0.8}, {101, 0.15}, {102, 0.03}, {103, 0.01}, {104, 0.01}}};
constexpr std::array<Code, 10> kTelephoneArea = {{{2, 0.3},
                                                  {31, 0.25},
                                                  {32, 0.08},
                                                  {41, 0.06},
                                                  {42, 0.05},
                                                  {51, 0.08},
                                                  {53, 0.06},
                                                  {55, 0.05},
                                                  {62, 0.04},
                                                  {64, 0.03}}};
constexpr std::array<Code, 7> kBis = {
    {{58, 0.02}, {59, 0.06}, {60, 0.18}, {61, 0.29}, {62, 0.28}, {63, 0.13}, {64, 0.04}}};
constexpr std::array<Code, 3> kCorporateType = {{{1, 0.7}, {2, 0.27}, {3, 0.03}}};
constexpr std::array<Label, 6> kSpecialItem = {
    {{"8", 0.93}, {"1", 0.02}, {"2", 0.02}, {"3", 0.01}, {"5", 0.01}, {"7", 0.01}}};
constexpr std::array<Label, 12> kSmeParty = {{{"SME", 0.62},
                                              {"KMN", 0.12},
                                              {"SMEWM", 0.06},
                                              {"SMEPrB", 0.04},
                                              {"KMNR", 0.04},
                                              {"MMC", 0.03},
                                              {"MMCR", 0.02},
                                              {"FCC", 0.02},
                                              {"FMN", 0.02},
                                              {"GMN", 0.01},
                                              {"SL", 0.01},
                                              {"ICC", 0.01}}};
constexpr std::array<Label, 10> kCorpParty = {{{"LCC", 0.62},
                                               {"LCCF", 0.1},
                                               {"BNK", 0.08},
                                               {"SEC", 0.05},
                                               {"SECR", 0.03},
                                               {"CCCK", 0.04},
                                               {"FCCR", 0.03},
                                               {"GOV", 0.02},
                                               {"GOVR", 0.01},
                                               {"EEEK", 0.02}}};
constexpr std::array<Code, 4> kDuty = {{{5, 0.73}, {2, 0.15}, {4, 0.1}, {3, 0.02}}};
constexpr std::array<Code, 5> kResidence = {{{1, 0.58}, {5, 0.29}, {2, 0.06}, {4, 0.05}, {3, 0.02}}};
// Credit risk grade by the final rating 1..7: two neighbours each, the second for the weaker half.
constexpr std::array<std::array<std::string_view, 2>, 7> kRiskGrades = {
    {{"3A", "5A"}, {"5B", "6A"}, {"6B", "7A"}, {"8A", "8B"}, {"9A", "9B"}, {"10A", "10B"}, {"12B", "14A"}}};
constexpr std::string_view kPersonRiskGrade = "11B";

}  // namespace maeil::portfolio
