// The column table. Order, names and which columns may be missing are those of the seed's files; a test holds
// them against the golden sample's header and the feature map.
#include "portfolio/schema.h"

#include <array>

namespace maeil::portfolio {
namespace {

constexpr bool kNullable = true, kAlways = false;
using Number = double (*)(const Record&);
using Text = std::string_view (*)(const Record&);
using Day = Date (*)(const Record&);

constexpr ColumnSpec real(std::string_view name, bool nullable, Number read) {
  return {.name = name, .nullable = nullable, .format = NumberFormat::kFloat, .number = read};
}
constexpr ColumnSpec integer(std::string_view name, Number read) {
  return {.name = name, .nullable = kAlways, .format = NumberFormat::kInteger, .number = read};
}
constexpr ColumnSpec text(std::string_view name, bool nullable, Text read) {
  return {.name = name, .nullable = nullable, .label = read};
}
constexpr ColumnSpec day(std::string_view name, bool nullable, Day read) {
  return {.name = name, .nullable = nullable, .date = read};
}

double change(double after, double before) { return std::isnan(before) ? 0.0 : round4(after - before); }
const State& before(const Record& r) { return r.outcome.before; }
const State& after(const Record& r) { return r.outcome.after; }

#define OF(expression) [](const Record& r) { return expression; }
#define DATE(expression) [](const Record& r) -> Date { return expression; }
#define TEXT(expression) [](const Record& r) -> std::string_view { return expression; }

constexpr std::array kSchema = {
    day("STD_DATE_NEW", kAlways, DATE(r.loan.observed)),
    text("seg", kAlways, TEXT(kSegments[r.borrower.segment].text)),
    integer("acct_titl_cd", OF(r.loan.title)),
    text("PRODUCT_GB", kAlways, TEXT(r.borrower.secured ? "담보" : "신용")),
    text("biz_gb", kNullable, TEXT(r.borrower.industry_class)),
    text("BIZ_GB_NEW", kAlways, TEXT(kSectors[r.borrower.sector].text)),
    real("int_rate_cd", kNullable, OF(r.loan.rate_code)),
    real("INT_RATE", kNullable, OF(r.loan.rate)),
    day("init_loan_dt", kNullable, DATE(r.loan.granted)),
    real("DAYS_FROM_INIT", kNullable, OF(r.loan.days_from_start)),
    day("loan_deadln_dt", kNullable, DATE(r.loan.due)),
    real("DAYS_UNTIL_MATURITY", kNullable, OF(r.loan.days_to_maturity)),

    real("corp_scope_cd_detail", kNullable, OF(r.registry.corporate_scope)),
    real("corp_mk_cd", kNullable, OF(r.registry.corporate_mark)),
    real("frgn_invst_corp_mk", kNullable, OF(r.registry.foreign_invested)),
    real("spcl_case_mk", kNullable, OF(r.registry.special_case)),
    real("accntng_stlmt_mm", kNullable, OF(r.registry.closing_month)),
    day("corp_estblsh_day", kNullable,
        DATE(r.registry.established&& r.registry.established_unknown ? Date{kUnknownDate}
                                                                     : r.registry.established)),
    real("indi_corp_mk_cd", kNullable, OF(r.registry.person_or_corporation)),
    real("tax_mk_cd", kNullable, OF(r.registry.tax)),
    real("earner_mk", kNullable, OF(r.registry.earner)),
    real("brrwr_mk", kNullable, OF(r.registry.borrower_mark)),
    real("tran_issuer_mk", kNullable, OF(r.registry.issuer)),
    real("ntnl_cd1", kNullable, OF(r.registry.nation)),
    real("ntnl_cd2", kNullable, OF(r.registry.second_nation)),
    real("party_area_telno", kNullable, OF(r.registry.telephone_area)),
    day("init_regist_dt", kNullable, DATE(r.registry.registered_on)),
    day("lst_renew_dt", kNullable, DATE(r.registry.renewed_on)),
    real("bis_mk", kNullable, OF(r.registry.bis)),
    real("corp_open_mk", kNullable, OF(r.registry.listed)),
    real("corp_type_mk", kNullable, OF(r.registry.corporate_type)),
    real("frgn_admin_corp_mk", kNullable, OF(r.registry.foreign_managed)),
    real("regist_corp_mk", kNullable, OF(r.registry.registered)),
    real("bond_re_adjust_corp_flg", kNullable, OF(r.registry.bond_readjusted)),
    real("invest_cnvrsn_loan_flg", kNullable, OF(r.registry.investment_converted)),
    real("audit_cmmnt_mk", kNullable, OF(r.registry.audit_comment)),
    real("emply_cnt", kNullable, OF(r.registry.employees)),
    text("spclty_itm_mk_cd", kNullable, TEXT(r.registry.special_item)),
    real("party_mgt_brnch_no", kNullable, OF(r.registry.branch)),
    real("brr_objct_grade", kNullable, OF(r.rating.objective)),
    real("brr_fnl_grade", kNullable, OF(r.rating.final)),
    day("brr_dt", kNullable, DATE(r.rating.reviewed)),
    real("duty_cd", kNullable, OF(r.registry.duty)),
    real("emply_cd", kNullable, OF(r.registry.employment)),
    real("rsdnce_ownrshp_cd", kNullable, OF(r.registry.residence)),
    text("wb_sme_party_mk_cd", kNullable, TEXT(r.registry.sme_party)),
    real("main_op_ntnl", kNullable, OF(r.registry.main_nation)),

    text("BF_CRG", kNullable, TEXT(before(r).grade)),
    real("BF_KIFRS_ADJ_NRML", kNullable, OF(before(r).normal)),
    real("BF_KIFRS_ADJ_SM", kNullable, OF(before(r).special)),
    real("BF_KIFRS_ADJ_FXD_UNDER", kNullable, OF(before(r).under)),
    real("BF_KIFRS_ADJ_SUM", kNullable, OF(before(r).sum)),
    real("BF_NRML_RATIO", kNullable, OF(before(r).ratio(before(r).normal))),
    real("BF_SM_RATIO", kNullable, OF(before(r).ratio(before(r).special))),
    real("BF_FXD_UNDER_RATIO", kNullable, OF(before(r).ratio(before(r).under))),
    real("BF_DLNQNCY_DAY_CNT", kNullable, OF(before(r).days_past_due)),
    real("BF_BNKRUT_CORP_FLG", kNullable, OF(before(r).bankrupt)),
    real("BF_BOND_ADJUST_FLG", kNullable, OF(before(r).bond_adjusted)),
    real("BF_NO_PRFT_LOAN_MK", kNullable, OF(before(r).no_profit)),
    real("BF_NO_PRFT_LOAN_CAND_FLG", kNullable, OF(before(r).no_profit_candidate)),
    text("AF_CRG", kNullable, TEXT(after(r).grade)),
    real("AF_KIFRS_ADJ_NRML", kAlways, OF(after(r).normal)),
    real("AF_KIFRS_ADJ_SM", kAlways, OF(after(r).special)),
    real("AF_KIFRS_ADJ_FXD_UNDER", kAlways, OF(after(r).under)),
    real("AF_KIFRS_ADJ_SUM", kAlways, OF(after(r).sum)),
    integer("CLLTRL_LIQUID_BS_AMT", OF(r.ledger.collateral)),
    real("CLLTRL_RATIO", kAlways, OF(r.ledger.collateral_ratio)),
    real("AF_NRML_RATIO", kAlways, OF(after(r).ratio(after(r).normal))),
    real("AF_SM_RATIO", kAlways, OF(after(r).ratio(after(r).special))),
    real("AF_FXD_UNDER_RATIO", kAlways, OF(after(r).ratio(after(r).under))),
    real("BF_ASSET_QUALITY", kNullable, OF(before(r).quality)),
    integer("AF_ASSET_QUALITY", OF(after(r).quality)),
    integer("AF_DLNQNCY_DAY_CNT", OF(after(r).days_past_due)),
    text("DLNQ_1M_FLG", kAlways, TEXT(r.outcome.defaulted ? "Y" : "N")),
    integer("AF_BNKRUT_CORP_FLG", OF(after(r).bankrupt)),
    integer("AF_BOND_ADJUST_FLG", OF(after(r).bond_adjusted)),
    integer("AF_NO_PRFT_LOAN_MK", OF(after(r).no_profit)),
    integer("AF_NO_PRFT_LOAN_CAND_FLG", OF(after(r).no_profit_candidate)),
    text("QUAL_CHG", kAlways,
         TEXT(std::isnan(before(r).quality) || before(r).quality == after(r).quality ? "NO_CHG"
              : after(r).quality > before(r).quality                                 ? "DOWN"
                                                                                     : "UP")),
    real("NRML_CHG", kAlways, OF(change(after(r).ratio(after(r).normal), before(r).ratio(before(r).normal)))),
    real("SM_CHG", kAlways, OF(change(after(r).ratio(after(r).special), before(r).ratio(before(r).special)))),
    real("FXD_UNDER_CHG", kAlways,
         OF(change(after(r).ratio(after(r).under), before(r).ratio(before(r).under)))),
    text("NEW_EXIT_GB", kNullable, TEXT(r.loan.fresh ? "NEW" : "")),

    real("ind_income", kNullable, OF(r.registry.income)),
    real("usdkrw", kAlways, OF(r.loan.won)),
    real("base_yymm", kNullable, OF(r.statements.closing)),
    real("total_assets_this_year", kNullable, OF(r.statements.assets)),
    real("total_assets_last_year", kNullable, OF(r.statements.assets_last)),
    real("sales_this_year", kNullable, OF(r.statements.sales)),
    real("sales_last_year", kNullable, OF(r.statements.sales_last)),
    real("current_assets", kNullable, OF(r.statements.current_assets)),
    real("current_liabilities", kNullable, OF(r.statements.current_liabilities)),
    real("cash_and_cash_equivalents", kNullable, OF(r.statements.cash)),
    real("interest_expense", kNullable, OF(r.statements.interest)),
    real("net_income_this_year", kNullable, OF(r.statements.net_income)),
    real("operating_profit_this_year", kNullable, OF(r.statements.operating_profit)),
    real("operating_income_last_year", kNullable, OF(r.statements.operating_profit_last)),
    real("operating_cash_flow", kNullable, OF(r.statements.cash_flow)),
    real("debt", kNullable, OF(r.statements.debt)),

    real("true_pd", kAlways, OF(r.outcome.probability)),  // the last: schema() leaves it out
};
#undef OF
#undef DATE
#undef TEXT

}  // namespace

std::span<const ColumnSpec> schema(bool with_truth) {
  return std::span<const ColumnSpec>(kSchema).first(kSchema.size() - (with_truth ? 0 : 1));
}

}  // namespace maeil::portfolio
