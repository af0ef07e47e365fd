# Build with the packages of tools/packages.txt, run with the libraries alone. Context: the repository.
FROM debian:bookworm AS build
WORKDIR /maeil
COPY tools/setup tools/packages.txt tools/
RUN sed -i -E '/^python3-|^postgresql|^libsqliteodbc|^prometheus(-node-exporter)?$|clang|llvm/d' tools/packages.txt && tools/setup && rm -rf /var/lib/apt/lists/*
COPY . .
RUN sed -i -E '/^python3-|^postgresql|^libsqliteodbc|^prometheus(-node-exporter)?$|clang|llvm/d' tools/packages.txt && cmake --preset release -DBUILD_TESTING=OFF && cmake --build --preset release --target maeil

FROM debian:bookworm-slim AS runtime
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends libhwy1 libfmt9 libssl3 libxxhash0 libtomlplusplus3 libdate-tz3 libuchardet0 libzip4 libzstd1 zlib1g libprometheus-cpp-core1.0 libsqlite3-0 libpq5 libodbc2 libxgboost0 \
      libmongoc-1.0-0 libbson-1.0-0 libstdc++6 tzdata ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 maeil \
 && install -d -o maeil -g maeil /home/maeil/workspace /home/maeil/airflow
COPY --from=build /maeil/build/release/maeil /usr/local/bin/maeil
WORKDIR /home/maeil/workspace

# Airflow with maeil's DAGs: the Python packages that the tests run with, the binary, and the DAGs.
FROM runtime AS airflow
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv && rm -rf /var/lib/apt/lists/*
COPY tests/airflow/requirements.txt /tmp/requirements.txt
RUN python3 -m venv /opt/airflow && /opt/airflow/bin/pip install -q --no-cache-dir -r /tmp/requirements.txt
COPY integrations/airflow /opt/maeil-airflow
RUN /opt/airflow/bin/pip install -q --no-cache-dir --no-deps /opt/maeil-airflow
ENV PATH=/opt/airflow/bin:$PATH AIRFLOW_HOME=/home/maeil/airflow AIRFLOW__CORE__DAGS_FOLDER=/opt/maeil-airflow/dags \
    AIRFLOW__CORE__LOAD_EXAMPLES=False MAEIL_BIN=/usr/local/bin/maeil MAEIL_WORKSPACE=/home/maeil/workspace
USER maeil
VOLUME /home/maeil/workspace /home/maeil/airflow
CMD ["airflow", "standalone"]

FROM runtime AS maeil
USER maeil
VOLUME /home/maeil/workspace
ENTRYPOINT ["maeil"]
CMD ["schedule"]
