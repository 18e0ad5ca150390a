#   docker build -t postrider .
#   docker run --rm -p 127.0.0.1:8080:8080 postrider
#
# shows the sample site with its outbox. For a site of your own mount its `config/`, `posts/` and `templates/` over
# those in /srv/postrider, and a volume at /srv/postrider/var, where the database lives. compose.yaml does that.

FROM rust:1.95-bookworm AS build
WORKDIR /build

# The dependencies are a layer of their own, built with an empty program: a change in src/ compiles only src/.
# Benches and integration tests are not copied, so their entries leave the manifest.
COPY .cargo .cargo
COPY Cargo.toml Cargo.lock ./
RUN sed -i '/^\[\[\(bench\|test\|example\)\]\]/,/^$/d' Cargo.toml \
    && mkdir src \
    && echo 'fn main() {}' > src/main.rs \
    && touch src/lib.rs \
    && cargo build --profile dist --locked --bin postrider \
    && rm -r src

COPY config config
COPY posts posts
COPY templates templates
COPY src src
# The copies keep their own, older dates: without `touch`, cargo would take the empty program for the finished one.
RUN touch src/lib.rs src/main.rs \
    && cargo build --profile dist --locked --bin postrider \
    && mkdir -p /srv/postrider/var \
    && cp -r config posts templates /srv/postrider/ \
    && install -D -m 755 target/dist/postrider /out/postrider

FROM debian:bookworm-slim
# No packages: certificate authorities, time zones and SQLite are inside the binary.
COPY --from=build /out/postrider /usr/bin/postrider
COPY --from=build /srv/postrider /srv/postrider
COPY --from=build --chown=10001:10001 /srv/postrider/var /srv/postrider/var
COPY LICENSE-MIT LICENSE-APACHE /usr/share/doc/postrider/

WORKDIR /srv/postrider
USER 10001:10001
# From outside the container, 127.0.0.1 could not be reached.
ENV POSTRIDER__SERVER__LISTEN=0.0.0.0:8080
VOLUME /srv/postrider/var
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 CMD ["postrider", "healthcheck"]

# `docker stop` kills after ten seconds; with `--time 660` mail in flight is finished, and nothing is left uncertain.
ENTRYPOINT ["postrider"]
CMD ["run"]
