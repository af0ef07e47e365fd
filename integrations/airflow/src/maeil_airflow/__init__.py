"""maeil's DAGs in Apache Airflow: `globals().update(load_dags())` in a DAG file is all that is needed."""
from maeil_airflow.factory import build_dags, load_dags

__all__ = ["build_dags", "load_dags"]
