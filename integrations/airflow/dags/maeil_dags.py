"""The DAGs of maeil's day (apache airflow dag). Settings: see the README of maeil-airflow."""
from maeil_airflow import load_dags

globals().update(load_dags())
