"""`maeil schedule` makes up for a missed day at its start; the first Ctrl-C ends after the present task, the second at once."""
import datetime
import signal
import unittest

from harness import Workspace, kill, read_until

TINY = dict(DATA_QUANTITY=400, EPOCHS=1, PRETRAIN_EPOCHS=1, FINETUNE_EPOCHS=1, MAX_RETRAIN_ATTEMPTS=1, MIN_POSITIVES=1, MIN_NEGATIVES=1,
            D_MODEL=8, NHEAD=2, NUM_LAYERS=1, DIM_FEEDFORWARD=8, SCHEDULE_TIME="00:00", TIMEZONE="UTC")


class Schedule(unittest.TestCase):
    def test_a_missed_day_is_made_up_for_at_the_start_and_not_twice(self):
        with Workspace(**TINY) as work:
            today = datetime.datetime.now(datetime.timezone.utc).date()
            before, missed = (str(today - datetime.timedelta(days=n)) for n in (2, 1))
            self.assertIn(work.run("run", "--date", before).returncode, (0, 4))
            for again in (False, True):
                daemon = work.start("schedule")
                read_until(daemon, "next run:")
                daemon.send_signal(signal.SIGINT)
                self.assertEqual(daemon.wait(600), 0)
                daemon.stderr.close()
                dates = {run["logical_date"] for run in work.find("dag_runs", {"run_type": "scheduled"})}
                self.assertLessEqual({missed, str(today)}, dates)
                runs = len(work.find("dag_runs"))
                self.assertEqual(runs, count if again else runs)
                count = runs

    def test_without_catchup_nothing_is_made_up_for(self):
        with Workspace(**TINY, CATCHUP=0) as work:
            two_days_ago = datetime.datetime.now(datetime.timezone.utc).date() - datetime.timedelta(days=2)
            self.assertIn(work.run("run", "--date", two_days_ago).returncode, (0, 4))
            daemon = work.start("schedule")
            read_until(daemon, "next run:")
            kill(daemon)
            self.assertEqual(work.find("dag_runs", {"run_type": "scheduled"}), [])

    def test_a_second_signal_ends_at_once_and_the_day_goes_on_later(self):
        with Workspace(**TINY) as work:
            date = "2026-11-23"
            run = work.start("run", "--date", date, "--rows", 400000)
            read_until(run, "generate_data  started")
            run.send_signal(signal.SIGINT)
            read_until(run, "a second signal ends it at once")
            run.send_signal(signal.SIGINT)
            self.assertEqual(run.wait(600), 130)
            run.stderr.close()
            tasks = work.find("task_instances", {"task_id": "generate_data"})
            self.assertEqual([task["state"] for task in tasks], ["running"])


if __name__ == "__main__":
    unittest.main()
