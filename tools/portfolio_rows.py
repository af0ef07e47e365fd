"""Rows of the simulated book as maeil prepares them, for the studies beside this file. Needs numpy, pandas."""
import re

import numpy as np
import pandas as pd

TARGET = "DLNQ_1M_FLG"
TRUTH = "true_pd"  # of --with-truth; no column of the book's
TEXT = ["seg", "acct_titl_cd", "PRODUCT_GB", "biz_gb", "BIZ_GB_NEW", "spclty_itm_mk_cd", "brr_dt", "wb_sme_party_mk_cd", "NEW_EXIT_GB"]
DATES = ["STD_DATE_NEW", "init_loan_dt", "loan_deadln_dt", "corp_estblsh_day", "init_regist_dt", "lst_renew_dt"]
LEAKING = re.compile(r"^(AF|BF)_(CRG|KIFRS_ADJ_(NRML|SM|FXD_UNDER)|(NRML|SM|FXD_UNDER)_RATIO|ASSET_QUALITY|DLNQNCY_DAY_CNT|BNKRUT_CORP_FLG"
                     r"|BOND_ADJUST_FLG|NO_PRFT_LOAN_MK|NO_PRFT_LOAN_CAND_FLG)$|^(QUAL|NRML|SM|FXD_UNDER)_CHG$")


def read(path):
    """Raw rows -> (categories as text, numbers with NaN, label)."""
    raw = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    missing = raw.eq("")
    flags = missing.replace({True: "Null", False: "Notnull"}).add_suffix("_isnull")
    text = raw[TEXT].mask(missing[TEXT], "NA")
    text["biz_gb"] = text["biz_gb"].where(text["biz_gb"] == "NA", text["biz_gb"].str[:3].str.lower())
    day = {c: pd.to_datetime(raw[c].str.title(), format="%d%b%Y", errors="coerce") for c in DATES}
    std = day["STD_DATE_NEW"]
    counts = {"cnt_days_since_0101": std - pd.Timestamp("2024-01-01"), "cnt_days_from_init": std - day["init_loan_dt"],
              "cnt_days_until_dead": day["loan_deadln_dt"] - std, "cnt_days_total": day["loan_deadln_dt"] - day["init_loan_dt"],
              "cnt_days_regist": std - day["init_regist_dt"], "cnt_days_renew": std - day["lst_renew_dt"]}
    names = [c for c in raw if c not in TEXT + DATES + [TARGET, TRUTH] and not LEAKING.match(c)]
    numbers = raw[names].mask(missing[names]).astype(float).assign(**{k: v.dt.days for k, v in counts.items()})
    return pd.concat([text, flags], axis=1), numbers, (raw[TARGET] == "Y").to_numpy(int)


class Preparation:
    """Fitted on one file: vocabularies, most frequent values, medians, IQRs."""

    def __init__(self, text, numbers):
        self.columns = [c for c in text if text[c].nunique() > 1 or not c.endswith("_isnull")]
        self.vocabulary = {c: {v: i for i, v in enumerate(sorted(text[c].unique()))} for c in self.columns}
        self.frequent = numbers.apply(lambda c: c.mode().iloc[0])
        filled = numbers.fillna(self.frequent)
        self.median = filled.median()
        iqr = filled.quantile(0.75) - filled.quantile(0.25)
        self.iqr = iqr.where(iqr > 0, 1.0)

    def __call__(self, text, numbers):
        """Codes (unknown: one past the vocabulary) and robust-scaled numbers."""
        codes = np.stack([text[c].map(self.vocabulary[c]).fillna(len(self.vocabulary[c])).to_numpy(int) for c in self.columns], axis=1)
        return codes, ((numbers.fillna(self.frequent) - self.median) / self.iqr).to_numpy(np.float32)

    @property
    def sizes(self):
        return [len(v) + 1 for v in self.vocabulary.values()]
