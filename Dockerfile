# Two stages: build with the packages of tools/packages.txt, run with the libraries alone. Context: the repository.
FROM debian:bookworm AS build
WORKDIR /maeil
COPY tools/setup tools/packages.txt tools/
RUN sed -i '/^python3-/d' tools/packages.txt && tools/setup && rm -rf /var/lib/apt/lists/*
COPY . .
RUN sed -i '/^python3-/d' tools/packages.txt && cmake --preset release -DBUILD_TESTING=OFF && cmake --build --preset release --target maeil

FROM debian:bookworm-slim
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends libhwy1 libfmt9 libssl3 libxxhash0 libtomlplusplus3 libdate-tz3 libzip4 libsqlite3-0 \
      libmongoc-1.0-0 libbson-1.0-0 libstdc++6 tzdata ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 maeil
COPY --from=build /maeil/build/release/maeil /usr/local/bin/maeil
USER maeil
WORKDIR /home/maeil/workspace
VOLUME /home/maeil/workspace
ENTRYPOINT ["maeil"]
CMD ["schedule"]
