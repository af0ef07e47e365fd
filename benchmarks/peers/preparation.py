"""The Python stack's preparation with pandas and scikit-learn: the peer of src/prep.

    preparation.py IN.csv OUT.csv FEATURE_MAP.json MODEL.pth      values fitted with the model, as maeil uses them
    preparation.py IN.csv OUT.csv FEATURE_MAP.json --fit          its own encoders, imputer and scaler, as the stack refits daily

Prints {"versions"}; then, for every line on stdin, reads, prepares, writes and prints {"seconds": ...}.
"""
import json
import sys
import time

import numpy as np
import pandas as pd
import sklearn
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import LabelEncoder, OrdinalEncoder, RobustScaler

TARGET = "DLNQ_1M_FLG"
KEPT_DATES = ("corp_estblsh_day", "init_regist_dt", "lst_renew_dt")


def read(path, feature_map):
    text = [f["name"] for f in feature_map["categorical"] if not f["name"].endswith("_isnull")]
    return pd.read_csv(path, dtype={c: str for c in text}, keep_default_na=False, na_values=[""], encoding="utf-8-sig")


def add_features(d, feature_map):
    """Flags, categories as text, day counts, dates: steps 1 to 5 of the stack's preparation. Returns (categories, numbers, dates)."""
    parsed = {c: pd.to_datetime(d[c].str.title(), format="%d%b%Y", errors="coerce")
              for c in ("STD_DATE_NEW", "init_loan_dt", "loan_deadln_dt", *KEPT_DATES)}
    start, days = pd.Timestamp("2024-01-01"), {}
    for name, later, earlier in (("cnt_days_since_0101", "STD_DATE_NEW", None), ("cnt_days_from_init", "STD_DATE_NEW", "init_loan_dt"),
                                 ("cnt_days_until_dead", "loan_deadln_dt", "STD_DATE_NEW"), ("cnt_days_total", "loan_deadln_dt", "init_loan_dt"),
                                 ("cnt_days_regist", "STD_DATE_NEW", "init_regist_dt"), ("cnt_days_renew", "STD_DATE_NEW", "lst_renew_dt")):
        days[name] = (parsed[later] - (parsed[earlier] if earlier else start)).dt.days
    categories = {}
    for feature in feature_map["categorical"]:
        name = feature["name"]
        if name.endswith("_isnull"):
            column = name.removesuffix("_isnull")
            missing = d[column].isna() if column in d else pd.Series(True, index=d.index)
            categories[name] = np.where(missing, "Null", "Notnull")
            continue
        values = d[name].fillna("NA")
        categories[name] = values.str[:3].str.lower() if name == "biz_gb" else values
    numbers = {c: days[c] if c in days else d[c] for c in feature_map["numeric"]}
    dates = {c: parsed[c].fillna(start) if c == "corp_estblsh_day" else parsed[c] for c in KEPT_DATES}
    return pd.DataFrame(categories, index=d.index), pd.DataFrame(numbers, index=d.index), pd.DataFrame(dates, index=d.index)


def with_fitted(categories, numbers, fitted):
    """Scikit-learn's encoder, imputer and scaler, given the values that the model was fitted with."""
    features = [f for f in fitted["categorical"] if f["vocabulary"]]
    encoder = OrdinalEncoder(categories=[np.array(f["vocabulary"], object) for f in features], handle_unknown="use_encoded_value", unknown_value=-1)
    names = [f["name"] for f in features]
    encoder.fit(pd.DataFrame({f["name"]: [f["vocabulary"][0]] for f in features}, dtype=object))
    codes = pd.DataFrame(encoder.transform(categories[names].astype(object)).astype(int), columns=names)
    codes = codes.reindex(columns=[f["name"] for f in fitted["categorical"]], fill_value=-1)
    value = lambda key: np.array([float(f[key]) for f in fitted["numeric"]])
    imputer, scaler = SimpleImputer(strategy="most_frequent", keep_empty_features=True), RobustScaler()
    imputer.fit(value("most_frequent")[None])
    scaler.fit(value("median")[None])
    scaler.scale_ = value("iqr")
    return codes, pd.DataFrame(scaler.transform(imputer.transform(numbers.to_numpy(float))), columns=numbers.columns)


def with_fit(categories, numbers):
    codes = pd.DataFrame({name: LabelEncoder().fit_transform(categories[name]) for name in categories})
    x = SimpleImputer(strategy="most_frequent", keep_empty_features=True).fit_transform(numbers.to_numpy(float))
    return codes, pd.DataFrame(RobustScaler().fit_transform(x), columns=numbers.columns)


def prepare(d, feature_map, fitted=None):
    categories, numbers, dates = add_features(d, feature_map)
    codes, scaled = with_fitted(categories, numbers, fitted) if fitted else with_fit(categories, numbers)
    return codes, scaled, (d[TARGET] == "Y").astype(int), dates


def write(path, codes, scaled, label, dates):
    pd.concat([codes, scaled, label.rename(TARGET), dates], axis=1).to_csv(path, index=False, encoding="utf-8-sig")


def main():
    source, out, feature_map, model = sys.argv[1:5]
    feature_map = json.load(open(feature_map))
    fitted = None
    if model != "--fit":
        import torch

        fitted = torch.load(model, weights_only=False)["metadata"]["preparation"]
    print(json.dumps({"versions": f"pandas {pd.__version__}, scikit-learn {sklearn.__version__}"}), flush=True)
    for _ in sys.stdin:
        begin = time.perf_counter()
        write(out, *prepare(read(source, feature_map), feature_map, fitted))
        print(json.dumps({"seconds": time.perf_counter() - begin}), flush=True)


if __name__ == "__main__":
    main()
