"""What a store holds for good, and whether it was kept: for tests that do finished tasks again."""
import json

# What a day records for good. task_instances is the present state, processed_data is replaced.
RECORDED = ["raw_data", "processing_metadata", "model_metadata", "performance_metrics", "training_data", "training_events", "evaluation_events",
            "deployment_events", "alerts", "notifications", "predictions", "day_requests", "task_history", "audit_log"]
# What may change of a version: how it stands, not what it is.
STANDING = {"status", "updated_at", "status_history", "notes", "metrics"}


def recorded(workspace):
    return {(name, json.dumps(document["_id"])): document for name in RECORDED for document in workspace.find(name)}


class KeepsHistory:
    """Checks for a unittest.TestCase."""

    def check_nothing_rewritten(self, before, after):
        for key, old in before.items():
            self.assertIn(key, after, "a recorded document is gone")
            new = dict(after[key])
            if "superseded_by" not in old:
                new.pop("superseded_by", None)
            if key[0] == "model_metadata":
                kept = old.get("status_history", [])
                self.assertEqual(new.get("status_history", [])[:len(kept)], kept, "the history of a status was rewritten")
            for field in STANDING if key[0] == "model_metadata" else ():
                new.pop(field, None)
                old = {k: v for k, v in old.items() if k != field}
            self.assertEqual(new, old, f"{key} was rewritten")
        added = {key: document for key, document in after.items() if key not in before}
        ids = {json.dumps(document["_id"]): document for document in after.values()}
        for key, document in added.items():
            if "supersedes" in document:
                old = ids[json.dumps(document["supersedes"])]
                self.assertEqual(old["superseded_by"], document["_id"], f"{key} is not named by what it supersedes")
        return added

    def check_registry(self, workspace, date):
        versions = workspace.find("model_metadata")
        names = [v["model_version"] for v in versions]
        self.assertEqual(len(set(names)), len(names), "two versions of one name")
        deployed = [v for v in versions if v["status"] == "deployed"]
        self.assertLessEqual(len(deployed), 1)
        link = workspace.folder / "models" / "deployed"
        if deployed:
            self.assertEqual(link.resolve().name, deployed[0]["model_version"])
        for version in versions:
            self.assertNotEqual(version.get("finetuned_from"), version["_id"]["$oid"], "a version is its own parent")
            workspace.run("model", "export", version["model_version"], "--out", "x.pth", expect=0)
        verdicts = [e for e in workspace.find("evaluation_events", {"logical_date": date}) if "superseded_by" not in e]
        self.assertEqual(len(verdicts), 1, "a date has one verdict that counts")
