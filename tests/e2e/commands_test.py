"""Every command of the contract: its help has an example, its --json is JSON, its result is what its name says."""
import csv
import html
import json
import math
import os
import subprocess
import unittest

from harness import BINARY, GOLDEN, SEED, Workspace, needs
from small_model import small_model

COMMANDS = ["run", "schedule", "backfill", "generate", "fit", "preprocess", "train", "predict", "evaluate", "model list", "model show",
            "model document", "model import", "model export", "model approve", "model deploy", "model rollback", "model history", "model scorecard",
            "model logits", "db", "dag list", "dag show", "dag export", "task", "runs", "logs", "prune", "doctor", "metrics", "report", "report quality",
            "store copy"]


class Help(unittest.TestCase):
    def test_every_command_explains_itself_with_an_example(self):
        for command in COMMANDS:
            with self.subTest(command=command):
                done = subprocess.run([BINARY, *command.split(), "--help"], capture_output=True, text=True)
                self.assertEqual(done.returncode, 0)
                self.assertIn(f"maeil {command}", done.stdout)
                self.assertIn("--json", done.stdout)


class RealFiles(unittest.TestCase):
    """The Python stack's own checkpoints: what is bound to them, what they hold, what PyTorch answers with them."""

    def setUp(self):
        needs(SEED)
        needs(GOLDEN)
        self.work = self.enterContext(Workspace(DISTRIBUTION_MODEL=SEED / "distribution_model.pkl", DATA_QUANTITY=200, FINETUNE_EPOCHS=1,
                                                MIN_POSITIVES=1))
        self.imported = json.loads(self.work.run("model", "import", SEED / "finetuned_model_f.pth", "--json", expect=0).stdout)

    def test_an_import_names_the_features_that_nothing_binds(self):
        self.work.run("model", "import", SEED / "pretrained_model_f.pth", expect=0)
        self.assertEqual({v["model_name"] for v in self.work.find("model_metadata")},
                         {"default_prediction_encoder", "default_prediction_classifier"})
        unbound = json.dumps(self.imported)
        for feature in ("acct_titl_cd", "biz_gb", "brr_dt", "spclty_itm_mk_cd"):
            self.assertIn(feature, unbound)

    def test_export_holds_the_imported_weights(self):
        self.work.run("model", "export", self.imported["model_version"], "--out", "exported.pth", expect=0)
        code = ("import torch,sys; a=torch.load(sys.argv[1]); b=torch.load(sys.argv[2]); b=b.get('model_state_dict',b);"
                "assert list(a)==list(b); assert all(torch.equal(a[k],b[k]) for k in a)")
        done = subprocess.run(["/usr/bin/python3", "-c", code, SEED / "finetuned_model_f.pth", self.work.folder / "exported.pth"],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_logits_match_pytorch(self):
        for model in (SEED / "finetuned_model_f.pth", self.imported["model_version"]):
            done = self.work.run("model", "logits", model, "--cat", GOLDEN / "classifier_cat.csv", "--num", GOLDEN / "classifier_num.csv",
                                 expect=0)
            got = [[float(x) for x in line.split(",")] for line in done.stdout.split()]
            want = [[float(x) for x in line.split(",")] for line in (GOLDEN / "classifier_logits.csv").read_text().split()]
            self.assertEqual(len(got), len(want))
            worst = max(abs(a - b) for g, w in zip(got, want) for a, b in zip(g, w))
            self.assertLess(worst, 1e-4)

    def test_a_day_on_the_real_model_and_its_distribution_ends_in_an_alert(self):
        self.work.run("run", "--date", "2026-11-20", expect=4)
        alert, = self.work.find("alerts")
        self.assertEqual((alert["retry_attempts"], alert["original_model_id"]),
                         (3, self.work.find("model_metadata", {"model_version": self.imported["model_version"]})[0]["_id"]["$oid"]))


class Commands(unittest.TestCase):
    """One workspace with the small model imported and two days run on the copula."""

    @classmethod
    def setUpClass(cls):
        cls.files = small_model()
        cls.work = Workspace(DISTRIBUTION_MODEL=cls.files.distribution, DATA_QUANTITY=200, FINETUNE_EPOCHS=1, MIN_POSITIVES=1)
        cls.imported = cls.json("model", "import", cls.files.classifier)
        cls.json("model", "import", cls.files.encoder)
        cls.work.run("run", "--date", "2026-11-19", F1_THRESHOLD=0, expect=0)
        cls.work.run("run", "--date", "2026-11-20", expect=4)

    @classmethod
    def tearDownClass(cls):
        cls.work.__exit__()

    @classmethod
    def json(cls, *arguments, expect=0, **settings):
        return json.loads(cls.work.run(*arguments, "--json", expect=expect, **settings).stdout)

    def test_imports_say_what_they_are(self):
        versions = {v["model_name"] for v in self.json("model", "list") if v["model_version"]}
        self.assertEqual(versions, {"default_prediction_encoder", "default_prediction_classifier"})

    def test_export_is_the_imported_file_bit_for_bit(self):
        self.work.run("model", "export", self.imported["model_version"], "--out", "exported.pth", expect=0)
        self.assertEqual((self.work.folder / "exported.pth").read_bytes(), self.files.classifier.read_bytes())

    def test_generate_is_the_same_bytes_at_any_thread_count(self):
        contents = set()
        for threads in (1, 2, 3):
            self.work.run("generate", "--num-rows", 3000, "--out", "g.csv", "--seed", 7, "--threads", threads, expect=0)
            contents.add((self.work.folder / "g.csv").read_bytes())
        self.assertEqual(len(contents), 1)
        content = contents.pop()
        self.assertTrue(content.startswith(b"\xef\xbb\xbfSTD_DATE_NEW,"))
        self.work.run("generate", "--num-rows", 3000, "--out", "g.csv", "--seed", 8, expect=0)
        self.assertNotEqual((self.work.folder / "g.csv").read_bytes(), content)

    def test_the_realistic_book_and_its_truth(self):
        def rows(*arguments, expect=0, **settings):
            out = ("--num-rows", 3000, "--out", "b.csv", *(() if "--model" in arguments else ("--date", "2026-01-05")))
            done = self.work.run("generate", *out, *arguments, expect=expect, DISTRIBUTION_MODEL="", **settings)
            return (self.work.folder / "b.csv").read_text(encoding="utf-8-sig").splitlines() if expect == 0 else done.stderr
        plain, truth = rows("--book", "realistic"), rows("--book", "realistic", "--with-truth")
        self.assertEqual([line.rpartition(",")[0] for line in truth], plain)
        self.assertTrue(truth[0].endswith(",debt,true_pd"), truth[0][-40:])
        self.assertTrue(all(0 < float(line.rpartition(",")[2]) < 1 for line in truth[1:]))
        self.assertEqual(rows(BOOK="realistic"), plain)
        self.assertEqual(rows("--book", "separable", BOOK="realistic"), rows())
        self.assertNotEqual(rows(), plain)
        self.assertIn("{separable,realistic}", rows("--book", "imaginary", expect=2))
        self.assertIn("--book realistic", rows("--with-truth", expect=2))
        self.assertIn("leave it out", rows("--book", "realistic", "--model", self.files.distribution, expect=2))
        self.assertIn("BOOK must be", rows(BOOK="imaginary", expect=2))
        help_text = self.work.run("generate", "--help", expect=0).stdout
        self.assertIn("--book", help_text)
        self.assertIn("--with-truth", help_text)

    def test_a_day_of_the_realistic_book(self):
        with Workspace(BOOK="realistic", NUM_LAYERS=1, D_MODEL=8, NHEAD=2, DIM_FEEDFORWARD=16, EPOCHS=1, DATA_QUANTITY=3000,
                       F1_THRESHOLD=0, MIN_POSITIVES=1) as work:
            work.run("train", "--train", "--rows", 1500, expect=0)
            done = work.run("run", "--date", "2026-01-05", expect=0)
            self.assertIn("3000 rows from portfolio (realistic), calm", done.stdout)
            raw, = work.find("raw_data")
            self.assertEqual((raw["source"], raw["columns"]), ("portfolio (realistic)", 99))
            redo = work.run("redo", "2026-01-05", "--dry-run", BOOK="separable", expect=0)
            self.assertIn("drawn from portfolio, they were drawn from portfolio (realistic)", redo.stdout + redo.stderr)
            work.run("generate", "--num-rows", 3000, "--with-truth", "--out", "truth.csv", expect=0)
            with open(work.folder / "truth.csv", encoding="utf-8-sig") as f:
                self.assertIn("true_pd", f.readline())
            for command in ("preprocess", "predict"):  # what knows the dataset passes over it
                model = ("--model", "models/deployed/current_model.pth") if command == "predict" else ()
                work.run(command, *model, "--in", "truth.csv", "--out", "made.csv", expect=0)
                self.assertNotIn("true_pd", (work.folder / "made.csv").read_text(encoding="utf-8-sig").splitlines()[0])

    def test_log_level_chooses_what_standard_error_says(self):
        def said(level):
            with Workspace(DATA_QUANTITY=100, LOG_LEVEL=level) as other:
                return other.run("task", "data_pipeline_dag", "generate_data", "--logical-date", "2026-11-19", "--run-id", "r", expect=0,
                                 DISTRIBUTION_MODEL="absent.pkl", SOURCE_FALLBACK="portfolio").stderr
        self.assertIn("absent.pkl", said("INFO"))
        self.assertIn("absent.pkl", said("warning"))
        self.assertEqual(said("error"), "")
        self.assertIn("LOG_LEVEL", self.work.run("model", "list", LOG_LEVEL="loud", expect=2).stderr)
        again = self.work.run("run", "--date", "2026-11-19", LOG_LEVEL="debug", F1_THRESHOLD=0, expect=0).stderr
        self.assertIn("from an earlier run", again)
        self.assertNotIn("from an earlier run", self.work.run("run", "--date", "2026-11-19", F1_THRESHOLD=0, expect=0).stderr)

    def test_fit_then_generate(self):
        self.work.run("fit", "--in", self.files.rows, "--out", "fitted.json", expect=0)
        self.work.run("generate", "--num-rows", 100, "--model", "fitted.json", "--out", "f.csv", expect=0)
        with open(self.work.folder / "f.csv", encoding="utf-8-sig") as f:
            rows = list(csv.reader(f))
        self.assertEqual(len(rows), 101)
        self.assertEqual(len(rows[0]), 99)

    def test_rows_under_conditions_and_scenarios_and_sdvs_metadata(self):
        def column(name, path):
            with open(self.work.folder / path, encoding="utf-8-sig", newline="") as file:
                return [row[name] for row in csv.DictReader(file)]
        self.work.run("generate", "--num-rows", 1500, "--out", "book.csv", expect=0)
        self.work.run("fit", "--in", "book.csv", "--out", "book.json", "--target", "DLNQ_1M_FLG", "--metadata", "columns.json", "--no-report", expect=0)
        self.work.run("fit", "--in", "book.csv", "--out", "typed.json", "--spec", "columns.json", "--no-report", expect=0)
        self.work.run("generate", "--model", "book.json", "--num-rows", 1000, "--class", "Y=0.3", "--where", "seg=sme", "--where", "INT_RATE>=4", "--out", "where.csv", expect=0)
        self.assertEqual(set(column("seg", "where.csv")), {"sme"})
        self.assertTrue(all(float(x) >= 4 for x in column("INT_RATE", "where.csv")))
        self.assertIn("too few", self.work.run("generate", "--model", "book.json", "--num-rows", 10, "--where", "seg=nobody", "--out", "none.csv", expect=2).stderr)
        self.assertFalse((self.work.folder / "none.csv").exists())
        (self.work.folder / "nulls.toml").write_text('name = "nulls"\n[[nulls]]\ncolumn = "INT_RATE"\nshare = 1\n')
        self.work.run("generate", "--model", "book.json", "--num-rows", 100, "--scenario", "nulls.toml", "--out", "nulls.csv", expect=0)
        self.assertEqual(set(column("INT_RATE", "nulls.csv")), {""})
        (self.work.folder / "wrong.toml").write_text('name = "wrong"\n[[nulls]]\ncolumn = "nosuch"\nshare = 1\n')
        self.assertIn("wrong.toml:2: 'column' of [[nulls]]: there is no column 'nosuch'",
                      self.work.run("generate", "--num-rows", 10, "--scenario", "wrong.toml", "--out", "none.csv", expect=3).stderr)
        self.work.run("generate", "--model", "book.json", "--num-rows", 100, "--class", "Y=1", "--where", "DLNQ_1M_FLG=Y", "--out", "yes.csv", expect=0)
        self.assertEqual(set(column("DLNQ_1M_FLG", "yes.csv")), {"Y"})
        self.assertIn("nofile.json", self.work.run("generate", "--num-rows", 10, "--class", "FOO=7", "--out", "none.csv", expect=3, DISTRIBUTION_MODEL="nofile.json").stderr)
        self.assertFalse((self.work.folder / "none.csv").exists())

    def test_a_fit_tells_which_rows_break_its_constraints_and_needs_no_target(self):
        (self.work.folder / "bills.csv").write_text("total,a,b,y\n" + "".join(f"{i + i % 7},{i},{i % 7},{'NY'[i % 2]}\n" for i in range(200)) + "9,1,1,N\n")
        columns = ", ".join(f'{{ name = "{name}", type = "{"text" if name == "y" else "number"}" }}' for name in ("total", "a", "b", "y"))
        spec = (f'name = "bills"\ncolumns = [ {columns} ]\n[[constraints]]\nkind = "sum"\ncolumns = ["total", "a", "b"]\n'
                '[[constraints]]\nkind = "order"\ncolumns = ["b", "total"]\n')
        (self.work.folder / "bills.toml").write_text(spec)
        fit = ("fit", "--in", "bills.csv", "--out", "bills.json", "--no-report")
        said = self.work.run(*fit, "--spec", "bills.toml", expect=0).stderr
        self.assertIn("bills.toml:3: 1 of 201 rows break the constraint sum: total = a + b", said)
        self.assertNotIn("order", said)
        self.assertEqual([c["broken_rows"] for c in self.json(*fit, "--spec", "bills.toml")["constraints"]], [1, 0])
        self.work.run(*fit, expect=0, DATASET_SPEC="bills.toml")
        self.assertIn("there is no [target]", self.work.run("preprocess", "--in", "bills.csv", "--out", "p.csv", "--model", "m", expect=3, DATASET_SPEC="bills.toml").stderr)
        (self.work.folder / "nope.toml").write_text(spec + '[[constraints]]\nkind = "only_when"\ncolumns = ["b", "y"]\nequals = "NOPE"\n')
        refused = self.work.run(*fit, "--spec", "nope.toml", expect=3).stderr
        self.assertIn("nope.toml:9", refused)
        self.assertIn("has N, Y", refused)

    def test_a_fit_reports_its_quality_and_the_day_keeps_the_score(self):
        fitted = self.json("fit", "--in", self.files.rows, "--out", "scored.json")
        page = (self.work.folder / fitted["quality_page"]).read_text()
        self.assertIn(f"{fitted['quality_score']:.4f}", page)
        self.assertNotIn("<script", page)
        self.assertEqual(json.loads((self.work.folder / "scored.json").read_text())["quality_score"], fitted["quality_score"])
        self.assertFalse(list(self.work.folder.glob("scored.json.drawn-*")))
        with Workspace(DISTRIBUTION_MODEL=self.work.folder / "scored.json", DATA_QUANTITY=100) as other:
            other.run("task", "data_pipeline_dag", "generate_data", "--logical-date", "2026-11-19", "--run-id", "r", expect=0)
            self.assertEqual(other.find("raw_data")[0]["metadata"]["quality_score"], fitted["quality_score"])
        silent = self.json("fit", "--in", self.files.rows, "--out", "silent.json", "--no-report")
        self.assertIsNone(silent["quality_score"])
        self.assertFalse((self.work.folder / "silent.quality.html").exists())

    def test_report_quality_of_good_and_of_useless_rows(self):
        real = self.files.rows
        with open(real, encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
        columns = [list(column) for column in zip(*rows[1:])]
        for k, column in enumerate(columns):  # every column moved by another number of rows: the same values, no dependence
            columns[k] = column[7 * k % len(column):] + column[:7 * k % len(column)]
        with open(self.work.folder / "moved.csv", "w", newline="") as file:
            csv.writer(file).writerows([rows[0], *zip(*columns)])
        arguments = ("--real", real, "--target", "DLNQ_1M_FLG", "--holdout", real)
        same = self.json("report", "quality", *arguments, "--synthetic", real, "--html", "same.html")
        moved = self.json("report", "quality", *arguments, "--synthetic", "moved.csv")
        self.assertAlmostEqual(same["score"], 1, 9)
        self.assertAlmostEqual(moved["column_shapes"], 1, 9)
        self.assertLess(moved["column_pair_trends"], 0.9)
        self.assertEqual(same["diagnostic"]["score"], 1)
        self.assertEqual((same["privacy"]["copies"], moved["privacy"]["copies"]), (1, 0))
        self.assertEqual(same["train_on_synthetic"]["synthetic"], same["train_on_synthetic"]["real"])
        self.assertLess(moved["train_on_synthetic"]["synthetic"]["roc_auc"], same["train_on_synthetic"]["real"]["roc_auc"] - 0.1)
        self.assertTrue((self.work.folder / "same.html").read_text().startswith("<!doctype html>"))
        text = self.work.run("report", "quality", "--real", real, "--synthetic", "moved.csv", "--max-rows", 500, expect=0).stdout
        for part in ("column pair trends", "data validity", "closest record", "synthetic to real"):
            self.assertIn(part, text)
        self.assertIn("no column 'nothing'", self.work.run("report", "quality", "--real", real, "--synthetic", real, "--target", "nothing", expect=2).stderr)

    def test_without_xgboost_a_report_says_what_it_lacks(self):
        without, rows = self.work.without_xgboost(), self.files.rows
        arguments = ("report", "quality", "--real", rows, "--synthetic", rows, "--html", "lacking.html")
        whole = self.json(*arguments)
        said = r"no model was trained on the synthetic rows: boosted trees: XGBoost, which learns them, cannot be loaded \([^)]*\): install libxgboost.so.0 \(Debian: libxgboost0\)"
        # Who asks for the training by --target gets all the rest, and no success.
        for form in ((), ("--json",)):
            done = self.work.run(*arguments, "--target", "DLNQ_1M_FLG", *form, expect=3, **without)
            self.assertRegex(done.stderr, said + "\n$")
            self.assertRegex(done.stdout, said)
            self.assertRegex((self.work.folder / "lacking.html").read_text(), f"<p>Not measured: {said}.</p>")
        lacking = json.loads(done.stdout)
        self.assertRegex(lacking.pop("train_on_synthetic")["not_measured"], f"^{said}$")
        self.assertEqual(lacking, whole)
        self.assertNotIn("XGBoost", self.work.run(*arguments, expect=0, **without).stderr)
        # What is wrong with the question is said first.
        self.assertIn("no column 'nothing'", self.work.run(*arguments, "--target", "nothing", expect=2, **without).stderr)
        # A fit did what it was asked for.
        done = self.work.run("fit", "--in", rows, "--out", "lacking.json", "--target", "DLNQ_1M_FLG", expect=0, **without)
        self.assertRegex(done.stderr, said)
        self.assertRegex((self.work.folder / "lacking.quality.html").read_text(), said)

    def test_a_fit_says_which_target_no_model_can_learn(self):
        (self.work.folder / "many.csv").write_text("x,y\n" + "".join(f"{i % 9},c{i % 40}\n" for i in range(400)))
        done = self.work.run("fit", "--in", "many.csv", "--out", "many.json", "--target", "y", expect=0)
        said = "no model was trained on the synthetic rows: --target: column 'y' has more than 32 values"
        self.assertIn(said, done.stderr)
        self.assertIn(said, html.unescape((self.work.folder / "many.quality.html").read_text()))

    def test_preprocess_predict_evaluate_a_file(self):
        sample = self.files.rows
        self.work.run("preprocess", "--in", sample, "--out", "p.csv", expect=0)
        with open(self.work.folder / "p.csv", encoding="utf-8-sig") as f:
            rows = list(csv.DictReader(f))
        self.assertEqual(len(rows), 2000)
        self.assertEqual({r["DLNQ_1M_FLG"] for r in rows}, {"0", "1"})
        self.assertTrue({"seg", "split", "cnt_days_total", "init_regist_dt"} <= set(rows[0]))
        self.assertFalse({"STD_DATE_NEW", "AF_CRG"} & set(rows[0]))

        version = self.imported["model_version"]
        self.work.run("predict", "--model", version, "--in", sample, "--out", "scores.csv", expect=0)
        with open(self.work.folder / "scores.csv", encoding="utf-8-sig") as f:
            scores = list(csv.DictReader(f))
        self.assertEqual(len(scores), 2000)
        probabilities = [float(next(v for k, v in s.items() if "prob" in k)) for s in scores]
        self.assertTrue(all(0 <= p <= 1 for p in probabilities))

        metrics = self.json("evaluate", "--model", version, "--in", sample, expect=4)
        self.assertTrue(0 <= metrics["metrics"]["f1_score"] < 0.75)
        low, high = metrics["metrics"]["f1_interval"]
        self.assertTrue(low <= metrics["metrics"]["f1_score"] <= high)
        y = [int(r["DLNQ_1M_FLG"]) for r in rows]
        predicted = [p >= 0.5 for p in probabilities]
        self.assertTrue(math.isclose(metrics["metrics"]["accuracy"], sum(a == b for a, b in zip(y, predicted)) / 2000))

    def test_every_command_reads_words_for_missing_and_iso_dates(self):
        with open(self.files.rows, encoding="utf-8-sig") as f:
            rows = list(csv.DictReader(f))
        months = {name: f"{k + 1:02}" for k, name in enumerate("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split())}
        written = [dict(row) for row in rows]
        for k, row in enumerate(written):
            if not row["INT_RATE"]:
                row["INT_RATE"] = ("NULL", "NaN", "n/a")[k % 3]
            elif k % 2:
                row["INT_RATE"] = f" {row['INT_RATE']} "
            for name in ("init_loan_dt", "loan_deadln_dt", "init_regist_dt"):
                if text := row[name]:
                    day, month, year = text[:-7].zfill(2), months[text[-7:-4].upper()], text[-4:]
                    row[name] = (f"{year}-{month}-{day}", f"{year}-{month}-{day}T10:20:30Z", f"{year}{month}{day}", f"{year}/{month}/{day}")[k % 4]
                else:
                    row[name] = "None"

        def write(name, some):
            with open(self.work.folder / name, "w", newline="") as f:
                out = csv.DictWriter(f, rows[0].keys())
                out.writeheader()
                out.writerows(some)

        write("plain.csv", rows)
        write("words.csv", written)
        for name in ("plain", "words"):
            said = self.json("preprocess", "--in", f"{name}.csv", "--out", f"{name}_out.csv")
            self.assertEqual((said["rows"], said["quarantined"], said["unreadable"]), (2000, 0, {}))
        self.assertEqual((self.work.folder / "plain_out.csv").read_bytes(), (self.work.folder / "words_out.csv").read_bytes())

        for row in written[:5]:
            row["loan_deadln_dt"] = "05/06/2024"
        write("some.csv", written)
        self.assertEqual(self.json("preprocess", "--in", "some.csv", "--out", "out.csv")["unreadable"], {"loan_deadln_dt": 5})
        self.assertIn("line 2: '05/06/2024' is 2024-06-05 or 2024-05-06", self.work.run("preprocess", "--in", "some.csv", "--out", "out.csv", expect=0).stderr)
        for row in written:
            row["loan_deadln_dt"] = "05/06/2024"
        write("undated.csv", written)
        refused = self.work.run("preprocess", "--in", "undated.csv", "--out", "none_out.csv", expect=3).stderr
        self.assertIn("column 'loan_deadln_dt': none of its 2000 dates can be read", refused)
        self.assertFalse((self.work.folder / "none_out.csv").exists())

        # A missing label is neither class.
        version = self.imported["model_version"]
        for row in rows[:100]:
            row["DLNQ_1M_FLG"] = ""
        write("labels.csv", rows)
        judged = self.json("evaluate", "--model", version, "--in", "labels.csv", expect=4)
        self.assertEqual((judged["unlabelled"], sum(map(sum, judged["metrics"]["confusion_matrix"]))), (100, 1900))
        self.assertIn("100 of 2000 rows have no label", self.work.run("evaluate", "--model", version, "--in", "labels.csv", expect=4).stderr)
        for row in rows:
            row["DLNQ_1M_FLG"] = ""
        write("labels.csv", rows)
        none = self.work.run("evaluate", "--model", version, "--in", "labels.csv", expect=0)
        self.assertIn("nothing to evaluate on", none.stderr)
        self.assertIn("not judged: none of the 2000 rows has a label", none.stdout)
        unjudged = self.json("evaluate", "--model", version, "--in", "labels.csv", expect=0)
        self.assertEqual((unjudged["passed"], unjudged["unlabelled"], unjudged["metrics"]["f1_score"]), (None, 2000, None))
        self.assertIn("none of the 2000 rows", unjudged["not_judged"]["reason"])

    def test_a_fit_says_or_refuses_what_it_would_have_to_guess(self):
        def fit(text, code=0):
            (self.work.folder / "odd.csv").write_bytes(text.encode())
            return self.work.run("fit", "--in", "odd.csv", "--out", "odd.json", "--no-report", expect=code).stderr

        def drawn(name):
            self.work.run("generate", "--model", "odd.json", "--num-rows", 500, "--out", "drawn.csv", expect=0)
            with open(self.work.folder / "drawn.csv", encoding="utf-8-sig") as f:
                return [row[name] for row in csv.DictReader(f)]

        self.assertIn("separator ';'", fit("a;b\n" + "1;2,5\n" * 50))
        self.assertIn("lacks the column", self.work.run("preprocess", "--in", "odd.csv", "--out", "out.csv", expect=3).stderr)
        self.assertIn("'4,41' has a comma", fit("rate,g\n" + '"4,41",x\n"5,2",y\n' * 50, code=3))
        amounts = [f"{i % 9 + 1},{i * 37 % 1000:03},000" for i in range(200)]
        self.assertIn("column 'amount' is a number", fit("amount,g\n" + "".join(f'"{a}",{"xy"[i % 2]}\n' for i, a in enumerate(amounts))))
        self.assertFalse(set(drawn("amount")) & set(amounts))
        self.assertIn("1 of its 200 values are no numbers ('-')", fit("amount,g\n" + "".join(f'{"-" if i == 7 else i * 11},{"xy"[i % 2]}\n' for i in range(200)), code=3))
        days = [f"20{y:02}{m:02}{d:02}" for y in range(20, 24) for m in range(1, 13) for d in (1, 15, 28)]
        self.assertIn("holds days", fit("day,g\n" + "".join(f"{day},{'xy'[i % 2]}\n" for i, day in enumerate(days * 5))))
        self.assertLessEqual({(text[4:6], text[6:]) for text in drawn("day")}, {(day[4:6], day[6:]) for day in days})
        self.assertIn("left out", fit(",v,g\n" + "".join(f"{i},{i % 5},{'xy'[i % 2]}\n" for i in range(200))))
        self.assertEqual(set(drawn("v")), set("01234"))

    def test_a_fit_keeps_codes_large_numbers_and_words(self):
        codes = [f"{i:03}" for i in range(0, 40, 5)]
        large = [str(2**53 + 1 + 2 * i) for i in range(8)]
        countries = ["KR", "NA", "DE"]  # Namibia
        lines = [f"{codes[i % 8]},{large[i * 3 % 8]},{countries[i % 3]},{'NA' if i % 5 == 0 else i % 7}" for i in range(400)]
        (self.work.folder / "kept.csv").write_text("code,large,country,count\n" + "\n".join(lines) + "\n")
        said = self.work.run("fit", "--in", "kept.csv", "--out", "kept.json", "--no-report", expect=0).stderr
        self.assertIn("column 'code' is text: '000' would lose digits as a number", said)
        self.assertRegex(said, r"column 'large' is text: '90071992547409\d\d' would lose digits as a number")
        self.assertRegex(said, r"column 'country' is text, where only an empty field is missing: its 'NA' \(\d+ rows\) is a value like others")
        self.assertNotIn("'count'", said)
        self.work.run("generate", "--model", "kept.json", "--num-rows", 1000, "--out", "drawn.csv", expect=0)
        with open(self.work.folder / "drawn.csv", encoding="utf-8-sig") as f:
            drawn = list(csv.DictReader(f))
        for name, values in (("code", codes), ("large", large), ("country", countries), ("count", ["", *map(str, range(7))])):
            self.assertEqual({row[name] for row in drawn}, set(values), name)
        self.assertAlmostEqual(sum(row["count"] == "" for row in drawn) / 1000, 0.2, delta=0.06)

    def test_a_fit_of_extreme_numbers_draws_numbers_like_them(self):
        def value(name, i):
            u = (i * 7919 % 1000 + 0.5) / 1000
            return {"largest": 9e299 * u, "both_signs": 9e299 * (2 * u - 1), "denormal": 1e-310 * u, "powers": 10 ** (598 * u - 300),
                    "far_out": 9e299 if i == 500 else u, "same": 9e299, "neighbours": 1 + round(20 * u) * 2**-52}[name]
        names = ["largest", "both_signs", "denormal", "powers", "far_out", "same", "neighbours"]
        lines = [",".join(repr(value(name, i)) for name in names) for i in range(1000)]
        (self.work.folder / "extreme.csv").write_text(",".join(names) + "\n" + "\n".join(lines) + "\n")
        for marginals in ("auto", "empirical", "kde", "gaussian", "gamma", "beta", "student_t", "truncated_gaussian", "uniform"):
            with self.subTest(marginals=marginals):
                self.work.run("fit", "--in", "extreme.csv", "--out", "extreme.json", "--marginals", marginals, "--no-report", expect=0)
                self.work.run("generate", "--model", "extreme.json", "--num-rows", 1000, "--out", "drawn.csv", expect=0)
                with open(self.work.folder / "drawn.csv", encoding="utf-8-sig") as f:
                    drawn = list(csv.DictReader(f))
                for name in names:
                    real, got = [value(name, i) for i in range(1000)], [float(row[name]) for row in drawn]
                    self.assertTrue(all(map(math.isfinite, got)), name)
                    beyond = (max(real) - min(real)) / 100  # the ends are smoothed, so that they are no row's value
                    self.assertGreaterEqual(min(got), min(real) - beyond, name)
                    self.assertLessEqual(max(got), max(real) + beyond, name)
                    if name != "same" and marginals in ("auto", "empirical"):
                        below = sum(x <= sorted(real)[500] for x in got) / 1000
                        self.assertAlmostEqual(below, 0.5, delta=0.1, msg=name)
        for text, refusal in (("inf", r"column 'x': 1 of its 50 values are no numbers \('inf'\)"), ("1e400", r"1 of its 50 values are no numbers \('1e400'\)"),
                              ("1.7e308", "column x: its values reach .*, more than a number can be")):
            lines = [f"{i + 0.5 if text != '1.7e308' and i != 3 else text},{i % 3}" for i in range(50)]
            (self.work.folder / "beyond.csv").write_text("x,y\n" + "\n".join(lines) + "\n")
            said = self.work.run("fit", "--in", "beyond.csv", "--out", "extreme.json", "--marginals", "auto", "--no-report", expect=3).stderr
            self.assertRegex(said, refusal)

    def test_a_report_counts_the_records_that_it_leaves_out(self):
        good = "".join(f"{i % 7},{'xy'[i % 2]}\n" for i in range(100))
        (self.work.folder / "whole.csv").write_text("a,b\n" + good)
        (self.work.folder / "broken.csv").write_text("a,b\n" + good + "1,x,2\n3\n")
        arguments = ("report", "quality", "--real", "whole.csv", "--synthetic", "broken.csv", "--html", "page.html")
        line = "2 records left out, the first: broken.csv:102: the row has more fields than the header"
        said = self.json(*arguments)
        self.assertEqual((said["left_out"], said["real_rows"], said["synthetic_rows"]), ([line], 100, 100))
        self.assertIn(line, (self.work.folder / "page.html").read_text())
        self.assertIn(line, self.work.run(*arguments, expect=0).stderr)
        (self.work.folder / "broken.csv").write_text("a,b\n" + good + "1,x,2\n" * 6)
        self.assertIn("6 of 106 rows cannot be read, more than the 5 %", self.work.run(*arguments, expect=3).stderr)

    def test_db_answers_the_contracts_queries(self):
        self.assertEqual(len(self.json("db", "alerts", "--sort", "timestamp:-1")), 1)
        events = self.json("db", "evaluation_events", "--sort", "timestamp:-1", "--limit", 10)
        self.assertEqual([e["status"] for e in events], ["failed_max_retries", "approved"])
        self.assertEqual(len(self.json("db", "deployment_events", "--filter", '{"status":"deployed"}', "--sort", "timestamp:-1")), 1)
        self.assertEqual(len(self.json("db", "model_metadata", "--filter", '{"finetuned_from":{"$exists":true}}')), 3)
        self.assertEqual(self.json("db", "evaluation_events", "--filter", '{"retraining_info.was_retrained":true}'), [])
        self.assertEqual(len(self.json("db", "raw_data", "--limit", 5)), 2)
        self.assertEqual(len(self.json("db", "processed_data", "--limit", 5)), 5)
        self.assertEqual(len(self.json("db", "training_events", "--sort", "timestamp:-1")), 3)
        row = self.json("db", "processed_data", "--limit", 1)[0]
        for field in ("seg", "DLNQ_1M_FLG", "processing_timestamp", "dataset_name", "split", "row", "timestamp", "run_id", "logical_date"):
            self.assertIn(field, row)
        self.work.run("db", "alerts", "--filter", '{"x":{"$wrong":1}}', expect=2)
        self.work.run("db", "alerts", "--filter", "{", expect=2)

    def test_every_document_of_the_day_carries_its_fields(self):
        want = {
            "raw_data": "filename metadata file_id rows columns sha256 source seed",
            "processing_metadata": "dataset_name num_records num_categorical_features num_numerical_features categorical_features "
                                   "numerical_features cat_max_dict status quarantined unseen feature_spec_hash",
            "model_metadata": "model_name model_path model_version model_format hyperparameters metrics status notes created_at updated_at "
                              "sha256 model_file_id finetuned_from finetune_timestamp",
            "performance_metrics": "model_id dataset_name metrics",
            "training_data": "num_train_samples num_finetune_samples num_test_samples num_categorical_features num_numerical_features status",
            "training_events": "event_type model_id model_path status epochs",
            "evaluation_events": "event_type model_id status metrics retry_attempts alert_id",
            "alerts": "alert_type severity model_id original_model_id f1_score f1_threshold retry_attempts max_retries message",
            "predictions": "dataset_name model_id model_version model_status model_sha256 raw_data_id raw_sha256 rows quarantined filename "
                           "file_id path sha256 threshold mean_probability decisions histogram",
        }
        for collection, fields in want.items():
            documents = self.work.find(collection, {"logical_date": "2026-11-20"})
            self.assertTrue(documents, collection)
            for document in documents:
                for field in fields.split() + ["timestamp", "run_id", "logical_date"]:
                    self.assertIn(field, document, collection)
        metrics = self.work.find("performance_metrics", {"logical_date": "2026-11-20", "dataset_name": "test"})[0]["metrics"]
        for field in "accuracy roc_auc f1_score precision recall pr_auc ks gini brier log_loss confusion_matrix default_rate f1_interval".split():
            self.assertIn(field, metrics)
        for epoch in self.work.find("training_events")[0]["epochs"]:
            self.assertEqual({"loss", "accuracy", "roc_auc", "f1_score"} - set(epoch), set())

    def test_lineage_parent_of_each_attempt(self):
        attempts = self.work.find("model_metadata", {"logical_date": "2026-11-20"}, "model_version:1")
        self.assertEqual([a["status"] for a in attempts], ["rejected"] * 3)
        self.assertEqual(attempts[0]["finetuned_from"], attempts[0]["hyperparameters"]["finetuned_from"])
        ids = [a["_id"]["$oid"] for a in attempts]
        self.assertIn(attempts[1]["finetuned_from"], ids[:1])
        self.assertIn(attempts[2]["finetuned_from"], ids[:2])

    def test_deployed_files(self):
        models = self.work.folder / "models"
        self.assertTrue(os.path.islink(models / "deployed"))
        text = (models / "deployed/current_version.txt").read_text()
        self.assertRegex(text, r"^Version: \d{8}_\d{6}\nDeployed at: \d{4}-\d\d-\d\dT")
        self.assertTrue((models / "deployed/current_model.pth").exists())

    def test_a_single_task_as_airflow_runs_it(self):
        with self.work.copy() as other:
            def task(dag, name, *more, expect=0):
                other.run("task", dag, name, "--logical-date", "2026-11-18", "--run-id", "x", "--result", "r.json", *more, expect=expect)
                return json.loads((other.folder / "r.json").read_text())
            self.assertEqual(task("model_evaluation_pipeline", "wait_for_data", expect=75)["state"], "waiting")
            for name in ("generate_data", "validate_data", "preprocess_data"):
                self.assertEqual(task("data_pipeline_dag", name)["state"], "success")
            for name in ("wait_for_data", "load_latest_model", "evaluate_model"):
                task("model_evaluation_pipeline", name)
            branch = task("model_evaluation_pipeline", "check_model_performance")
            self.assertEqual(branch["next"], ["retrain_1.prepare_retraining_data"])
            task("model_evaluation_pipeline", "prepare_retraining_data", "--attempt", "1")
            task("model_evaluation_pipeline", "retrain_1.finetune_model")
            self.assertEqual(task("model_evaluation_pipeline", "retrain_1.evaluate_finetuned_model")["next"],
                             ["retrain_2.prepare_retraining_data"])
            other.run("task", "data_pipeline_dag", "nonsense", "--logical-date", "2026-11-18", "--run-id", "x", expect=2)

    def test_a_finished_day_is_not_run_again(self):
        before = self.work.find("task_instances")
        done = self.work.run("run", "--date", "2026-11-20", expect=4)
        self.assertEqual(self.work.find("task_instances"), before)
        self.assertIn("2026-11-20", done.stdout + done.stderr)

    def test_backfill_fills_gaps_only(self):
        with self.work.copy() as other:
            plan = other.run("backfill", "--from", "2026-11-17", "--to", "2026-11-20", "--dry-run", expect=0, F1_THRESHOLD=0).stdout
            self.assertIn("2026-11-17", plan)
            self.assertEqual(other.find("raw_data", {"logical_date": "2026-11-17"}), [])
            other.run("backfill", "--from", "2026-11-17", "--to", "2026-11-18", expect=0, F1_THRESHOLD=0)
            dates = {d["logical_date"] for d in other.find("raw_data")}
            self.assertTrue({"2026-11-17", "2026-11-18"} <= dates)
            other.run("backfill", "--from", "2026-11-18", "--to", "2026-11-17", expect=2)

    def test_rollback_returns_to_the_version_before(self):
        with self.work.copy() as other:
            first = (other.folder / "models/deployed/current_version.txt").read_text().splitlines()[0]
            attempt = other.find("model_metadata", {"logical_date": "2026-11-20"})[0]["model_version"]
            other.run("model", "deploy", attempt, expect=2)  # rejected: must be approved first
            other.run("model", "approve", attempt, expect=0)
            other.run("model", "deploy", attempt, expect=0)
            self.assertIn(attempt, (other.folder / "models/deployed/current_version.txt").read_text())
            other.run("model", "rollback", expect=0)
            self.assertEqual((other.folder / "models/deployed/current_version.txt").read_text().splitlines()[0], first)
            self.assertEqual(len(json.loads(other.run("model", "history", "--json").stdout)["deployments"]), 3)

    def test_a_link_lost_in_a_crash_is_restored(self):
        with self.work.copy() as other:
            (other.folder / "models/deployed").unlink()
            self.assertEqual(other.run("doctor").returncode, 1)
            other.run("run", "--date", "2026-11-20", expect=4)
            self.assertTrue((other.folder / "models/deployed/current_model.pth").exists())

    def test_a_failed_deployment_says_so_and_can_be_repeated(self):
        with self.work.copy() as other:
            (other.folder / "models/deployed").unlink()
            (other.folder / "models/deployed").mkdir()  # as the Python project left it
            other.settings["DATA_QUANTITY"] = "600"  # of 200 rows this date's test split has no default: it would not be judged
            done = other.run("run", "--date", "2026-11-21", F1_THRESHOLD=0)
            self.assertIn(done.returncode, (1, 3), done.stderr)
            failed = other.find("deployment_events", {"status": "failed"})
            self.assertEqual(len(failed), 1)
            self.assertIn("deployed", failed[0]["error"])
            (other.folder / "models/deployed").rmdir()
            other.run("run", "--date", "2026-11-21", F1_THRESHOLD=0, expect=0)
            self.assertEqual(other.find("deployment_events", {"status": "failed"}), [])

    def test_names_of_stores(self):
        with self.work.copy() as other:
            before = sorted(path.name for path in other.folder.iterdir())
            for name in ("", "sqlite:", "postgres:x", "127.0.0.1:27611", "127.0.0.1:27611/x", "mongo://risk:s3cretpw@h", "risk:s3cretpw@h/x", "risk@h", "mongodb",
                         "mongodb:x", "http://h/x", "sqlite://x"):
                for words in (("--from", "maeil.db", "--to", name), ("--from", name, "--to", "new.db")):
                    for more in ((), ("--dry-run",)):
                        done = other.run("store", "copy", *words, *more)
                        self.assertEqual(done.returncode, 2, f"{words}: {done.stdout}{done.stderr}")
                        self.assertNotIn("s3cret", done.stdout + done.stderr)
            self.assertEqual(sorted(path.name for path in other.folder.iterdir()), before)
            (other.folder / "link.db").symlink_to("maeil.db")
            for name in ("./maeil.db", "link.db", "sqlite:maeil.db", other.folder / "maeil.db"):
                for more in ((), ("--dry-run",)):
                    done = other.run("store", "copy", "--from", "maeil.db", "--to", name, *more)
                    self.assertEqual(done.returncode, 2, done.stderr)
                    self.assertIn("the same store", done.stderr)
            self.assertEqual(other.run("store", "copy", "--from", "maeil.db", "--to", "MongoDB://127.0.0.1:1/x").returncode, 1)  # a server, and not there
            self.assertEqual(other.run("store", "copy", "--from", "maeil.db", "--to", "no/such/folder/b.db", "--dry-run").returncode, 1)
            (other.folder / "empty.db").touch()
            self.assertEqual(other.run("store", "copy", "--from", "empty.db", "--to", "b.db").returncode, 3)
            self.assertEqual((other.folder / "empty.db").stat().st_size, 0)
            other.run("store", "copy", "--from", "maeil.db", "--to", "./a:b.db", expect=0)
            self.assertIn("holds a part of it, or all", other.run("store", "copy", "--from", "maeil.db", "--to", "./a:b.db", "--dry-run", expect=0).stdout)

    def test_empty_settings_count_as_not_set(self):
        with self.work.copy() as other:
            (other.folder / ".env").write_text("MONGODB_URI=\nMONGODB_HOST=\nMONGODB_PORT=\n")
            versions = other.run("model", "list", expect=0, MONGODB_URI="", MONGODB_HOST="", MONGODB_USERNAME="", MONGODB_DATABASE="").stdout
            self.assertEqual(versions, self.work.run("model", "list", expect=0).stdout)

    def test_runs_logs_dags_doctor(self):
        self.assertTrue(self.json("runs"))
        self.assertIn("F1", self.work.run("logs", "2026-11-20", "evaluate_model", expect=0).stdout)
        self.work.run("logs", "1999-01-01", expect=3)
        exported = self.json("dag", "export")
        ids = {d["dag_id"] if "dag_id" in d else d["id"] for d in exported["dags"]}
        self.assertEqual(ids, {"data_pipeline_dag", "model_evaluation_pipeline", "model_deployment_pipeline", "scoring_pipeline"})
        self.assertIn("retrain_3.finetune_model", self.work.run("dag", "show", "model_evaluation_pipeline", expect=0).stdout)
        self.assertTrue(self.json("doctor")["findings"])

    def test_prune_keeps_models_and_events(self):
        with self.work.copy() as other:
            plan = json.loads(other.run("prune", "--dry-run", "--json", RETENTION_DAYS_PROCESSED=1, RETENTION_DAYS_RAW=1).stdout)
            before = {c: len(other.find(c)) for c in ("model_metadata", "evaluation_events", "alerts")}
            self.assertTrue(other.find("processed_data"))
            done = json.loads(other.run("prune", "--json", RETENTION_DAYS_PROCESSED=1, RETENTION_DAYS_RAW=1).stdout)
            self.assertEqual(plan["processed_data"], done["processed_data"])
            self.assertEqual({c: len(other.find(c)) for c in before}, before)
            for date in done["processed_data"]:
                self.assertEqual(other.find("processed_data", {"logical_date": date}), [])

    def test_prune_removes_what_a_killed_run_began_to_write(self):
        with self.work.copy() as other:
            begun = other.folder / "data/raw/synthetic_data.csv.tmp-1000000000-0"  # no process can have this number
            begun.write_text("half a day")
            os.utime(begun, (0, 0))
            self.assertIn(begun.name, other.run("doctor", expect=0).stdout)
            self.assertEqual(json.loads(other.run("prune", "--dry-run", "--json", expect=0).stdout)["files"], [str(begun)])
            self.assertIn(begun.name, other.run("prune", expect=0).stdout)
            self.assertFalse(begun.exists())
            self.assertNotIn(begun.name, other.run("doctor", expect=0).stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
